"""Eltwise: two maps are added, each with its zero point and factor."""

from amaranth.hdl import Cat, ClockSignal, Module, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.sums import Sums
from hwgen.network.quantization import MULTIPLIER_BITS


def operands(bits: int) -> data.StructLayout:
    """What is loaded for an addition: zero points and factors by position."""
    return data.StructLayout(
        {
            "zero_a": bits,
            "multiplier_a": MULTIPLIER_BITS,
            "zero_b": bits,
            "multiplier_b": MULTIPLIER_BITS,
        }
    )


class Eltwise(Part):
    """Adds the elements of two blocks.

    ``sum = (a - za) * Ma + (b - zb) * Mb``

    Parameters
    ----------
        elements  of the longest block
        lanes     elements of a clock, a power of two that divides a word
        word      elements of a word; bits: of an element
        reads     sums that are read in a clock
    Ports
        go          in   1           the strobe
        half        in   1           parity of the block, valid with it
        operands    in   operands    constant while anything runs
        kept_index  out  index_bits  word of both blocks, see `BlockReader`
        kept_half   out  1
        kept_a      in   word x bits in the same cycle
        kept_b      in   word x bits
        read_index, read_half, read_data    see `Addition`
        added       in   1           the strobe of what reads the sums
        added_half  in   1           parity of its block, valid with it
        late        out  1           ``go`` before the block before is through, or ``added``
                                     before its own is
    Latency  1 from ``go`` to the first elements, 2 from there to their sums
    Rate     ``lanes`` elements in each cycle
    Errors   ``late``
    Golden   ``golden.ops.add``
    Source   docs/crossbar-rules.md: vector units; formula in ``hwgen.network.quantization``
    """

    family = "crossbar"

    def __init__(self, *, elements: int, lanes: int, word: int, bits: int, reads: int) -> None:
        self._elements, self._lanes, self._word, self._bits = elements, lanes, word, bits
        self._reads = reads
        self._sum_bits = eltwise_bits(bits)
        self._sums = Sums(targets=elements, bits=self._sum_bits, lanes=lanes, reads=reads)
        self.parts = [self._sums]
        self._target_bits = bits_for_index(elements)
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "operands": In(operands(bits)),
                "added": In(1),
                "added_half": In(1),
                "kept_index": Out(bits_for_index(-(-elements // word))),
                "kept_half": Out(1),
                "kept_a": In(word * bits),
                "kept_b": In(word * bits),
                "read_index": In(reads * self._target_bits),
                "read_half": In(1),
                "read_data": Out(reads * self._sum_bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._elements}l{self._lanes}x{self._bits}r{self._reads}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sums = sums = self._sums.instance()
        lanes, bits, width = self._lanes, self._bits, self._sum_bits
        parts = self._word // lanes
        busy, first = Signal(), Signal(range(self._elements + lanes))
        last = first + lanes >= self._elements
        shift, lane_bits = self._word.bit_length() - 1, lanes.bit_length() - 1
        with m.If(busy):
            m.d.sync += [first.eq(first + lanes), busy.eq(~last)]
        with m.If(self.go):
            m.d.sync += [busy.eq(1), first.eq(0), self.kept_half.eq(self.half)]
        place = first[lane_bits:shift] if parts > 1 else first[:1]
        rows = []
        for name, word in (("a", self.kept_a), ("b", self.kept_b)):
            row = Signal(lanes * bits, name=f"row_{name}")
            chosen = choose([word.word_select(k, lanes * bits) for k in range(parts)], place)
            m.d.sync += row.eq(chosen)
            rows.append(row)
        valid, target, half = Signal(), Signal.like(first), Signal()
        m.d.sync += [valid.eq(busy), target.eq(first), half.eq(self.kept_half)]
        early = self.added & (self.added_half == self.kept_half)
        m.d.comb += [
            self.late.eq(busy & ((self.go & ~last) | early)),
            self.kept_index.eq(first >> shift),
            sums.clk.eq(ClockSignal()),
            self.read_data.eq(sums.read_data),
        ]
        own = self.operands
        for lane in range(lanes):
            a, b = (row.word_select(lane, bits) for row in rows)
            total = Signal(signed(width), name=f"total_{lane}")
            index = (target + lane)[: self._target_bits]
            m.d.comb += [
                total.eq((a - own.zero_a) * own.multiplier_a + (b - own.zero_b) * own.multiplier_b),
                sums.en[lane].eq(valid & (target + lane < self._elements)),
                sums.index.word_select(lane, self._target_bits + 1).eq(Cat(index, half)),
                sums.data.word_select(lane, width).eq(total),
            ]
        for read in range(self._reads):
            index = self.read_index.word_select(read, self._target_bits)
            m.d.comb += sums.read_index.word_select(read, self._target_bits + 1).eq(
                Cat(index, self.read_half)
            )
        return m


def eltwise_bits(bits: int) -> int:
    """Return the bits of a signed sum of two scaled elements."""
    return bits + 1 + MULTIPLIER_BITS + 1
