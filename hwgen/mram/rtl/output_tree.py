"""Output tree: takes the sums of one octet to the DPU.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl import layouts


class OutputTree(Part):
    """Registers the sums of the octet that the ring names.

    Ports
        sums    in   sums, of each octet
        octet   in   octet_bits
        load    in   1           the DPU takes them
        chosen  out  sums
    Latency  ``SUM_CYCLES``
    Rate     the sums of one octet in each cycle
    Errors   none
    Golden   registers only: the bench has the rule
    Source   seed 001, III-A: output bus of a bank
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        super().__init__(
            {
                "sums": In(layouts.sums(arch)).array(arch.octets),
                "octet": In(bits_for_index(arch.octets)),
                "load": In(1),
                "chosen": Out(layouts.sums(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.guarded(self.chosen)
        with m.If(self.load):
            m.d.sync += self.chosen.eq(choose([sums.as_value() for sums in self.sums], self.octet))
        return m
