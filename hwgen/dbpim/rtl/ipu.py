"""Input processing unit (IPU): selects the bit plane of a group that is computed next."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.layouts import group


class Ipu(Part):
    """Detects the non-zero bit planes of a group and selects them from the highest to the lowest.

    A bit plane is one bit of every input byte. Zero detection: ``wanted`` = bit planes with a one
    in any byte (all eight without ``input_bits``). Leading-one detection: ``bit_index`` = the
    highest bit of ``wanted & ~issued``, 0 if none is set. So a group of zeros takes one plane.

    Example: bytes 0b0101, 0b0001 and zeros take two cycles, for the bit planes 2 and 0.

    Ports
        bytes      in   group         unsigned, one byte for each compartment
        issued     in   8             bit b: plane b of this group has been issued; 0: it begins
        bit_index  out  3             unsigned, index of the selected bit plane
        bit_plane  out  compartments  bit c: bit ``bit_index`` of byte c
        last       out  1             no bit plane remains after this one
        next       out  8             ``issued`` after this bit plane; 0 after the last
    Latency  0
    Rate     one bit plane in each cycle; max(1, non-zero bit planes) cycles a group
    Errors   none
    Golden   ``verif.reference.dbpim.ipu``
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
                "bit_plane": Out(arch.macro.compartments),
                "last": Out(1),
                "next": Out(ACTIVATION_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        remaining, after = Signal(ACTIVATION_BITS), Signal(ACTIVATION_BITS)
        m.d.comb += [remaining.eq(self.wanted() & ~self.issued), self.last.eq(after == 0)]
        # Leading-one detection: the last assignment wins, so the highest set bit does.
        for bit in range(ACTIVATION_BITS):
            with m.If(remaining[bit]):
                m.d.comb += [
                    self.bit_index.eq(bit),
                    self.bit_plane.eq(Cat(byte[bit] for byte in self.bytes)),
                    after.eq(remaining[:bit]),
                ]
        with m.If(~self.last):
            m.d.comb += self.next.eq(self.issued | remaining & ~after)
        return m

    def wanted(self) -> Signal | int:
        """Return the bit planes that must be computed (zero detection); a subclass may choose."""
        if not self._skips:
            return (1 << ACTIVATION_BITS) - 1
        wanted = self.bytes[0]
        for byte in list(self.bytes)[1:]:
            wanted = wanted | byte
        return wanted
