"""The DB-PIM chip: registers, memory port, loader, sequencer and cores."""

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Module,
    Mux,
    ResetSignal,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Out

from hwgen.chip.rtl import axi
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.rtl.read_engine import ReadEngine
from hwgen.chip.rtl.registers import Registers
from hwgen.chip.rtl.supervisor import Supervisor, SupervisorErrors
from hwgen.chip.rtl.write_engine import WriteEngine
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, Arch
from hwgen.dbpim.facts.instructions import VERSION, ErrorCode, Opcode, Space
from hwgen.dbpim.facts.registers import ADDRESS_BITS, REGISTERS
from hwgen.dbpim.facts.timing import BURST_BEATS, WATCHDOG_CYCLES
from hwgen.dbpim.rtl.core import Core
from hwgen.dbpim.rtl.core_events import core_pulses
from hwgen.dbpim.rtl.layouts import ERROR_BITS, bus_writes, packet, vector_write
from hwgen.dbpim.rtl.loader import Loader
from hwgen.dbpim.rtl.logit_buffer import LogitBuffer
from hwgen.dbpim.rtl.sequencer import Sequencer
from hwgen.dbpim.rtl.write_bus import WriteBus
from hwgen.errors import DesignError

PROGRESS = ("unit", "beat", "word", "retirement", "read", "write")
"""Progress sources of the watchdog; any one is enough: a unit computes, the loader takes a beat,
a result is written, an instruction retires, memory is read or written."""

ROOMS = ("tile_room", "taps_room", "table_room")
SHARED = (
    *("tile_header", "mask_data", "parameters_index", "parameters_data", "row_cells", "row_meta"),
    *("taps_parameters_index", "taps_parameters_data", "taps_index", "taps_data"),
    *("table_index", "table_data"),
)
STROBES = (
    *("tile_begin", "mask_write", "tile_push", "parameters_write", "row_write"),
    *("taps_begin", "taps_parameters_write", "taps_write", "taps_push"),
    *("table_write", "table_push"),
)
"""Ports between the loader and each core, of the same names on both sides."""


