"""The shell of a chip: all that families share between host, memory and their engine.

Tests: `tests/verif/common/test_register_file.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import Cat, ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hwgen.chip.interface import TRACE, ChipInterface
from hwgen.chip.registers import Register
from hwgen.chip.rtl import axi
from hwgen.chip.rtl.part import Part, PartInstance, name_nets
from hwgen.chip.rtl.read_engine import ReadEngine
from hwgen.chip.rtl.registers import Registers
from hwgen.chip.rtl.supervisor import Supervisor, SupervisorErrors
from hwgen.chip.rtl.write_engine import WriteEngine

STATUS = ("busy", "done", "error", "cycles", "load_cycles", "layers")
"""Registers that the supervisor drives."""


@dataclass(frozen=True, kw_only=True)
class ShellFacts:
    """What a family tells its shell.

    registers: the table; id_word, version: values of two of them; errors: codes of the family
    progress: names of the progress sources of an engine; memory is always one
    word_bits, count_bits, entries: of the buffer of answers that the write engine reads; rows:
        whether answers are rows, of which the last words hold nothing
    resets_data: reset reaches all registers, not only those of control
    """

    registers: Sequence[Register]
    id_word: int
    version: int
    address_bits: int
    error_bits: int
    errors: SupervisorErrors
    watchdog_cycles: int
    progress: Sequence[str]
    port_bits: int
    fifo_beats: int
    burst_beats: int
    word_bits: int
    count_bits: int
    entries: int
    rows: bool = False
    resets_data: bool = True


@dataclass(frozen=True, kw_only=True)
class Host:
    """The parts of the shell, as an engine sees them.

    registers: what the host wrote, and ``start``; supervisor: ``running``
    reader: answers commands with beats; writer: stores answers
    """

    registers: PartInstance
    supervisor: PartInstance
    reader: PartInstance
    writer: PartInstance


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What an engine shows its shell, each of one bit unless said otherwise.

    loader: part with ``command`` and ``beats`` of the read engine
    finished: the run is over in this cycle; error: code of an error, 0: none; retire: a step is
        over; computes, waits_for_load: for the load-stall cycles
    progress: by the names of `ShellFacts.progress`; counters: registers that the engine drives
    """

    loader: PartInstance
    finished: Value
    error: Value
    retire: Value
    computes: Value | int
    waits_for_load: Value
    progress: Mapping[str, Value]
    counters: Mapping[str, Value] = field(default_factory=dict)


