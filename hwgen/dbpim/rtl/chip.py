"""The DB-PIM chip: registers, memory port, loader, sequencer and cores."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, View
from amaranth.lib.wiring import Out

from hwgen.chip.registers import ADDRESS_BITS
from hwgen.chip.rtl.part import PartInstance
from hwgen.chip.rtl.shell import Engine, Host, Shell, ShellFacts
from hwgen.chip.rtl.supervisor import SupervisorErrors
from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, Arch
from hwgen.dbpim.facts.registers import REGISTERS
from hwgen.dbpim.facts.timing import BURST_BEATS, WATCHDOG_CYCLES
from hwgen.dbpim.rtl.core import Core
from hwgen.dbpim.rtl.core_events import core_pulses
from hwgen.dbpim.rtl.following_core import FollowingCore
from hwgen.dbpim.rtl.layouts import ERROR_BITS, bus_writes, packet, vector_write
from hwgen.dbpim.rtl.load_bus import fan_out
from hwgen.dbpim.rtl.loader import Loader
from hwgen.dbpim.rtl.logit_buffer import LogitBuffer
from hwgen.dbpim.rtl.sequencer import Sequencer
from hwgen.dbpim.rtl.write_bus import WriteBus

PROGRESS = ("unit", "beat", "word", "retirement")
"""Progress sources of the watchdog; any one is enough: a unit computes, the loader takes a beat,
a result is written, an instruction retires."""


def shell_facts(arch: Arch) -> ShellFacts:
    """Return tables and sizes for the shell."""
    return ShellFacts(
        registers=REGISTERS,
        id_word=arch.id_word,
        version=isa.VERSION,
        address_bits=ADDRESS_BITS,
        error_bits=ERROR_BITS,
        errors=SupervisorErrors.among(isa.ErrorCode),
        watchdog_cycles=WATCHDOG_CYCLES,
        progress=PROGRESS,
        port_bits=arch.port_bits,
        fifo_beats=arch.read_ahead_beats,
        burst_beats=BURST_BEATS,
        word_bits=ACCUMULATOR_BITS,
        count_bits=packet(isa.Opcode.STORE, arch)["words"].width,
        entries=arch.logit_entries,
        rows=True,
        resets_data=arch.resets_data,
    )


class Chip(Shell):
    """Runs a program on its images and writes the answers: memory in, memory out.

    A host writes the addresses of program, images, answers and scratch space, starts, and waits
    until `busy` falls.

    Ports
        registers  out  AXI4-Lite subordinate, 32 bits of data
        memory     out  AXI4 manager, 64-bit addresses, port_bits of data, INCR bursts
        irq        out  an interrupt, level: a run has ended and the host has enabled it
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
        self._arch = arch
        self._loader = Loader(arch=arch)
        self._sequencer = Sequencer(arch=arch)
        self._write_bus = WriteBus(arch=arch)
        self._logit_buffer = LogitBuffer(arch=arch)
        self._core = Core(arch=arch)
        parts = [self._loader, self._sequencer, self._write_bus, self._logit_buffer, self._core]
        # On a chip with one stream of words core 0 reads them for all others.
        self._following = FollowingCore(arch=arch) if arch.cores > arch.simd_units else None
        parts += [self._following] if self._following else []
        trace = {
            "write_valid": Out(arch.bus_words),
            "write": Out(bus_writes(arch)),
            "private_valid": Out(arch.cores),
            "private_write": Out(ArrayLayout(vector_write(arch), arch.cores)),
            "retire": Out(1),
            "running": Out(1),
            "events": Out(ArrayLayout(core_pulses(arch), arch.cores)),
        }
        super().__init__(shell_facts(arch), parts=parts, trace=wiring.Signature(trace))

    def engine(self, m: Module, host: Host) -> Engine:
        registers, running = host.registers, host.supervisor.running
        loader = self.in_engine(m, "loader", self._loader)
        sequencer = self.in_engine(m, "sequencer", self._sequencer)
        bus = self.in_engine(m, "write_bus", self._write_bus)
        cores = self._place_cores(m)
        self._connect_sequencer(
            m, sequencer=sequencer, loader=loader, cores=cores, position=registers.position
        )
        self._connect_bus(m, bus=bus, loader=loader, cores=cores)
        self._connect_logits(
            m, sequencer=sequencer, bus=bus, writer=host.writer, registers=registers
        )
        self._connect_trace(m, sequencer=sequencer, bus=bus, cores=cores)
        fan_out(m, loader.loads, [core.loads for core in cores])
        m.d.comb += [
            loader.run.eq(running),
            self.trace.running.eq(running),
            loader.program_address.eq(registers.program_address),
            loader.image_address.eq(registers.image_address),
            loader.scratch_address.eq(registers.scratch_address),
            loader.position.eq(registers.position),
        ]
        computes = Cat(core.computes for core in cores).any()
        # END leaves the sequencer three cycles behind its beat.
        damaged = sequencer.finished & ~loader.fits
        return Engine(
            loader=loader,
            finished=sequencer.finished & loader.fits,
            error=Mux(damaged, isa.ErrorCode.DAMAGED_PROGRAM, loader.error),
            retire=sequencer.retire,
            computes=computes,
            waits_for_load=sequencer.waiting | Cat(core.waits_for_load for core in cores).any(),
            progress={
                "unit": computes,
                "beat": loader.beats.valid & loader.beats.ready,
                "word": bus.write_valid.any() | self.trace.private_valid.any(),
                "retirement": sequencer.retire,
            },
        )

    def _place_cores(self, m: Module) -> list[PartInstance]:
        """Place the cores; with one stream of words, no core begins one that another cannot take.

        With such a stream core 0 walks as long as any core does, and reads what all of them need.
        """
        leading = self._arch.simd_units
        cores = [
            self.in_engine(m, f"core_{index}", part)
            for index, part in enumerate(
                [self._core] * leading + [self._following] * (self._arch.cores - leading)
            )
            if part is not None
        ]
        if self._arch.shares_stream:
            held = Cat(core.blocks for core in cores).any()
            m.d.comb += [core.hold.eq(held) for core in cores]
            m.d.comb += [core.stream.eq(cores[0].stream) for core in cores[1:]]
        return cores

    def _connect_trace(
        self, m: Module, *, sequencer: PartInstance, bus: PartInstance, cores: list[PartInstance]
    ) -> None:
        """Show benches what is written and when steps retire."""
        leading = cores[: self._arch.simd_units]
        m.d.comb += [
            self.trace.write_valid.eq(bus.write_valid),
            self.trace.write.eq(bus.write),
            self.trace.private_valid.eq(Cat(core.private_valid for core in leading)),
            self.trace.retire.eq(sequencer.retire),
        ]
        for index, core in enumerate(leading):
            m.d.comb += self.trace.private_write[index].eq(core.private_write)
        for index, core in enumerate(cores):
            m.d.comb += self.trace.events[index].eq(core.pulses)

    def _connect_sequencer(
        self,
        m: Module,
        *,
        sequencer: PartInstance,
        loader: PartInstance,
        cores: list[PartInstance],
        position: Value,
    ) -> None:
        """Connect the sequencer to loader and cores: instruction, start pulses and idle flags."""
        wiring.connect(m, loader.instruction, sequencer.instructions)
        instruction = Signal(packet(isa.Opcode.SIMD, self._arch), name="instruction")
        m.d.comb += instruction.eq(sequencer.instruction)
        if self._arch.row_unit:
            self._add_position(m, sequencer.instruction, instruction, position)
        simd_units = self._arch.simd_units
        m.d.comb += [
            loader.load_go.eq(sequencer.load),
            sequencer.loaded.eq(loader.load_done),
            sequencer.idle.eq(Cat(core.idle for core in cores)),
        ]
        for index, core in enumerate(cores):
            m.d.comb += [
                core.go.eq(sequencer.go[index]),
                *([core.go_simd.eq(sequencer.go_simd[index])] if index < simd_units else []),
                core.finish.eq(sequencer.retire),
                core.instruction.eq(instruction.as_value()[: core.instruction.shape().size]),
                core.work.eq(sequencer.work[index]),
            ]

    def _add_position(self, m: Module, given: View, instruction: View, position: Value) -> None:
        """Count the keys of earlier calls in a softmax that says so."""
        causal = (given.opcode == isa.Opcode.SIMD) & (given.operation == isa.Operation.SOFTMAX)
        keys = slice(isa.KEYS_PLACE, isa.KEYS_BY_PIXEL)
        with m.If(causal & given.bias[isa.KEYS_BY_POSITION]):
            m.d.comb += instruction.bias[keys].eq(given.bias[keys] + position)

    def _connect_bus(
        self, m: Module, *, bus: PartInstance, loader: PartInstance, cores: list[PartInstance]
    ) -> None:
        """Connect the write bus: results and loaded maps go to the buffers of all cores."""
        m.d.comb += [bus.image_valid.eq(loader.load_valid), bus.image.eq(loader.load)]
        for index, core in enumerate(cores):
            wiring.connect(m, core.request, bus.requests[index])
        for core in cores[: self._arch.simd_units]:
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
        scratch = fields.space == isa.Space.SCRATCH
        base = Mux(scratch, registers.scratch_address, registers.logits_address)
        m.d.comb += [
            logits.write_valid.eq(bus.write_valid[0]),
            logits.write.eq(bus.write[0]),
            logits.read_index.eq(writer.read_index),
            writer.read_data.eq(logits.read_data),
            writer.start.eq(sequencer.store),
            writer.words.eq(fields.words),
            writer.row_pitch.eq(fields.row_pitch),
            writer.row_words.eq(fields.row_words),
            writer.index.eq(fields.index[beat_entries.bit_length() - 1 :]),
            writer.address.eq(
                base + fields.offset + Mux(fields.at_position, registers.position_bytes, 0)
            ),
            sequencer.stored.eq(writer.done),
        ]
