"""Bit counter of a segment: how many of its columns have sensed a one.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch

WORD = 56
"""Bits that are counted in parallel fields of one addition.

Simulators are fast with words of up to 64 bits; Verilog's sum of two words has one bit more.
"""
BYTE = 8


class BitCounter(Part):
    """Counts the ones of a segment: neighbouring fields are added until they are bytes.

    ``count`` = number of ones in ``bits``

    Ports
        bits   in   9 * block   sensed bits of a segment
        count  out  count_bits  unsigned, from 0 to 9 * ``block``
    Latency  0
    Rate     one count in each cycle
    Errors   none
    Golden   the sum of the bits, inside ``verif.reference.mram.bit_convolution``
    Source   seed 001, III-C: bit counters beside a sub-array
    """

    family = "mram"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        super().__init__({"bits": In(arch.segment_columns), "count": Out(arch.count_bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        byte_counts: list[Value] = []
        for start in range(0, len(self.bits), WORD):
            word: Value = self.bits[start : start + WORD]
            for level, width in enumerate((1, 2, 4)):
                word = self._add_neighbours(m, word, width=width, name=f"fields_{start}_{level}")
            byte_counts += [word[at : at + BYTE] for at in range(0, len(word), BYTE)]
        m.d.comb += self.count.eq(sum_of(byte_counts))
        return m

    def _add_neighbours(self, m: Module, word: Value, *, width: int, name: str) -> Signal:
        """Add each field of `width` bits at an even place to the one above it."""
        fields = sum(((1 << width) - 1) << place for place in range(0, len(word), 2 * width))
        low = Const(fields & ((1 << len(word)) - 1), len(word))
        total = Signal(max(len(word), 2 * width), name=name)
        m.d.comb += total.eq((word & low) + ((word >> width) & low))
        return total


def sum_of(terms: list[Value]) -> Value:
    """Return the sum of any number of terms as a balanced tree."""
    while len(terms) > 1:
        pairs = [low + high for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) & ~1 :]
    return terms[0]
