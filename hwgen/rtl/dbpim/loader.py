"""From the beats of a program to the image, the instructions and the tiles of the cores."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.axi import MEMORY_ADDRESS_BITS
from hwgen.rtl.dbpim.image_writer import ImageWriter
from hwgen.rtl.dbpim.layouts import bus_write, packet, parameters, row_cells, row_meta
from hwgen.rtl.dbpim.read_engine import read_command
from hwgen.rtl.dbpim.tile_loader import TileLoader
from hwgen.rtl.part import Part, PartInstance
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import (
    INSTRUCTION_BITS,
    TILE_HEADER_BITS,
    VERSION,
    ErrorCode,
    Opcode,
    field_bits,
)
from hwgen.spec.widths import bits_for_index

OPCODE_BITS = field_bits(Opcode.BEGIN, "opcode")
ERROR_BITS = bits_for_index(len(ErrorCode))
INSTRUCTIONS = (Opcode.CONV, Opcode.POOL, Opcode.ADD, Opcode.STORE, Opcode.END)
"""Packets that go to the sequencer."""


class Loader(Part):
    """Reads a program once, from BEGIN to END: image first, then packets in their order.

    Ports
        run                 in          1             start; held as long as the program runs
        program_address     in          64            of BEGIN; the stream follows it
        image_address       in          64            of the image
        command             stream out  read_command  BEGIN, image, stream
        beats               stream in   port_bits     what they bring
        image_valid         out         1             a word of the image goes to the bus
        image               out         bus_write     that word
        image_done          out         1             it is the last one
        instruction         stream out  512           packets for the sequencer
        tile_header         out         TILE packet   of the tile that is loaded
        tile_room           in          cores         the core can hold this tile now
        tile_begin          out         cores         the core stores the header
        mask_write          out         cores         the core stores a beat of mask words
        mask_data           out         port_bits     that beat
        tile_push           out         cores         the masks of the tile are complete
        parameters_write    out         cores         the core stores the parameters of one filter
        parameters_index    out         filter_bits   which filter's
        parameters_data     out         parameters    those
        row_write           out         cores         the core stores a row
        row_cells           out         row_cells     its cells
        row_meta            out         row_meta      their signs and indices
        error               out         ErrorCode     what is wrong in this cycle; 0: nothing
    Latency  0 from a beat to image and masks; 1 from the last beat of a header to ``instruction``
             and ``tile_begin``, 1 from that of a row to ``row_write``
    Rate     one beat in each cycle, one pixel, one filter's parameters
    Errors   BAD_OPCODE, WRONG_VERSION, WRONG_ARCHITECTURE, STREAM_ENDED (no END); it then stands
    Golden   the packets as `hwgen.spec.dbpim.instructions` encodes them
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._instruction_beats = INSTRUCTION_BITS // arch.port_bits
        self._tile_beats = max(1, TILE_HEADER_BITS // arch.port_bits)
        self._image_writer = ImageWriter(arch=arch)
        self._tile_loader = TileLoader(arch=arch)
        self.parts = [self._image_writer, self._tile_loader]
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
        words = Signal(INSTRUCTION_BITS, name="packet")
        left = Signal(packet(Opcode.BEGIN)["stream_beats"].shape)
        m.submodules.image_writer = image = self._image_writer.instance()
        m.submodules.tile_loader = tile = self._tile_loader.instance()
        asks = Signal(data.StructLayout({"image": 1, "stream": 1}))
        self._commands(m, asks=asks, begin=view(Opcode.BEGIN, words))
        self._connect_image(m, image=image, begin=view(Opcode.BEGIN, words))
        self._connect_tile(m, tile=tile, header=view(Opcode.TILE, words))
        with m.FSM():
            with m.State("START"):
                self._start(m)
            with m.State("BEGIN"):
                last = self._gather(m, words=words, beats=self._instruction_beats)
                with m.If(last):
                    m.next = "CHECK_BEGIN"
            with m.State("CHECK_BEGIN"):
                m.d.sync += left.eq(view(Opcode.BEGIN, words).stream_beats)
                self._check_begin(m, begin=view(Opcode.BEGIN, words), asks=asks)
            with m.State("IMAGE"):
                self._hand_on(m, image.beats)
                with m.If(image.done):
                    m.next = "HEADER"
            with m.State("HEADER"):
                self._header(m, words=words)
                self._count(m, left=left)
            with m.State("CHECK"):
                self._check(m, words=words, begin_tile=tile.start)
            with m.State("TILE"):
                self._hand_on(m, tile.beats)
                with m.If(tile.done):
                    m.next = "HEADER"
                self._count(m, left=left)
            with m.State("STOP"):
                pass
        return m

    def _connect_image(self, m: Module, *, image: PartInstance, begin: data.View) -> None:
        """Let the words of the image out."""
        m.d.comb += [
            image.header.eq(begin),
            self.image_valid.eq(image.write_valid),
            self.image.eq(image.write),
            self.image_done.eq(image.done),
        ]

    def _connect_tile(self, m: Module, *, tile: PartInstance, header: data.View) -> None:
        """Let what belongs to a tile reach the cores that its header names."""
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

    def _commands(self, m: Module, *, asks: data.View, begin: data.View) -> None:
        """Ask for the image, then for the stream, which follows BEGIN."""
        command = self.command.payload
        with m.If(asks.image):
            m.d.comb += [
                command.address.eq(self.image_address),
                command.beats.eq(begin.image_beats),
            ]
            m.d.sync += asks.image.eq(~self.command.ready)
        with m.Else():
            m.d.comb += [
                command.address.eq(self.program_address + INSTRUCTION_BITS // 8),
                command.beats.eq(begin.stream_beats),
            ]
            m.d.sync += asks.stream.eq(asks.stream & ~self.command.ready)
        m.d.comb += self.command.valid.eq(asks.image | asks.stream)

    def _start(self, m: Module) -> None:
        """Ask for BEGIN."""
        m.d.comb += [
            self.command.valid.eq(self.run),
            self.command.payload.address.eq(self.program_address),
            self.command.payload.beats.eq(self._instruction_beats),
        ]
        with m.If(self.command.valid & self.command.ready):
            m.next = "BEGIN"

    def _gather(self, m: Module, *, words: Signal, beats: Value | int) -> Value:
        """Take the next of so many beats of a packet; return whether it is the last."""
        number = Signal(bits_for_index(self._instruction_beats))
        last = number == beats - 1
        m.d.comb += self.beats.ready.eq(1)
        with m.If(self.beats.valid):
            place = words.word_select(number, self._arch.port_bits)
            m.d.sync += [place.eq(self.beats.payload), number.eq(Mux(last, 0, number + 1))]
        return self.beats.valid & last

    def _check_begin(self, m: Module, *, begin: data.View, asks: data.View) -> None:
        """Refuse what this chip was not made for."""
        with m.If(begin.opcode != Opcode.BEGIN):
            self._stop(m, ErrorCode.BAD_OPCODE)
        with m.Elif(begin.version != VERSION):
            self._stop(m, ErrorCode.WRONG_VERSION)
        with m.Elif(begin.architecture != self._arch.id_word):
            self._stop(m, ErrorCode.WRONG_ARCHITECTURE)
        with m.Else():
            m.d.sync += [asks.image.eq(1), asks.stream.eq(1)]
            m.next = "IMAGE"

    def _header(self, m: Module, *, words: Signal) -> None:
        """Take a packet, or the header of a tile, whose first byte says how long it is."""
        begun, opcode = Signal(), Signal(OPCODE_BITS)
        m.d.comb += opcode.eq(Mux(begun, words[:OPCODE_BITS], self.beats.payload[:OPCODE_BITS]))
        beats = Mux(opcode == Opcode.TILE, self._tile_beats, self._instruction_beats)
        last = self._gather(m, words=words, beats=beats)
        with m.If(self.beats.valid):
            m.d.sync += begun.eq(~last)
        with m.If(last):
            m.next = "CHECK"
        with m.If(self.beats.valid & ~opcode.matches(*INSTRUCTIONS, Opcode.TILE)):
            self._stop(m, ErrorCode.BAD_OPCODE)

    def _check(self, m: Module, *, words: Signal, begin_tile: Signal) -> None:
        """Pass a whole packet on as soon as there is room for it."""
        opcode = words[:OPCODE_BITS]
        m.d.comb += self.instruction.payload.eq(words)
        with m.If(opcode == Opcode.TILE):
            m.d.comb += begin_tile.eq(self._has_room())
            with m.If(begin_tile):
                m.next = "TILE"
        with m.Else():
            m.d.comb += self.instruction.valid.eq(1)
            with m.If(self.instruction.ready):
                m.next = "HEADER"
                with m.If(opcode == Opcode.END):
                    m.next = "STOP"

    def _has_room(self) -> Value:
        """Return whether all cores of the tile can hold it."""
        elsewhere = ~self.tile_header.cores[: self._arch.cores]
        return (self.tile_room | elsewhere).all()

    def _hand_on(self, m: Module, beats: stream.Interface) -> None:
        """Let a part take the beats."""
        m.d.comb += [
            beats.payload.eq(self.beats.payload),
            beats.valid.eq(self.beats.valid),
            self.beats.ready.eq(beats.ready),
        ]

    def _count(self, m: Module, *, left: Signal) -> None:
        """Count the beats of the stream down; waiting for one more than it has is an error."""
        with m.If(left == 0):
            self._stop(m, ErrorCode.STREAM_ENDED)
        with m.Elif(self.beats.valid & self.beats.ready):
            m.d.sync += left.eq(left - 1)

    def _stop(self, m: Module, code: ErrorCode) -> None:
        """Report an error and do nothing more."""
        m.d.comb += self.error.eq(code)
        m.next = "STOP"


def view(opcode: Opcode, words: Signal) -> data.View:
    """Return the fields of a packet."""
    layout = packet(opcode)
    return data.View(layout, words[: layout.size])
