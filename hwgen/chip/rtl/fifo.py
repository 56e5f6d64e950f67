"""A first-in first-out queue."""

from amaranth.hdl import ClockSignal, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds_payload, in_range, must, neither_over_nor_under
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.rtl.shared import SharedPart


class Fifo(SharedPart):
    """A queue of ``depth`` words.

    Parameters
    ----------
        family  prefix of the module name
        depth   words that the queue holds, a power of two above 1
        width   bits of a word
    Ports
        input   stream in   width  taken while the queue holds fewer than ``depth`` words
        output  stream out  width  the oldest word
        flush   in          1      drop all words, and the one that is written in this cycle
    Latency  1 cycle from ``input`` to ``output``
    Rate     one write and one read in each cycle; a full queue takes no word, even if one is
             read in the same cycle
    Errors   ValueError for a depth that is no power of two above 1
    Golden   the words in their order
    Source   docs/dbpim-microarchitecture.md, "Memory side" and "Layer barrier"
    """

    def __init__(self, *, family: str, depth: int, width: int) -> None:
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two above 1, got {depth}")
        self._depth = depth
        self._width = width
        self._words = RegisterFile(family=family, depth=depth, width=width)
        self.parts = [self._words]
        super().__init__(
            {
                "input": In(stream.Signature(width)),
                "output": Out(stream.Signature(width)),
                "flush": In(1),
            },
            family=family,
        )

    @property
    def size_suffix(self) -> str:
        """Depth and width, such as "64x128"."""
        return f"{self._depth}x{self._width}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = self._words.instance()
        level = Signal(range(self._depth + 1))
        write_index, read_index = Signal(range(self._depth)), Signal(range(self._depth))
        into = self.input.valid & self.input.ready
        out_of = self.output.valid & self.output.ready
        m.d.comb += [
            self.input.ready.eq(level != self._depth),
            self.output.valid.eq(level != 0),
            self.output.payload.eq(words.read_data),
            words.clk.eq(ClockSignal()),
            words.write_en.eq(into),
            words.write_index.eq(write_index),
            words.write_data.eq(self.input.payload),
            words.read_index.eq(read_index),
        ]
        m.d.sync += [
            level.eq(level + into - out_of),
            write_index.eq(write_index + into),
            read_index.eq(read_index + out_of),
        ]
        with m.If(self.flush):
            m.d.sync += [level.eq(0), write_index.eq(0), read_index.eq(0)]
        depth = self._depth
        neither_over_nor_under(m, "the queue", level=level, depth=depth, into=into, out_of=out_of)
        in_range(m, "level", level, depth)
        behind = (write_index - read_index)[: len(read_index)] == level[: len(read_index)]
        must(m, behind, "write_index must be in its range behind read_index")
        holds_payload(m, "output", self.output, unless=self.flush)
        return m