class Shell(Part):
    """Base of a chip: registers, supervisor and memory port; a family gives `engine`.

    Ports
        registers  out  AXI4-Lite subordinate, 32 bits of data
        memory     out  AXI4 manager, 64-bit addresses, port_bits of data, INCR bursts
        irq        out  an interrupt, level: a run has ended and the host has enabled it
        trace      out  of the family, for benches and simulations only; none if `shows_trace` is
                        false when the chip is converted
    """

    shows_trace: bool = True

    def __init__(self, facts: ShellFacts, *, parts: Sequence[Part], trace: Any) -> None:
        self._facts = facts
        self._registers = Registers(
            family=self.family,
            table=facts.registers,
            constants={"id": facts.id_word, "version": facts.version},
            address_bits=facts.address_bits,
            error_bits=facts.error_bits,
        )
        self._supervisor = Supervisor(
            family=self.family,
            errors=facts.errors,
            error_bits=facts.error_bits,
            watchdog_cycles=facts.watchdog_cycles,
            progress_sources=len(facts.progress) + 2,
        )
        self._read_engine = ReadEngine(
            family=self.family,
            port_bits=facts.port_bits,
            fifo_beats=facts.fifo_beats,
            burst_beats=facts.burst_beats,
        )
        self._write_engine = WriteEngine(
            family=self.family,
            port_bits=facts.port_bits,
            burst_beats=facts.burst_beats,
            word_bits=facts.word_bits,
            count_bits=facts.count_bits,
            entries=facts.entries,
            rows=facts.rows,
        )
        self.parts = [self._registers, self._supervisor, self._read_engine, self._write_engine]
        self.parts += parts
        if not facts.resets_data:
            self.keep_data_from_reset()
        memory = {**axi.read_manager(facts.port_bits), **axi.write_manager(facts.port_bits)}
        super().__init__(
            {
                "registers": Out(wiring.Signature(axi.lite_subordinate(facts.address_bits))),
                "memory": Out(wiring.Signature(memory)),
                "irq": Out(1),
                "trace": Out(trace),
            }
        )

    @property
    def signature(self) -> wiring.Signature:
        """The ports of the chip."""
        every = super().signature
        if self.shows_trace:
            return every
        return wiring.Signature(
            {name: port for name, port in every.members.items() if name != TRACE}
        )

    def interface(self, *, name: str, digest: str, clock_mhz: float) -> ChipInterface:
        """Return what a system sees of the chip; name, digest, clock_mhz: of its architecture."""
        facts = self._facts
        return ChipInterface(
            family=type(self).family,
            prefix=self.family,
            top=self.module_name,
            name=name,
            digest=digest,
            clock_mhz=clock_mhz,
            ports=tuple(self.ports()),
            registers=facts.registers,
            address_bits=facts.address_bits,
            id_word=facts.id_word,
            version=facts.version,
        )

    def engine(self, m: Module, host: Host) -> Engine:
        """Place and connect the parts of the family; return what the shell asks of them."""
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.engine = engine_clock = ClockDomain(local=True)
        m.submodules.registers = registers = self._registers.instance()
        m.submodules.supervisor = supervisor = self._supervisor.instance()
        m.submodules.read_engine = reader = self._read_engine.instance()
        m.submodules.write_engine = writer = self._write_engine.instance()
        m.d.comb += [
            engine_clock.clk.eq(ClockSignal()),
            engine_clock.rst.eq(ResetSignal() | ~supervisor.running),
        ]
        host = Host(registers=registers, supervisor=supervisor, reader=reader, writer=writer)
        engine = self.engine(m, host)
        wiring.connect(m, wiring.flipped(self.registers), registers.bus)
        m.d.comb += self.irq.eq(registers.irq)
        wiring.connect(m, engine.loader.command, reader.command)
        wiring.connect(m, reader.beats, engine.loader.beats)
        counters = {**{name: getattr(supervisor, name) for name in STATUS}, **engine.counters}
        m.d.comb += [getattr(registers, name).eq(value) for name, value in counters.items()]
        self._connect_memory(m, host)
        self._connect_supervisor(m, host, engine)
        return m

    def in_engine(self, m: Module, name: str, part: Part) -> PartInstance:
        """Place a part that is held in reset while nothing runs."""
        instance = part.instance()
        name_nets(instance, name)
        m.submodules[name] = DomainRenamer("engine")(instance)
        return instance

    def _connect_memory(self, m: Module, host: Host) -> None:
        """Join both halves of the memory port."""
        for engine in (host.reader, host.writer):
            for name, member in engine.memory.signature.members.items():
                ours, theirs = getattr(self.memory, name), getattr(engine.memory, name)
                m.d.comb += ours.eq(theirs) if member.flow == Out else theirs.eq(ours)
            m.d.comb += engine.stop.eq(host.supervisor.stop)

    def _connect_supervisor(self, m: Module, host: Host, engine: Engine) -> None:
        """Tell the supervisor what happens."""
        supervisor, reader, writer = host.supervisor, host.reader, host.writer
        moves = [engine.progress[name] for name in self._facts.progress]
        m.d.comb += [
            supervisor.start.eq(host.registers.start),
            supervisor.finished.eq(engine.finished),
            supervisor.loader_error.eq(engine.error),
            supervisor.read_error.eq(reader.error),
            supervisor.write_error.eq(writer.error),
            supervisor.progress.eq(Cat(*moves, reader.taken, writer.taken)),
            supervisor.memory_idle.eq(reader.idle & writer.idle),
            supervisor.memory_answers.eq(reader.answers | ~writer.idle),
            supervisor.retire.eq(engine.retire),
            supervisor.computes.eq(engine.computes),
            supervisor.waits_for_load.eq(engine.waits_for_load),
        ]
