"""What feeds the macros of a core without a switch: each word of the fetcher is a group."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.layouts import fetched_word, queue_head


class DirectFeed(Part):
    """Offers the oldest word to each macro until all of them have left it; it stores no byte.

    ``heads[m] = word m``, valid until macro m leaves it

    Ports
        word          in   fetched_word     the oldest fetched word, C bytes for each macro
        word_valid    in   1
        word_release  out  1                the last macro leaves: the word leaves its slot now
        heads         out  M of queue_head  the group of each macro
        head_valid    out  M                bit m: macro m has not left the word
        leave         in   M                bit m: macro m is done with its head (only if valid)
    Latency  0 from ``word`` to ``heads``
    Rate     one word in each cycle, if all macros leave it in its first one
    Errors   none
    Golden   the words themselves
    Source   seed 002, VI: the dense baseline, "by removing all sparsity support"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        macros = arch.macros_per_core
        super().__init__(
            {
                "word": In(fetched_word(arch)),
                "word_valid": In(1),
                "word_release": Out(1),
                "heads": Out(data.ArrayLayout(queue_head(arch), macros)),
                "head_valid": Out(macros),
                "leave": In(macros),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(self._arch.macros_per_core)
        m.d.comb += [
            self.head_valid.eq(Mux(self.word_valid, ~left, 0)),
            self.word_release.eq(self.word_valid & (left | self.leave).all()),
        ]
        m.d.sync += left.eq(Mux(self.word_release, 0, left | self.leave))
        for macro in range(self._arch.macros_per_core):
            head = self.heads[macro]
            m.d.comb += [
                head.bytes.eq(self.word.bytes[macro]),
                head.tag.eq(self.word.tag),
                head.position.eq(self.word.positions[macro]),
            ]
        return m