class Chip(Part):
    """Runs a program on its images and writes the answers: memory in, memory out.

    A host writes the addresses of program, images, answers and scratch space, starts, and waits
    until `busy` falls.

    Ports
        registers  out  AXI4-Lite subordinate, 32 bits of data
        memory     out  AXI4 manager, 64-bit addresses, port_bits of data, INCR bursts
        trace      out  for benches only: ``write_valid`` and ``write`` of the write bus,
                        ``private_valid`` and ``private_write`` of each core (results for its own
                        banks), ``retire`` (a step is over), ``running``, ``events`` of each core
    Latency  the cycles that ``hwgen.dbpim.model`` predicts, for the memory that it assumes
    Rate     one program at a time
    Errors   ErrorCode in the register `error`; the chip then stops and can be started again
    Golden   ``golden.network``
    Source   seed 002, Fig. 6; docs/dbpim-microarchitecture.md
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        if arch.shares_stream:
            raise DesignError(
                f"input_streams of chip {arch.name} must be own for Verilog, got shared, which only"
                " the cycle model has"
            )
        self._arch = arch
        self._make_host_side(arch)
        self._loader = Loader(arch=arch)
        self._sequencer = Sequencer(arch=arch)
        self._write_bus = WriteBus(arch=arch)
        self._logit_buffer = LogitBuffer(arch=arch)
        self._core = Core(arch=arch)
        self.parts = [self._registers, self._supervisor, self._read_engine, self._write_engine]
        self.parts += [self._loader, self._sequencer, self._write_bus, self._logit_buffer]
        self.parts += [self._core]
        memory = {**axi.read_manager(arch.port_bits), **axi.write_manager(arch.port_bits)}
        trace = {
            "write_valid": Out(arch.bus_words),
            "write": Out(bus_writes(arch)),
            "private_valid": Out(arch.cores),
            "private_write": Out(ArrayLayout(vector_write(arch), arch.cores)),
            "retire": Out(1),
            "running": Out(1),
            "events": Out(ArrayLayout(core_pulses(arch), arch.cores)),
        }
        super().__init__(
            {
                "registers": Out(wiring.Signature(axi.lite_subordinate(ADDRESS_BITS))),
                "memory": Out(wiring.Signature(memory)),
                "trace": Out(wiring.Signature(trace)),
            }
        )

    def _make_host_side(self, arch: Arch) -> None:
        """Make the shared parts, with the tables and sizes of this family."""
        self._registers = Registers(
            family=self.family,
            table=REGISTERS,
            constants={"id": arch.id_word, "version": VERSION},
            address_bits=ADDRESS_BITS,
            error_bits=ERROR_BITS,
        )
        self._supervisor = Supervisor(
            family=self.family,
            errors=SupervisorErrors(
                read=ErrorCode.READ_ERROR, write=ErrorCode.WRITE_ERROR, stalled=ErrorCode.STALLED
            ),
            error_bits=ERROR_BITS,
            watchdog_cycles=WATCHDOG_CYCLES,
            progress_sources=len(PROGRESS),
        )
        self._read_engine = ReadEngine(
            family=self.family,
            port_bits=arch.port_bits,
            fifo_beats=arch.read_ahead_beats,
            burst_beats=BURST_BEATS,
        )
        self._write_engine = WriteEngine(
            family=self.family,
            port_bits=arch.port_bits,
            burst_beats=BURST_BEATS,
            word_bits=ACCUMULATOR_BITS,
            count_bits=packet(Opcode.STORE)["words"].width,
            entries=arch.logit_entries,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.engine = engine_clock = ClockDomain(local=True)
        m.submodules.registers = registers = self._registers.instance()
        m.submodules.supervisor = supervisor = self._supervisor.instance()
        m.submodules.read_engine = reader = self._read_engine.instance()
        m.submodules.write_engine = writer = self._write_engine.instance()
        loader = self._in_engine(m, "loader", self._loader)
        sequencer = self._in_engine(m, "sequencer", self._sequencer)
        bus = self._in_engine(m, "write_bus", self._write_bus)
        cores = [
            self._in_engine(m, f"core_{index}", self._core) for index in range(self._arch.cores)
        ]
        m.d.comb += [
            engine_clock.clk.eq(ClockSignal()),
            engine_clock.rst.eq(ResetSignal() | ~supervisor.running),
        ]
        self._connect_host(m, registers=registers, supervisor=supervisor)
        self._connect_memory(m, reader=reader, writer=writer, supervisor=supervisor)
        self._connect_loader(m, loader=loader, reader=reader, registers=registers)
        self._connect_sequencer(m, sequencer=sequencer, loader=loader, cores=cores)
        self._connect_bus(m, bus=bus, loader=loader, cores=cores)
        self._connect_logits(m, sequencer=sequencer, bus=bus, writer=writer, registers=registers)
        self._connect_trace(m, sequencer=sequencer, bus=bus, cores=cores)
        self._load_cores(m, loader=loader, cores=cores)
        computes = Cat(core.computes for core in cores).any()
        progress = {
            "unit": computes,
            "beat": loader.beats.valid & loader.beats.ready,
            "word": bus.write_valid.any() | self.trace.private_valid.any(),
            "retirement": sequencer.retire,
            "read": reader.taken,
            "write": writer.taken,
        }
        m.d.comb += [
            loader.run.eq(supervisor.running),
            supervisor.finished.eq(sequencer.finished),
            supervisor.loader_error.eq(loader.error),
            supervisor.retire.eq(sequencer.retire),
            supervisor.computes.eq(computes),
            supervisor.waits_for_load.eq(
                sequencer.waiting | Cat(core.waits_for_load for core in cores).any()
            ),
            supervisor.progress.eq(Cat(progress[name] for name in PROGRESS)),
            self.trace.running.eq(supervisor.running),
        ]
        return m

    def _connect_trace(
        self, m: Module, *, sequencer: PartInstance, bus: PartInstance, cores: list[PartInstance]
    ) -> None:
        """Show benches what is written and when steps retire."""
        m.d.comb += [
            self.trace.write_valid.eq(bus.write_valid),
            self.trace.write.eq(bus.write),
            self.trace.private_valid.eq(Cat(core.private_valid for core in cores)),
            self.trace.retire.eq(sequencer.retire),
        ]
        for index, core in enumerate(cores):
            m.d.comb += [
                self.trace.private_write[index].eq(core.private_write),
                self.trace.events[index].eq(core.pulses),
            ]

    def _in_engine(self, m: Module, name: str, part: Part) -> PartInstance:
        """Place a part that is held in reset while no program runs."""
        instance = part.instance()
        m.submodules[name] = DomainRenamer("engine")(instance)
        return instance

    def _connect_host(
        self, m: Module, *, registers: PartInstance, supervisor: PartInstance
    ) -> None:
        """Connect the host's registers: start, status and counters."""
        wiring.connect(m, wiring.flipped(self.registers), registers.bus)
        m.d.comb += supervisor.start.eq(registers.start)
        for name in ("busy", "done", "error", "cycles", "load_cycles", "layers"):
            m.d.comb += getattr(registers, name).eq(getattr(supervisor, name))

    def _connect_memory(
        self, m: Module, *, reader: PartInstance, writer: PartInstance, supervisor: PartInstance
    ) -> None:
        """Join both halves of the memory port."""
        for engine in (reader, writer):
            for name, member in engine.memory.signature.members.items():
                ours, theirs = getattr(self.memory, name), getattr(engine.memory, name)
                m.d.comb += ours.eq(theirs) if member.flow == Out else theirs.eq(ours)
            m.d.comb += engine.stop.eq(supervisor.stop)
        m.d.comb += [
            supervisor.read_error.eq(reader.error),
            supervisor.write_error.eq(writer.error),
            supervisor.memory_idle.eq(reader.idle & writer.idle),
        ]

    def _connect_loader(
        self, m: Module, *, loader: PartInstance, reader: PartInstance, registers: PartInstance
    ) -> None:
        """Connect the loader to the read engine: commands and beats."""
        wiring.connect(m, loader.command, reader.command)
        wiring.connect(m, reader.beats, loader.beats)
        m.d.comb += [
            loader.program_address.eq(registers.program_address),
            loader.image_address.eq(registers.image_address),
            loader.scratch_address.eq(registers.scratch_address),
        ]

    def _connect_sequencer(
        self, m: Module, *, sequencer: PartInstance, loader: PartInstance, cores: list[PartInstance]
    ) -> None:
        """Connect the sequencer to loader and cores: instruction, start pulses and idle flags."""
        wiring.connect(m, loader.instruction, sequencer.instructions)
        m.d.comb += [
            loader.load_go.eq(sequencer.load),
            sequencer.loaded.eq(loader.load_done),
            sequencer.idle.eq(Cat(core.idle for core in cores)),
        ]
        for index, core in enumerate(cores):
            m.d.comb += [
                core.go.eq(sequencer.go[index]),
                core.go_simd.eq(sequencer.go_simd[index]),
                core.finish.eq(sequencer.retire),
                core.instruction.eq(sequencer.instruction),
                core.work.eq(sequencer.work[index]),
            ]

    def _connect_bus(
        self, m: Module, *, bus: PartInstance, loader: PartInstance, cores: list[PartInstance]
    ) -> None:
        """Connect the write bus: results and loaded maps go to the buffers of all cores."""
        m.d.comb += [bus.image_valid.eq(loader.load_valid), bus.image.eq(loader.load)]
        for index, core in enumerate(cores):
            wiring.connect(m, core.request, bus.requests[index])
            m.d.comb += [core.write_valid.eq(bus.write_valid), core.write.eq(bus.write)]

    def _connect_logits(
        self,
        m: Module,
        *,
        sequencer: PartInstance,
        bus: PartInstance,
        writer: PartInstance,
        registers: PartInstance,
    ) -> None:
        """Connect the logit buffer between write bus and write engine."""
        m.submodules.logit_buffer = logits = self._logit_buffer.instance()
        fields = sequencer.store_fields
        beat_entries = self._arch.port_bits // ACCUMULATOR_BITS
        scratch = fields.space == Space.SCRATCH
        base = Mux(scratch, registers.scratch_address, registers.logits_address)
        m.d.comb += [
            logits.write_valid.eq(bus.write_valid[0]),
            logits.write.eq(bus.write[0]),
            logits.read_index.eq(writer.read_index),
            writer.read_data.eq(logits.read_data),
            writer.start.eq(sequencer.store),
            writer.words.eq(fields.words),
            writer.index.eq(fields.index[beat_entries.bit_length() - 1 :]),
            writer.address.eq(base + fields.offset),
            sequencer.stored.eq(writer.done),
        ]

    def _load_cores(self, m: Module, *, loader: PartInstance, cores: list[PartInstance]) -> None:
        """Connect the loader to the stores of the cores: common data, strobes of each core."""
        for name in ROOMS:
            m.d.comb += getattr(loader, name).eq(Cat(getattr(core, name) for core in cores))
        for index, core in enumerate(cores):
            for name in SHARED:
                port = Value.cast(getattr(core, name))
                m.d.comb += port.eq(Value.cast(getattr(loader, name)))
            for name in STROBES:
                m.d.comb += getattr(core, name).eq(getattr(loader, name)[index])
