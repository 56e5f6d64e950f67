"""Every way in which a generator gives a signal a name, for the tests of names."""

from itertools import pairwise
from typing import NamedTuple

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part


class Pair(NamedTuple):
    """Two signals."""

    read: Signal
    write: Signal


class Forms(Part):
    """Registers whose names Amaranth's own tracer finds under some versions of Python only."""

    family = "tiny"

    def __init__(self) -> None:
        super().__init__({"in_": In(4), "out": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.second = second = ClockDomain(local=True, reset_less=True)
        m.submodules.words = words = Memory(shape=4, depth=2, init=[])
        m.d.comb += second.clk.eq(ClockSignal())
        write, read = words.write_port(domain="second"), words.read_port(domain="comb")
        alone = Signal(4)
        first, last = Signal(4), Signal(range(16))
        pair = Pair(read=Signal(4), write=Signal.like(last))
        many = [Signal(4) for _ in range(2)]
        self._kept: Signal = Signal(4)
        chained = kept = Signal(4)
        if (asked := Signal(4)) is not None:
            m.d.sync += asked.eq(chained)
        chain = [self.in_, alone, first, last, *pair, *many, self._kept, kept]
        m.d.sync += [after.eq(before) for before, after in pairwise(chain)]
        m.d.comb += [
            write.en.eq(1),
            write.addr.eq(kept[0]),
            write.data.eq(asked),
            read.addr.eq(kept[1]),
            self.out.eq(read.data),
        ]
        return m
