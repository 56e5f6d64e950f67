"""Input processing unit: which bit column of a group is computed next."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.layouts import group
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.widths import bits_for_index


class Ipu(Part):
    """Finds the bit columns that are not all zero and walks them from the highest to the lowest.

    ``remaining`` = columns with a one in any byte (all, without ``input_bits``), minus ``issued``;
    ``bit_index`` = the highest remaining, 0 if none; ``last`` = at most one remains. So an all-zero
    group takes one column, of zeros.

    Ports
        bytes      in   group         unsigned, one byte for each compartment
        issued     in   8             columns that this group has behind it; 0: it begins
        bit_index  out  3             unsigned, index of the column
        column     out  compartments  that bit of each byte
        last       out  1             nothing remains after this column
        next       out  8             ``issued`` after this column; 0 after the last
    Latency  0
    Rate     one column in each cycle; max(1, non-zero columns) cycles a group
    Errors   none
    Golden   ``golden.dbpim.ipu``
    Source   seed 002, V-C: zero detection, leading-one detection and selection
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._skips = arch.sparsity.input_bits
        super().__init__(
            {
                "bytes": In(group(arch)),
                "issued": In(ACTIVATION_BITS),
                "bit_index": Out(bits_for_index(ACTIVATION_BITS)),
                "column": Out(arch.macro.compartments),
                "last": Out(1),
                "next": Out(ACTIVATION_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        remaining, after = Signal(ACTIVATION_BITS), Signal(ACTIVATION_BITS)
        m.d.comb += [remaining.eq(self._wanted() & ~self.issued), self.last.eq(after == 0)]
        # The highest bit that is set speaks last, and what is assigned last counts.
        for bit in range(ACTIVATION_BITS):
            with m.If(remaining[bit]):
                m.d.comb += [
                    self.bit_index.eq(bit),
                    self.column.eq(Cat(byte[bit] for byte in self.bytes)),
                    after.eq(remaining[:bit]),
                ]
        with m.If(~self.last):
            m.d.comb += self.next.eq(self.issued | remaining & ~after)
        return m

    def _wanted(self) -> Signal | int:
        """Return the bit columns that must be computed."""
        if not self._skips:
            return (1 << ACTIVATION_BITS) - 1
        wanted = self.bytes[0]
        for byte in list(self.bytes)[1:]:
            wanted = wanted | byte
        return wanted
