"""Loader: splits the beats of a program into image, instructions and tiles."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.packet_front import PacketFront
from hwgen.rtl.common.read_engine import read_command
from hwgen.rtl.dbpim.image_writer import ImageWriter
from hwgen.rtl.dbpim.layouts import (
    ERROR_BITS,
    bus_write,
    packet,
    parameters,
    row_cells,
    row_meta,
)
from hwgen.rtl.dbpim.tile_loader import TileLoader
from hwgen.rtl.part import Part, PartInstance
from hwgen.spec.axi import MEMORY_ADDRESS_BITS
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import (
    INSTRUCTION_BITS,
    VERSION,
    ErrorCode,
    Opcode,
    field_bits,
    packet_bits,
)
from hwgen.spec.widths import bits_for_index

OPCODE_BITS = field_bits(Opcode.BEGIN, "opcode")
INSTRUCTIONS = (Opcode.CONV, Opcode.POOL, Opcode.ADD, Opcode.STORE, Opcode.END)
"""Packets that go to the sequencer."""


class Loader(Part):
    """Reads a program once, from BEGIN to END: image first, then packets in their order.

    Ports
        run                 in          1             start; held as long as the program runs
        program_address     in          64            of BEGIN; the stream follows it
        image_address       in          64            of the image
        command             stream out  read_command  BEGIN, image, stream
        beats               stream in   port_bits     the beats that the commands read
        image_valid         out         1             a word of the image goes to the bus
        image               out         bus_write     that word
        image_done          out         1             it is the last one
        instruction         stream out  512           packets for the sequencer
        tile_header         out         TILE packet   of the tile that is loaded
        tile_room           in          cores         the core has space for this tile now
        tile_begin          out         cores         the core stores the header
        mask_write          out         cores         the core stores a beat of mask words
        mask_data           out         port_bits     that beat
        tile_push           out         cores         the masks of the tile are complete
        parameters_write    out         cores         the core stores the parameters of one filter
        parameters_index    out         filter_bits   its number in the filter group
        parameters_data     out         parameters
        row_write           out         cores         the core stores a row
        row_cells           out         row_cells     its cells
        row_meta            out         row_meta      their signs and indices
        error               out         ErrorCode     error found in this cycle; 0: none
    Latency  0 from a beat to image and masks; 1 from the last beat of a header to ``instruction``
             and ``tile_begin``, 1 from that of a row to ``row_write``
    Rate     one beat in each cycle, one pixel, one filter's parameters
    Errors   BAD_OPCODE, WRONG_VERSION, WRONG_ARCHITECTURE, STREAM_ENDED (no END), NOT_STORED (END
             before any STORE); the loader then stops
    Golden   the packets as `hwgen.spec.dbpim.instructions` encodes them
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._begin_beats = INSTRUCTION_BITS // arch.port_bits
        self._front = PacketFront(
            family=self.family,
            port_bits=arch.port_bits,
            header_bits={code: packet_bits(code) for code in (*INSTRUCTIONS, Opcode.TILE)},
            opcode_bits=OPCODE_BITS,
            count_bits=packet(Opcode.BEGIN)["stream_beats"].width,
        )
        self._image_writer = ImageWriter(arch=arch)
        self._tile_loader = TileLoader(arch=arch)
        self.parts = [self._front, self._image_writer, self._tile_loader]
        super().__init__(
            {
                "run": In(1),
                "program_address": In(MEMORY_ADDRESS_BITS),
                "image_address": In(MEMORY_ADDRESS_BITS),
                "command": Out(stream.Signature(read_command())),
                "beats": In(stream.Signature(arch.port_bits)),
                "image_valid": Out(1),
                "image": Out(bus_write(arch)),
                "image_done": Out(1),
                "instruction": Out(stream.Signature(INSTRUCTION_BITS)),
                "tile_header": Out(packet(Opcode.TILE)),
                "tile_room": In(arch.cores),
                "tile_begin": Out(arch.cores),
                "mask_write": Out(arch.cores),
                "mask_data": Out(arch.port_bits),
                "tile_push": Out(arch.cores),
                "parameters_write": Out(arch.cores),
                "parameters_index": Out(bits_for_index(arch.filters)),
                "parameters_data": Out(parameters()),
                "row_write": Out(arch.cores),
                "row_cells": Out(row_cells(arch)),
                "row_meta": Out(row_meta(arch)),
                "error": Out(ERROR_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.front = front = self._front.instance()
        m.submodules.image_writer = image = self._image_writer.instance()
        m.submodules.tile_loader = tile = self._tile_loader.instance()
        begin = view(Opcode.BEGIN, front.packet)
        pending = Signal(data.StructLayout({"image": 1, "stream": 1}))
        self._commands(m, pending=pending, begin=begin)
        self._connect_image(m, image=image, begin=begin)
        self._connect_tile(m, tile=tile, header=view(Opcode.TILE, front.packet))
        self._connect_front(m, front=front, image=image, tile=tile)
        m.d.comb += front.count.eq(begin.stream_beats)
        with m.FSM():
            with m.State("START"):
                self._start(m, front=front)
            with m.State("RUN"):
                with m.If(front.whole & front.first):
                    self._check_begin(m, front=front, begin=begin, pending=pending)
                with m.Elif(front.whole):
                    self._check(m, front=front, begin_tile=tile.start)
                with m.Elif(front.ended):
                    m.d.comb += self.error.eq(ErrorCode.STREAM_ENDED)
                with m.Elif(front.unknown):
                    m.d.comb += self.error.eq(ErrorCode.BAD_OPCODE)
        return m

    def _connect_front(
        self, m: Module, *, front: PartInstance, image: PartInstance, tile: PartInstance
    ) -> None:
        """Connect the packet front; the image follows BEGIN, masks and rows follow TILE."""
        wiring.connect(m, wiring.flipped(self.beats), front.beats)
        m.d.comb += [
            image.beats.payload.eq(front.rest.payload),
            image.beats.valid.eq(front.rest.valid & front.first),
            tile.beats.payload.eq(front.rest.payload),
            tile.beats.valid.eq(front.rest.valid & ~front.first),
            front.rest.ready.eq(Mux(front.first, image.beats.ready, tile.beats.ready)),
            front.rest_done.eq(Mux(front.first, image.done, tile.done)),
        ]

    def _connect_image(self, m: Module, *, image: PartInstance, begin: data.View) -> None:
        """Connect the image writer."""
        m.d.comb += [
            image.header.eq(begin),
            self.image_valid.eq(image.write_valid),
            self.image.eq(image.write),
            self.image_done.eq(image.done),
        ]

    def _connect_tile(self, m: Module, *, tile: PartInstance, header: data.View) -> None:
        """Connect the tile loader; the strobes reach the cores that the tile's header names."""
        cores = header.cores[: self._arch.cores]
        for_cores = {
            "tile_begin": tile.start,
            "mask_write": tile.mask_write,
            "tile_push": tile.push,
            "parameters_write": tile.parameters_write,
            "row_write": tile.row_write,
        }
        m.d.comb += [getattr(self, name).eq(Mux(on, cores, 0)) for name, on in for_cores.items()]
        m.d.comb += [
            tile.header.eq(header),
            self.tile_header.eq(header),
            self.mask_data.eq(self.beats.payload),
            self.parameters_index.eq(tile.parameters_index),
            self.parameters_data.eq(tile.parameters_data),
            self.row_cells.eq(tile.row_cells),
            self.row_meta.eq(tile.row_meta),
        ]

    def _commands(self, m: Module, *, pending: data.View, begin: data.View) -> None:
        """Request the image, then the stream, which follows BEGIN."""
        command = self.command.payload
        with m.If(pending.image):
            m.d.comb += [
                command.address.eq(self.image_address),
                command.beats.eq(begin.image_beats),
            ]
            m.d.sync += pending.image.eq(~self.command.ready)
        with m.Else():
            m.d.comb += [
                command.address.eq(self.program_address + INSTRUCTION_BITS // 8),
                command.beats.eq(begin.stream_beats),
            ]
            m.d.sync += pending.stream.eq(pending.stream & ~self.command.ready)
        m.d.comb += self.command.valid.eq(pending.image | pending.stream)

    def _start(self, m: Module, *, front: PartInstance) -> None:
        """Request BEGIN."""
        m.d.comb += [
            self.command.valid.eq(self.run),
            self.command.payload.address.eq(self.program_address),
            self.command.payload.beats.eq(self._begin_beats),
        ]
        with m.If(self.command.valid & self.command.ready):
            m.d.comb += front.start.eq(1)
            m.next = "RUN"

    def _check_begin(
        self, m: Module, *, front: PartInstance, begin: data.View, pending: data.View
    ) -> None:
        """Refuse a program for another version or architecture; else request image and stream."""
        with m.If(begin.opcode != Opcode.BEGIN):
            self._refuse(m, front, ErrorCode.BAD_OPCODE)
        with m.Elif(begin.version != VERSION):
            self._refuse(m, front, ErrorCode.WRONG_VERSION)
        with m.Elif(begin.architecture != self._arch.id_word):
            self._refuse(m, front, ErrorCode.WRONG_ARCHITECTURE)
        with m.Else():
            m.d.comb += front.body.eq(1)
            m.d.sync += [pending.image.eq(1), pending.stream.eq(1)]

    def _check(self, m: Module, *, front: PartInstance, begin_tile: Signal) -> None:
        """Forward a complete packet as soon as it can be taken; refuse an END before a STORE."""
        stored = Signal()
        opcode = front.packet[:OPCODE_BITS]
        m.d.comb += self.instruction.payload.eq(front.packet)
        with m.If(opcode == Opcode.TILE):
            m.d.comb += [begin_tile.eq(self._has_room()), front.body.eq(begin_tile)]
        with m.Elif((opcode == Opcode.END) & ~stored):
            self._refuse(m, front, ErrorCode.NOT_STORED)
        with m.Else():
            m.d.comb += self.instruction.valid.eq(1)
            with m.If(self.instruction.ready):
                m.d.sync += stored.eq(stored | (opcode == Opcode.STORE))
                m.d.comb += [front.next.eq(1), front.stop.eq(opcode == Opcode.END)]

    def _has_room(self) -> Value:
        """Return whether all cores of the tile have space for it."""
        elsewhere = ~self.tile_header.cores[: self._arch.cores]
        return (self.tile_room | elsewhere).all()

    def _refuse(self, m: Module, front: PartInstance, code: ErrorCode) -> None:
        """Report an error and stop taking beats."""
        m.d.comb += [self.error.eq(code), front.stop.eq(1)]


def view(opcode: Opcode, words: Signal) -> data.View:
    """Return the fields of a packet."""
    layout = packet(opcode)
    return data.View(layout, words[: layout.size])
