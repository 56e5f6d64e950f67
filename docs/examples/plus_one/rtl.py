"""Generators: an engine of one part, and the chip around it."""

from amaranth.hdl import Cat, ClockSignal, Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.read_engine import read_command
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.rtl.shell import Engine, Host, Shell, ShellFacts
from hwgen.chip.rtl.supervisor import SupervisorErrors
from plus_one import facts
from plus_one.facts import Arch

COUNT_BITS = 16


def beats_of(arch: Arch) -> int:
    """Return the beats of the buffer of answers."""
    return arch.entries * facts.WORD_BITS // arch.port_bits


class Adder(Part):
    """Asks for ``words`` words once, and shows each beat with ``amount`` added to its words.

    Ports
        address, words, amount  in   of the run
        command                 out  stream  read_command
        beats                   in   stream  port_bits
        sums                    out  port_bits, with ``index`` in the cycle of a beat
        full                    out  1       after the last beat, until the end of the run
    """

    family = "adder"

    def __init__(self, *, arch: Arch) -> None:
        self._lanes = arch.port_bits // facts.WORD_BITS
        super().__init__(
            {
                "address": In(64),
                "words": In(COUNT_BITS),
                "amount": In(facts.WORD_BITS),
                "command": Out(stream.Signature(read_command())),
                "beats": In(stream.Signature(arch.port_bits)),
                "sums": Out(arch.port_bits),
                "index": Out(range(beats_of(arch))),
                "full": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Held in reset while nothing runs, a part must ask for nothing.
        runs, asked, beats, count = Signal(), Signal(), Signal(COUNT_BITS), Signal(COUNT_BITS)
        m.d.sync += runs.eq(1)
        words = [self.beats.payload.word_select(n, facts.WORD_BITS) for n in range(self._lanes)]
        m.d.comb += [
            beats.eq((self.words + (self._lanes - 1)) >> (self._lanes.bit_length() - 1)),
            self.command.valid.eq(runs & ~asked),
            self.command.payload.address.eq(self.address),
            self.command.payload.beats.eq(beats),
            self.beats.ready.eq(runs),
            self.sums.eq(Cat((word + self.amount)[: facts.WORD_BITS] for word in words)),
            self.index.eq(count),
            self.full.eq(asked & (count == beats)),
        ]
        with m.If(self.command.valid & self.command.ready):
            m.d.sync += asked.eq(1)
        with m.If(self.beats.valid & self.beats.ready):
            m.d.sync += count.eq(count + 1)
        return m


class Chip(Shell):
    """Adds `amount` to words of the memory: memory in, memory out."""

    family = "adder"

    def __init__(self, *, arch: Arch) -> None:
        self._adder = Adder(arch=arch)
        self._answers = RegisterFile(family=self.family, depth=beats_of(arch), width=arch.port_bits)
        shell = ShellFacts(
            registers=facts.REGISTERS,
            id_word=int(arch.digest[:8], 16),
            version=facts.VERSION,
            address_bits=facts.ADDRESS_BITS,
            error_bits=facts.ERROR_BITS,
            errors=SupervisorErrors(
                read=facts.READ_ERROR, write=facts.WRITE_ERROR, stalled=facts.STALLED
            ),
            watchdog_cycles=1 << 16,
            progress=("beat",),
            port_bits=arch.port_bits,
            fifo_beats=32,
            burst_beats=16,
            word_bits=facts.WORD_BITS,
            count_bits=COUNT_BITS,
            entries=arch.entries,
        )
        trace = {"running": 1, "retire": 1, "adds": 1}
        super().__init__(shell, parts=[self._adder, self._answers], trace=data.StructLayout(trace))

    def engine(self, m: Module, host: Host) -> Engine:
        adder = self.in_engine(m, "adder", self._adder)
        m.submodules.answers = answers = self._answers.instance()
        registers, writer = host.registers, host.writer
        full_before = Signal()
        m.d.sync += full_before.eq(adder.full)
        m.d.comb += [
            adder.address.eq(registers.source_address),
            adder.words.eq(registers.words[:COUNT_BITS]),
            adder.amount.eq(registers.amount),
            answers.clk.eq(ClockSignal()),
            answers.write_en.eq(adder.beats.valid),
            answers.write_index.eq(adder.index),
            answers.write_data.eq(adder.sums),
            answers.read_index.eq(writer.read_index),
            writer.read_data.eq(answers.read_data),
            writer.start.eq(adder.full & ~full_before),
            writer.words.eq(registers.words),
            writer.index.eq(0),
            writer.address.eq(registers.answer_address),
            self.trace.running.eq(host.supervisor.running),
            self.trace.retire.eq(writer.done),
            self.trace.adds.eq(adder.beats.valid),
        ]
        return Engine(
            loader=adder,
            finished=writer.done,
            error=Signal(facts.ERROR_BITS),
            retire=writer.done,
            computes=adder.beats.valid,
            waits_for_load=~adder.full,
            progress={"beat": adder.beats.valid},
        )


def make_chip(arch: Arch) -> Chip:
    """Return the chip of an architecture, for `hwgen build`."""
    return Chip(arch=arch)
