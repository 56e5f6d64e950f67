"""Decodes three packed weights to weight codes.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import WEIGHT_BITS
from hwgen.dbpim.facts.instructions import CELL_BITS
from hwgen.dbpim.facts.packing import DECIMAL_BITS, OCTAL_BITS, TRIPLE, TRIPLE_BITS
from hwgen.dbpim.rtl.layouts import cell_code
from hwgen.network.csd import DIGITS

DECIMAL_DIGIT_BITS = 4
NUMBER_BITS = OCTAL_BITS + DECIMAL_DIGIT_BITS
PAIRS = [(upper, lower) for upper in range(2, DIGITS - 1) for lower in range(upper - 1)]
"""Positions of two digits below the highest, in the order of their numbers."""

Bits = tuple[int, ...]


class TripleDecoder(Part):
    """Three weights of 19 bits become three weight codes of two cells each.

    A weight is 8 times a decimal digit plus an octal digit; the three decimal digits are a densely
    packed decimal. The first weight has the lowest bits, and the last decimal digit.

    Ports
        triple       in   19     three packed weights
        two_columns  in   3      bit n: the filter of weight n uses two cell columns
        codes        out  3 x 8  their weight codes; the second cell is zero with one cell column
    Latency  0: combinational
    Rate     three weights in each cycle
    Errors   none: unused numbers of two cells become zero; of one cell the four lowest bits count
    Golden   ``verif.reference.dbpim.packed_weights``
    Source   docs/dbpim-microarchitecture.md, "Packed rows"; IEEE 754-2008, 3.5.2
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self) -> None:
        super().__init__(
            {
                "triple": In(TRIPLE_BITS),
                "two_columns": In(TRIPLE),
                "codes": Out(data.ArrayLayout(WEIGHT_BITS, TRIPLE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        decimals = self._decimals(m, self.triple[-DECIMAL_BITS:])
        for place, decimal in enumerate(decimals):
            number = Signal(NUMBER_BITS, name=f"number_{place}")
            two = Signal(WEIGHT_BITS, name=f"two_{place}")
            m.d.comb += number.eq(Cat(self.triple.word_select(place, OCTAL_BITS), decimal))
            self._two_cells(m, number=number, code=two)
            one = Cat(number[2:4], number[0], number[1])
            m.d.comb += self.codes[place].eq(Mux(self.two_columns[place], two, one))
        return m

    def _decimals(self, m: Module, packed: Value) -> list[Signal]:
        """Return the three digits of a densely packed decimal, that of the ones first."""
        ones, tens, hundreds = (
            Signal(DECIMAL_DIGIT_BITS, name=name) for name in ("ones", "tens", "hundreds")
        )
        low, middle, high = packed[0], packed[4], packed[7]
        small_ones, small_tens, small_hundreds = packed[:3], packed[4:7], packed[7:10]
        # An 8 or 9 has one bit in its own place; the place of its others may hold another digit's.
        big_ones, big_tens, big_hundreds = (Cat(bit, 0, 0, 1) for bit in (low, middle, high))
        from_tens, from_hundreds = Cat(low, packed[5:7]), Cat(low, packed[8:10])
        rows = {
            "------0---": (small_ones, small_tens, small_hundreds),
            "------100-": (big_ones, small_tens, small_hundreds),
            "------101-": (from_tens, big_tens, small_hundreds),
            "------110-": (from_hundreds, small_tens, big_hundreds),
            "---00-111-": (from_hundreds, big_tens, big_hundreds),
            "---01-111-": (big_ones, Cat(middle, packed[8:10]), big_hundreds),
            "---10-111-": (big_ones, big_tens, small_hundreds),
            "---11-111-": (big_ones, big_tens, big_hundreds),
        }
        with m.Switch(packed):
            for pattern, values in rows.items():
                with m.Case(pattern):
                    m.d.comb += Cat(ones, tens, hundreds).eq(
                        Cat(*(Cat(value, 0)[:DECIMAL_DIGIT_BITS] for value in values))
                    )
        return [ones, tens, hundreds]

    def _two_cells(self, m: Module, *, number: Signal, code: Signal) -> None:
        """Decode a number of a filter with two cell columns."""
        lower, upper = (
            data.View(cell_code(), code.word_select(cell, CELL_BITS)) for cell in range(2)
        )
        with m.Switch(number[2:]):
            for pair, (above, below) in enumerate(PAIRS):
                with m.Case(pair):
                    m.d.comb += [
                        Cat(lower.q, lower.index).eq(below),
                        Cat(upper.q, upper.index).eq(above),
                        Cat(lower.negative, upper.negative).eq(number[:2]),
                    ]
            for index in range((DIGITS - 2) // 2):
                # The upper digit is the highest; the lower one has the other sign.
                with m.Case(len(PAIRS) + index):
                    m.d.comb += [
                        Cat(lower.q, lower.index).eq(2 * index + number[1]),
                        Cat(upper.q, upper.index).eq(DIGITS - 1),
                        Cat(lower.negative, upper.negative).eq(Cat(~number[0], number[0])),
                    ]
            with m.Default():
                m.d.comb += upper.negative.eq(1)
