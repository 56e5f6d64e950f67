"""Loader: splits the beats of a program into maps, instructions, tiles, taps and tables."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import MEMORY_ADDRESS_BITS
from hwgen.chip.registers import REGISTER_BITS
from hwgen.chip.rtl.checksum import Checksum, placed
from hwgen.chip.rtl.coded import Coded
from hwgen.chip.rtl.packet_front import PacketFront
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.rtl.read_engine import read_command
from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.stream import header_beats
from hwgen.dbpim.rtl.floats_loader import FloatsLoader
from hwgen.dbpim.rtl.layouts import (
    bus_writes,
    error,
    packet,
)
from hwgen.dbpim.rtl.load_bus import load_bus
from hwgen.dbpim.rtl.load_writer import LoadWriter
from hwgen.dbpim.rtl.table_loader import TableLoader
from hwgen.dbpim.rtl.taps_loader import TapsLoader
from hwgen.dbpim.rtl.tile_loader import TileLoader

OPCODE_BITS = isa.field_bits(isa.Opcode.BEGIN, "opcode")
COUNT_BITS = isa.field_bits(isa.Opcode.LOAD, "segment_beats")


def bodies_of(arch: Arch) -> tuple[isa.Opcode, ...]:
    """Return the packets that go to the cores."""
    floats = (isa.Opcode.FLOATS,) if arch.row_unit else ()
    return (isa.Opcode.TILE, isa.Opcode.TAPS, isa.Opcode.TABLE, *floats)


def header_bits(arch: Arch) -> dict[int, int]:
    """Return the bits of each packet after the first one, of those with a body of the header."""
    return {
        int(code): isa.packet_bits(code, arch.cores, arch.widths)
        for code in (*isa.INSTRUCTIONS, *bodies_of(arch))
    }


def first_bits(arch: Arch) -> int:
    """Return the bits of what the chip reads first: BEGIN and the LOAD after it."""
    beats = header_beats(isa.Opcode.BEGIN, arch) + header_beats(isa.Opcode.LOAD, arch)
    return beats * arch.port_bits


class Loader(Part):
    """Reads a program once, segment by segment: each ends with a LOAD, the last one with END.

    A LOAD goes to the sequencer like any instruction. When it starts (``load_go``), its data are
    requested, then the segment after it; no packet is read before the data are written.

    Ports
        run                     in          1             start; held as long as the program runs
        program_address         in          64            of BEGIN; the stream follows it
        image_address           in          64            of the space IMAGE
        scratch_address         in          64            of the space SCRATCH
        position                in          32            that BEGIN bounds
        command                 stream out  read_command  BEGIN with a LOAD, then data and segment
        beats                   stream in   port_bits     the beats that the commands read
        load_go                 in          1             the LOAD forwarded last starts
        load_valid              out         lanes         words of its map go to the bus
        load                    out         bus_writes    those words, each in its lane
        load_done               out         1             the LOAD is over
        instruction             stream out  longest       packets for the sequencer
        loads                   out         load_bus      what goes to the cores: see ``load_bus``
        error                   out         ErrorCode     error found in this cycle; 0: none
        fits                    out         1             the checksum of what was read fits, 3
                                                          cycles behind its last beat
    Latency  0 from a beat to the words of a map, masks, parameters, taps and tables; 1 from the
             last beat of a header to ``instruction`` and ``begin``, 1 from that of a row to
             ``row.write``; from ``load_go`` 1 to the command of the data, 2 to that of the segment
    Rate     one beat in each cycle, one pixel, one set of parameters
    Errors   BAD_OPCODE (also for a second packet other than LOAD), WRONG_VERSION,
             WRONG_ARCHITECTURE, STREAM_ENDED (no END or LOAD where a segment ends), NOT_STORED
             (END before any STORE), BAD_POSITION (not below the positions of BEGIN); the loader
             then stops
    Golden   the packets as `hwgen.dbpim.facts.instructions` encodes them
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._begin_bits = header_beats(isa.Opcode.BEGIN, arch) * arch.port_bits
        self._first_beats = first_bits(arch) // arch.port_bits
        self._front = PacketFront(
            family=self.family,
            port_bits=arch.port_bits,
            header_bits=header_bits(arch),
            first_bits=first_bits(arch),
            opcode_bits=OPCODE_BITS,
            count_bits=COUNT_BITS,
        )
        self._load_writer = LoadWriter(arch=arch)
        self._tile_loader = TileLoader(arch=arch)
        self._taps_loader = TapsLoader(arch=arch)
        self._table_loader = TableLoader(arch=arch)
        checksum = Checksum(family=self.family, port_bits=arch.port_bits)
        self._checksum = checksum if arch.checksum else None
        self.parts = [self._front, self._load_writer, self._tile_loader]
        self.parts += [self._taps_loader, self._table_loader]
        self.parts += [checksum] if arch.checksum else []
        self._floats_loader = FloatsLoader(arch=arch) if arch.row_unit else None
        self.parts += [self._floats_loader] if self._floats_loader else []
        super().__init__(
            {
                "run": In(1),
                "program_address": In(MEMORY_ADDRESS_BITS),
                "image_address": In(MEMORY_ADDRESS_BITS),
                "scratch_address": In(MEMORY_ADDRESS_BITS),
                "position": In(REGISTER_BITS),
                "command": Out(stream.Signature(read_command())),
                "beats": In(stream.Signature(arch.port_bits)),
                "load_go": In(1),
                "load_valid": Out(arch.bus_words),
                "load": Out(bus_writes(arch)),
                "load_done": Out(1),
                "instruction": Out(stream.Signature(isa.instruction_bits(arch.cores, arch.widths))),
                "loads": Out(load_bus(arch, cores=arch.cores)),
                "error": Out(error()),
                "fits": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.front = front = self._front.instance()
        m.submodules.load_writer = writer = self._load_writer.instance()
        bodies = {
            isa.Opcode.TILE: self._tile_loader.instance(),
            isa.Opcode.TAPS: self._taps_loader.instance(),
            isa.Opcode.TABLE: self._table_loader.instance(),
        }
        if self._floats_loader:
            bodies[isa.Opcode.FLOATS] = self._floats_loader.instance()
        for code, body in bodies.items():
            m.submodules[f"{code.name.lower()}_loader"] = body
        # The first packet is BEGIN with a LOAD behind it.
        current = Signal(isa.instruction_bits(self._arch.cores, self._arch.widths))
        m.d.comb += current.eq(Mux(front.first, front.packet[self._begin_bits :], front.packet))
        # What a body needs of its header is kept: its beats come later, and much hangs on it.
        load = Signal(packet(isa.Opcode.LOAD, self._arch), name="load_header")
        code = Signal(Coded(isa.Opcode.__members__, OPCODE_BITS), name="code_of_body")
        self.guarded(load)
        with m.If(front.whole):
            m.d.sync += [
                load.eq(view(isa.Opcode.LOAD, current, self._arch)),
                code.eq(current[:OPCODE_BITS]),
            ]
        self._connect_load(m, writer=writer, header=load)
        connects = {
            isa.Opcode.TILE: self._connect_tile,
            isa.Opcode.TAPS: self._connect_taps,
            isa.Opcode.TABLE: self._connect_table,
            isa.Opcode.FLOATS: self._connect_floats,
        }
        for opcode, body in bodies.items():
            header = Signal(packet(opcode, self._arch), name=f"{opcode.name.lower()}_header")
            m.d.comb += header.eq(view(opcode, front.packet, self._arch))
            connects[opcode](m, body, header=header)
        self._connect_front(m, front=front, writer=writer, bodies=bodies, code=code)
        m.d.comb += [
            self.instruction.payload.eq(current),
            front.count.eq(view(isa.Opcode.LOAD, current, self._arch).segment_beats),
        ]
        image = front.rest.valid & (code == isa.Opcode.LOAD)
        if self._arch.row_unit:
            image &= load.space != isa.Space.PROGRAM
        taken = self.beats.valid & self.beats.ready & ~image
        m.d.comb += self.fits.eq(placed(m, self._checksum, self.beats.payload, taken))
        self._commands(m, load=load)
        with m.FSM():
            with m.State("START"):
                self._start(m, front=front)
            with m.State("RUN"):
                with m.If(front.whole & front.first):
                    self._check_begin(m, front=front, second=current[:OPCODE_BITS])
                with m.Elif(front.whole):
                    self._check(m, front=front, bodies=bodies)
                with m.Elif(front.ended):
                    m.d.comb += self.error.eq(isa.ErrorCode.STREAM_ENDED)
                with m.Elif(front.unknown):
                    m.d.comb += self.error.eq(isa.ErrorCode.BAD_OPCODE)
        return m

    def _connect_front(
        self,
        m: Module,
        *,
        front: PartInstance,
        writer: PartInstance,
        bodies: dict[isa.Opcode, PartInstance],
        code: Signal,
    ) -> None:
        """Connect the packet front: what follows a header goes to the part for its opcode."""
        wiring.connect(m, wiring.flipped(self.beats), front.beats)
        for part in (writer, *bodies.values()):
            m.d.comb += part.beats.payload.eq(front.rest.payload)
        with m.Switch(code):
            for opcode, part in {isa.Opcode.LOAD: writer, **bodies}.items():
                with m.Case(opcode):
                    m.d.comb += [
                        part.beats.valid.eq(front.rest.valid),
                        front.rest.ready.eq(part.beats.ready),
                        front.rest_done.eq(part.done),
                    ]

    def _connect_load(self, m: Module, *, writer: PartInstance, header: data.View) -> None:
        """Connect the part that writes maps."""
        m.d.comb += [
            writer.header.eq(header),
            self.load_valid.eq(writer.write_valid),
            self.load.eq(writer.write),
            self.load_done.eq(writer.done),
        ]

    def _strobes(self, m: Module, header: data.View, strobes: list[tuple[Signal, Value]]) -> None:
        """Connect strobes that reach the cores that a header names."""
        cores = header.cores[: self._arch.cores]
        m.d.comb += [strobe.eq(Mux(on, cores, 0)) for strobe, on in strobes]

    def _connect_tile(self, m: Module, tile: PartInstance, *, header: data.View) -> None:
        """Connect the loader of tiles."""
        loads, row = self.loads.tile, self.loads.row
        masks = [(loads.mask_write, tile.mask_write)] if self._arch.sparse_parts else []
        strobes = [
            (loads.begin, tile.start),
            *masks,
            (loads.push, tile.push),
            (loads.parameters_write, tile.parameters_write),
            (row.write, tile.row_write),
        ]
        self._strobes(m, header, strobes)
        if self._arch.sparse_parts:
            m.d.comb += [loads.mask_data.eq(self.beats.payload), row.meta.eq(tile.row_meta)]
        m.d.comb += [
            tile.header.eq(header),
            loads.header.eq(header),
            loads.parameters_index.eq(tile.parameters_index),
            loads.parameters_data.eq(tile.parameters_data),
            row.cells.eq(tile.row_cells),
        ]

    def _connect_taps(self, m: Module, taps: PartInstance, *, header: data.View) -> None:
        """Connect the loader of depthwise weights."""
        loads = self.loads.taps
        strobes = [
            (loads.begin, taps.start),
            (loads.parameters_write, taps.parameters_write),
            (loads.write, taps.write),
            (loads.push, taps.push),
        ]
        self._strobes(m, header, strobes)
        m.d.comb += [
            taps.header.eq(header),
            loads.parameters_index.eq(taps.parameters_index),
            loads.parameters_data.eq(taps.parameters_data),
            loads.index.eq(taps.index),
            loads.data.eq(taps.data),
        ]

    def _connect_table(self, m: Module, table: PartInstance, *, header: data.View) -> None:
        """Connect the loader of tables."""
        loads = self.loads.table
        self._strobes(m, header, [(loads.write, table.write), (loads.push, table.done)])
        m.d.comb += [loads.index.eq(table.index), loads.data.eq(self.beats.payload)]

    def _connect_floats(self, m: Module, floats: PartInstance, *, header: data.View) -> None:
        """Connect the loader of floats."""
        loads = self.loads.floats
        self._strobes(m, header, [(loads.write, floats.write), (loads.push, floats.done)])
        m.d.comb += [
            floats.header.eq(header),
            loads.header.eq(header),
            loads.index.eq(floats.index),
            loads.data.eq(self.beats.payload),
        ]

    def _commands(self, m: Module, *, load: data.View) -> None:
        """Request the data of a LOAD that starts, then the segment after it."""
        command, size = self.command.payload, self._arch.port_bytes
        pending = Signal(data.StructLayout({"data": 1, "segment": 1}))
        read = Signal(MEMORY_ADDRESS_BITS, init=self._first_beats * size)
        # What is far from the addresses is kept with the start: their sums alone take a cycle.
        space, offset = Signal(MEMORY_ADDRESS_BITS), Signal.like(load.offset)
        self.guarded(space, offset)
        chosen = Mux(load.space == isa.Space.SCRATCH, self.scratch_address, self.image_address)
        if self._arch.row_unit:
            chosen = Mux(load.space == isa.Space.PROGRAM, self.program_address, chosen)
        m.d.comb += self.command.valid.eq(pending.data | pending.segment)
        with m.If(pending.data):
            m.d.comb += [command.address.eq(space + offset), command.beats.eq(load.beats)]
            m.d.sync += pending.data.eq(~self.command.ready)
        with m.Else():
            m.d.comb += [
                command.address.eq(self.program_address + read),
                command.beats.eq(load.segment_beats),
            ]
            with m.If(pending.segment & self.command.ready):
                m.d.sync += [
                    pending.segment.eq(0),
                    read.eq(read + load.segment_beats * size),
                ]
        with m.If(self.load_go):
            m.d.sync += [
                pending.data.eq(1),
                pending.segment.eq(1),
                space.eq(chosen),
                offset.eq(load.offset),
            ]

    def _start(self, m: Module, *, front: PartInstance) -> None:
        """Request BEGIN and the LOAD after it."""
        m.d.comb += [
            self.command.valid.eq(self.run),
            self.command.payload.address.eq(self.program_address),
            self.command.payload.beats.eq(self._first_beats),
        ]
        with m.If(self.command.valid & self.command.ready):
            m.d.comb += front.start.eq(1)
            m.next = "RUN"

    def _check_begin(self, m: Module, *, front: PartInstance, second: Value) -> None:
        """Refuse a program for another version or architecture; else forward its first LOAD."""
        begin = view(isa.Opcode.BEGIN, front.packet, self._arch)
        with m.If(begin.opcode != isa.Opcode.BEGIN):
            self._refuse(m, front, isa.ErrorCode.BAD_OPCODE)
        with m.Elif(begin.version != isa.VERSION):
            self._refuse(m, front, isa.ErrorCode.WRONG_VERSION)
        with m.Elif(begin.architecture != self._arch.id_word):
            self._refuse(m, front, isa.ErrorCode.WRONG_ARCHITECTURE)
        with m.Elif((begin.positions != 0) & (self.position >= begin.positions)):
            self._refuse(m, front, isa.ErrorCode.BAD_POSITION)
        with m.Elif(second != isa.Opcode.LOAD):
            self._refuse(m, front, isa.ErrorCode.BAD_OPCODE)
        with m.Else():
            self._forward(m, front, load=1)

    def _check(
        self, m: Module, *, front: PartInstance, bodies: dict[isa.Opcode, PartInstance]
    ) -> None:
        """Forward a complete packet as soon as it can be taken; refuse an END before a STORE."""
        stored = Signal()
        opcode = front.packet[:OPCODE_BITS]
        rooms = {
            isa.Opcode.TILE: self.loads.tile.room,
            isa.Opcode.TAPS: self.loads.taps.room,
            isa.Opcode.TABLE: self.loads.table.room,
        }
        if self._floats_loader:
            rooms[isa.Opcode.FLOATS] = self.loads.floats.room
        with m.Switch(opcode):
            for code, room in rooms.items():
                with m.Case(code):
                    elsewhere = ~view(code, front.packet, self._arch).cores[: self._arch.cores]
                    begins = (room | elsewhere).all()
                    m.d.comb += [bodies[code].start.eq(begins), front.body.eq(begins)]
            with m.Default():
                with m.If((opcode == isa.Opcode.END) & ~stored):
                    self._refuse(m, front, isa.ErrorCode.NOT_STORED)
                with m.Else():
                    self._forward(m, front, load=opcode == isa.Opcode.LOAD)
                    m.d.comb += front.stop.eq(self.instruction.ready & (opcode == isa.Opcode.END))
        with m.If(self.instruction.valid & (opcode == isa.Opcode.STORE)):
            m.d.sync += stored.eq(1)

    def _forward(self, m: Module, front: PartInstance, *, load: Value | int) -> None:
        """Send an instruction to the sequencer; the data of a LOAD follow it."""
        m.d.comb += self.instruction.valid.eq(1)
        with m.If(self.instruction.ready):
            m.d.comb += [front.body.eq(load), front.recount.eq(load), front.next.eq(1)]

    def _refuse(self, m: Module, front: PartInstance, code: isa.ErrorCode) -> None:
        """Report an error and stop taking beats."""
        m.d.comb += [self.error.eq(code), front.stop.eq(1)]


def view(opcode: isa.Opcode, words: Value, arch: Arch) -> data.View:
    """Return the fields of a packet."""
    layout = packet(opcode, arch)
    return data.View(layout, words[: layout.size])
