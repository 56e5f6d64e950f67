"""Adder tree of one filter, in two bodies: an expression, and named adders."""

from collections import defaultdict

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.adders import FullAdder, HalfAdder
from hwgen.dbpim.rtl.layouts import dot_shape, sign_digit


class AdderTree(Part):
    """Adds the terms of one filter over all compartments, and what they have too much.

    ``sum = sum(terms) + constant``. A term is ``x * weight`` + the weight's negative digits
    (``Dbmu``); the constant is minus these digits over all compartments of the row, so that the
    sum is that of the products.

    Ports
        terms     in   C x 8     unsigned [with weights of fewer bits: as many]
        constant  in   dot_bits  two's complement [without ``weight_bits``: no port, C times
                            the lowest weight]
        sum       out  dot_bits  two's complement, exact for every row of int8 weights [or of
                            ``macro.weight_bits``]
    Latency  0
    Rate     one sum in each cycle
    Errors   none: a sum that `dot_bits` do not hold wraps
    Golden   ``verif.reference.dbpim.adder_tree``
    Source   seed 002, V-C: the adder trees of a macro

    Two bodies have the same ports, the same name and the same function. The plain one is an
    expression, which simulates fast. With `adders` it is a Wallace tree of ``FullAdder`` and
    ``HalfAdder`` with a ripple adder at its end: a synthesis finds no full adders in an expression,
    and what it builds instead glitches.
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch, adders: bool = False) -> None:
        self._sparse = arch.sparsity.weight_bits
        self._adders = adders
        if adders:
            self._full_adder, self._half_adder = FullAdder(), HalfAdder()
            self.parts = [self._full_adder, self._half_adder]
        compartments = arch.macro.compartments
        self._dense_constant = -sign_digit(arch) * compartments
        ports = {
            "terms": In(data.ArrayLayout(arch.macro.weight_bits, compartments)),
            "sum": Out(dot_shape(arch)),
        }
        if self._sparse:
            ports["constant"] = In(dot_shape(arch))
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._adders:
            m.d.comb += self.sum.eq(self._wallace(m))
        else:
            constant = self.constant if self._sparse else self._dense_constant
            m.d.comb += self.sum.eq(sum_of(list(self.terms)) + constant)
        return m

    def _wallace(self, m: Module) -> Value:
        """Return the sum of all bits, modulo the width of the sum."""
        self._placed = 0
        width = len(self.sum)
        constant = self.constant if self._sparse else Const(self._dense_constant, width)
        columns: dict[int, list[Value]] = defaultdict(list)
        for term in self.terms:
            for place, bit in enumerate(term):
                columns[place].append(bit)
        for place in range(width):
            if self._sparse or self._dense_constant >> place & 1:
                columns[place].append(constant[place])
        while any(len(columns[place]) > 2 for place in range(width)):
            columns = self._reduced(m, columns, width=width)
        return self._ripple(m, columns, width=width)

    def _reduced(
        self, m: Module, columns: dict[int, list[Value]], *, width: int
    ) -> dict[int, list[Value]]:
        """Return a level of the tree: of each three bits of a column a sum and a carry."""
        reduced: dict[int, list[Value]] = defaultdict(list)
        for place in range(width):
            bits = columns[place]
            while len(bits) > 2:
                total, carry = self._add(m, bits[:3])
                reduced[place].append(total)
                reduced[place + 1].append(carry)
                bits = bits[3:]
            reduced[place] += bits
        return reduced

    def _ripple(self, m: Module, columns: dict[int, list[Value]], *, width: int) -> Value:
        """Return the sum of two bits in each column; the carry of the highest one is lost."""
        total: list[Value] = []
        carries: list[Value] = []
        for place in range(width):
            bits = columns[place] + carries
            carries = []
            while len(bits) > 1:
                low, carry = self._add(m, bits[:3])
                carries.append(carry)
                bits = [low, *bits[3:]]
            total.append(bits[0] if bits else Const(0, 1))
        return Cat(total)

    def _add(self, m: Module, bits: list[Value]) -> tuple[Value, Value]:
        """Place an adder of two or three bits; return its sum and its carry."""
        number = self._placed
        self._placed += 1
        part = self._full_adder if len(bits) == 3 else self._half_adder
        m.submodules[f"adder_{number}"] = adder = part.instance()
        for name, bit in zip("abc", bits, strict=False):
            m.d.comb += getattr(adder, name).eq(bit)
        return adder.sum, adder.carry


def sum_of(terms: list[Value]) -> Value:
    """Return the sum of a power of two terms as a balanced tree, one bit wider at each level."""
    while len(terms) > 1:
        terms = [low + high for low, high in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]
