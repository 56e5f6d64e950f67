"""Operands of a product of two maps: the word of map a that is held, and the sums of positions.

Tests: `tests/verif/dbpim/test_simd.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.adder_tree import sum_of
from hwgen.dbpim.rtl.layouts import word_bytes

CENTRED_BITS = ACTIVATION_BITS + 1
PRODUCT_BITS = 2 * CENTRED_BITS
"""Of a product of two bytes without their zero points."""


def position_sum_bits(arch: Arch) -> int:
    """Return the bits of the sum of a position: C products."""
    return PRODUCT_BITS + bits_for_index(arch.word)


class ProductOperands(Part):
    """Holds a word of map a for each position; gives every lane its factor, then its addend.

    A lane multiplies a byte of map b by a byte of map a: that of its own channel (SCORES), or byte
    `pixel` of the held word (VALUES). ``addend[lane]`` is the sum of the products of all C lanes of
    its position in the lane whose channel is `sum_pixel`, and 0 in all others.

    Ports
        hold        in   1                    keep `word` at the end of this cycle
        word        in   M x C bytes          of map a
        zero_point  in   8                    of map a
        scores      in   1                    SCORES, else VALUES
        part        in   index of the part    cycle 0: of the word-vector of map b
        pixel       in   index of C           cycle 0: of map b, its number in its row
        factor      out  lanes x signed 9     cycle 0: a byte of map a without its zero point
        product     in   lanes x signed 18    cycle 1: products of the lanes
        sum_pixel   in   index of C           cycle 1: `pixel` of them
        addend      out  lanes x signed 18 + log2(C)  cycle 1
    Latency  0; 1 cycle from `hold` to `factor`
    Rate     a part in each cycle
    Errors   none
    Golden   ``golden.ops.maps.map_product``
    Source   docs/dbpim-microarchitecture.md, "simd"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        lanes, channel = arch.simd_lanes, bits_for_index(arch.word)
        super().__init__(
            {
                "hold": In(1),
                "word": In(data.ArrayLayout(word_bytes(arch), arch.macros_per_core)),
                "zero_point": In(ACTIVATION_BITS),
                "scores": In(1),
                "part": In(bits_for_index(arch.simd_parts)),
                "pixel": In(channel),
                "factor": Out(data.ArrayLayout(signed(CENTRED_BITS), lanes)),
                "product": In(data.ArrayLayout(signed(PRODUCT_BITS), lanes)),
                "sum_pixel": In(channel),
                "addend": Out(data.ArrayLayout(signed(position_sum_bits(arch)), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        arch = self._arch
        held = Signal.like(self.word, name="held")
        with m.If(self.hold):
            m.d.sync += held.eq(self.word)
        lanes, channels = arch.simd_lanes, arch.word
        alike = [choose(list(word), self.pixel) for word in held]
        for lane in range(lanes):
            firsts = range(lane, lanes * arch.simd_parts, lanes)
            bytes_ = [
                Mux(self.scores, held[at // channels][at % channels], alike[at // channels])
                for at in firsts
            ]
            m.d.comb += self.factor[lane].eq(choose(bytes_, self.part) - self.zero_point)
        for first in range(0, lanes, channels):
            self._add(m, first)
        return m

    def _add(self, m: Module, first: int) -> None:
        """Give the sum of a position's products to one of its lanes; `first`: its lowest lane."""
        channels = self._arch.word
        products: list[Value] = [self.product[first + channel] for channel in range(channels)]
        total = Signal(signed(position_sum_bits(self._arch)), name=f"total_{first}")
        m.d.comb += total.eq(sum_of(products))
        for channel in range(channels):
            m.d.comb += self.addend[first + channel].eq(Mux(self.sum_pixel == channel, total, 0))
