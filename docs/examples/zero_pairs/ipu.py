"""An IPU that skips bit planes in pairs: 7 and 6, 5 and 4, 3 and 2, 1 and 0."""

from amaranth.hdl import Cat, Value

from hwgen.dbpim.rtl.ipu import Ipu


class PairIpu(Ipu):
    """As `Ipu`, but both planes of a pair take a cycle if one of them has a one."""

    def wanted(self) -> Value:
        """Return the bit planes that must be computed, 8 bits."""
        planes = Value.cast(super().wanted())
        pairs = [planes[low : low + 2].any() for low in range(0, 8, 2)]
        return Cat(pairs[bit // 2] for bit in range(8))
