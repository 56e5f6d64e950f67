"""Decodes packed rows of weights to weight codes."""

from amaranth.hdl import C, Cat, Module, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import CELL_BITS, Opcode, field_bits
from hwgen.dbpim.facts.packing import DIGIT_BITS, TRIPLE, TRIPLE_BITS, triples
from hwgen.dbpim.rtl.layouts import row
from hwgen.dbpim.rtl.triple_decoder import TripleDecoder


class RowUnpacker(Part):
    """One triple decoder for each three weights of a row.

    Ports
        triples        in   triples x 19  the row, its first triple lowest
        filter_enable  in   16            of the tile: which filters use two cell columns
        row            out  row           weight codes, index compartment * F + filter
    Latency  0: combinational
    Rate     one row in each cycle
    Errors   none
    Golden   ``verif.reference.dbpim.packed_weights``
    Source   docs/dbpim-microarchitecture.md, "Packed rows"
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._triples = triples(arch)
        self._decoder = TripleDecoder()
        self.parts = [self._decoder]
        super().__init__(
            {
                "triples": In(self._triples * TRIPLE_BITS),
                "filter_enable": In(field_bits(Opcode.TILE, "filter_enable", arch.widths)),
                "row": Out(row(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        filters = self._arch.filters
        codes = []
        for number in range(self._triples):
            m.submodules[f"triple_{number}"] = decoder = self._decoder.instance()
            places = [(TRIPLE * number + place) % filters for place in range(TRIPLE)]
            m.d.comb += [
                decoder.triple.eq(self.triples.word_select(number, TRIPLE_BITS)),
                decoder.two_columns.eq(Cat(self.filter_enable[2 * n + 1] for n in places)),
            ]
            codes.append(decoder.codes)
        m.d.comb += self.row.eq(Cat(*codes)[: row(self._arch).size])
        return m


def one_digit_row(bits: Value, arch: Arch) -> Value:
    """Return the weight codes of a row of 4 bits a weight: 2 * position + (digit negative)."""
    weights = arch.macro.compartments * arch.filters
    numbers = (bits.word_select(place, DIGIT_BITS) for place in range(weights))
    # A code is the block of the digit, its sign, and which digit of the block it is.
    cells = (Cat(number[2:4], number[0], number[1]) for number in numbers)
    return Cat(Cat(cell, C(0, WEIGHT_BITS - CELL_BITS)) for cell in cells)
