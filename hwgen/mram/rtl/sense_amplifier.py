"""Sense amplifiers of a sub-array: logic between the cells of one to three rows.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch


class SenseAmplifier(Part):
    """Compares the current of each column with the references that are enabled.

    With ``n`` = ones among the active rows of a column:
    ``sense = read & n >= 1 | and2 & n >= 2 | or3 & n >= 1 & ~(maj & n >= 2) | and3 & n == 3`` and
    ``carry = maj & n >= 2``, so that ``or3``, ``maj`` and ``and3`` together give sum and carry of
    three bits.

    Ports
        data_0, data_1, data_2  in   columns  cells of the active rows; 0 for an inactive row
        read                    in   1        reference C_M, of one row
        and2                    in   1        reference C_AND2, of two rows
        or3, maj, and3          in   1        references C_OR3, C_MAJ and C_AND3, of three rows
        sense                   out  columns
        carry                   out  columns
    Latency  0
    Rate     one comparison in each cycle
    Errors   none
    Golden   ``verif.reference.mram.sense_amplifier``
    Source   seed 001, III-B: comparison of a column's current with references
    """

    family = "mram"
    clock_ports = ()
    array_content = True

    def __init__(self, *, arch: Arch) -> None:
        columns = arch.array.columns
        super().__init__(
            {
                "data_0": In(columns),
                "data_1": In(columns),
                "data_2": In(columns),
                "read": In(1),
                "and2": In(1),
                "or3": In(1),
                "maj": In(1),
                "and3": In(1),
                "sense": Out(columns),
                "carry": Out(columns),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        columns = len(self.sense)
        both = self.data_0 & self.data_1
        any_one = self.data_0 | self.data_1 | self.data_2
        two = both | (self.data_2 & (self.data_0 | self.data_1))
        three = both & self.data_2
        m.d.comb += [
            self.carry.eq(two & self.maj.replicate(columns)),
            self.sense.eq(
                (any_one & self.read.replicate(columns))
                | (two & self.and2.replicate(columns))
                | (any_one & self.or3.replicate(columns) & ~self.carry)
                | (three & self.and3.replicate(columns))
            ),
        ]
        return m
