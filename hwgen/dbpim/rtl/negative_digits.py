"""Negative digits: how much the negative digits of a filter's weights are together.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import CELL_BITS
from hwgen.dbpim.rtl.adder_tree import sum_of
from hwgen.dbpim.rtl.digits import digits_of, pair_digits, pair_port
from hwgen.dbpim.rtl.layouts import cell_code, dot_shape
from hwgen.network.sparsity import PHI_LIMIT


class NegativeDigits(Part):
    """Adds the negative digits of a filter in all compartments of a row.

    Ports
        codes      in   C x 8                 weight codes of a filter: two nibbles each
        enable     in   2                     cells that count
        pair       in   1                     they are of two filter groups [with pair tiles]
        constants  out  1 or 2 x dot_shape    minus the sum [with ``pairs``: of each group's weight]
    Latency  0: combinational
    Rate     one row in each cycle
    Errors   none
    Golden   ``golden.dbpim.weight_decoder``
    Source   project: what ``AdderTree`` has too much
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._pairs = arch.pairs
        super().__init__(
            {
                "codes": In(data.ArrayLayout(WEIGHT_BITS, arch.macro.compartments)),
                "enable": In(PHI_LIMIT),
                **pair_port(arch),
                "constants": Out(data.ArrayLayout(dot_shape(arch), arch.sums // arch.filters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        negative = [self._negative(code) for code in self.codes]
        for place, constant in enumerate(self.constants):
            m.d.comb += constant.eq(-sum_of([digits[place] for digits in negative]))
        return m

    def _negative(self, code: Value) -> list[Value]:
        """Return the negative digits of a weight, of each sum."""
        cells = [cell_code()(code.word_select(place, CELL_BITS)) for place in range(PHI_LIMIT)]
        q = Cat(cell.q for cell in cells)
        if self._pairs:
            return [digits.negative for digits in pair_digits(q, cells, self.enable, self.pair)]
        return [digits_of(q, cells, self.enable).negative]
