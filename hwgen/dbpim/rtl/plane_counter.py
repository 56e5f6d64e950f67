"""What gives a macro its bit planes without zero detection: a count from the highest bit down."""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.layouts import group


class PlaneCounter(Part):
    """Selects all eight bit planes of a group, the highest first.

    ``bit_index = 7 - issued``

    Ports
        bytes      in   group         unsigned, one byte for each compartment
        issued     in   3             bit planes of this group that have been issued; 0: it begins
        bit_index  out  3             unsigned, index of the selected bit plane
        bit_plane  out  compartments  bit c: bit ``bit_index`` of byte c
        last       out  1             no bit plane remains after this one
        next       out  3             ``issued`` after this bit plane; 0 after the last
    Latency  0
    Rate     one bit plane in each cycle; 8 cycles a group
    Errors   none
    Golden   ``verif.reference.dbpim.ipu`` without skipping
    Source   seed 002, VI: the dense baseline; inputs are bit-serial there, too
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        bits = bits_for_index(ACTIVATION_BITS)
        super().__init__(
            {
                "bytes": In(group(arch)),
                "issued": In(bits),
                "bit_index": Out(bits),
                "bit_plane": Out(arch.macro.compartments),
                "last": Out(1),
                "next": Out(bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        planes = [Cat(byte[bit] for byte in self.bytes) for bit in reversed(range(ACTIVATION_BITS))]
        m.d.comb += [
            self.bit_index.eq(~self.issued),
            self.bit_plane.eq(choose(planes, self.issued)),
            self.last.eq(self.issued.all()),
            self.next.eq(self.issued + 1),
        ]
        return m
