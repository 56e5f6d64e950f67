"""Post-processing unit (PPU): from the sums of the cell columns to the sums of the filters."""

from amaranth.hdl import ClockSignal, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.dbpim.csd_adder_tree import column_sum_bits
from hwgen.rtl.dbpim.layouts import sums
from hwgen.rtl.dbpim.psum_array import PsumArray
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.sparsity import PHI_LIMIT
from hwgen.spec.widths import bits_for_index


class Ppu(Part):
    """Shifts and accumulates the column sums of every filter, over bit planes, groups and tiles.

    ``sums[f] = base[f] + (dot[f] << bit_index)``, where ``base`` is the accumulator, or at the
    first bit plane of a position vector the partial sum of the tiles before (0 in the first tile);
    ``dot[f]`` is the sum of the filter's enabled cell columns, in the dense design with weights
    2^0 to 2^6 and -2^7

    Ports
        valid          in   1            a bit plane arrives; nothing changes without it
        column_sums    in   columns      one for each tree: two's complement (dense: unsigned)
        filter_enable  in   2 x F        bits 2f, 2f + 1: the first, second cell column of filter f
                                         counts; dense: bit 2f: filter f exists
        bit_index      in   3            unsigned, weight of the bit plane
        begins         in   1            first bit plane of the position vector in this tile
        ends           in   1            last bit plane of the position vector in this tile
        first_tile     in   1            partial sums start at zero
        last_tile      in   1            the sums leave and are not stored
        vector         in   vector_bits  unsigned, entry of the partial sums
        sums           out  sums         one int32 for each filter, this bit plane included
    Latency  0 to ``sums``; a partial sum that is stored is seen in the next cycle
    Rate     one bit plane in each cycle
    Errors   none: sums wrap at 32 bits; the compiler's bound on each filter excludes that
    Golden   ``golden.dbpim.ppu``
    Source   seed 002, V-A: shift and add, accumulator
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._psum_array = PsumArray(arch=arch)
        self.parts = [self._psum_array]
        super().__init__(
            {
                "valid": In(1),
                "column_sums": In(column_sums(arch)),
                "filter_enable": In(PHI_LIMIT * arch.filters),
                "bit_index": In(bits_for_index(ACTIVATION_BITS)),
                "begins": In(1),
                "ends": In(1),
                "first_tile": In(1),
                "last_tile": In(1),
                "vector": In(bits_for_index(arch.psum_vectors)),
                "sums": Out(sums(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.psum_array = psum_array = self._psum_array.instance()
        accumulators = Signal(sums(self._arch))
        m.d.comb += [
            psum_array.clk.eq(ClockSignal()),
            psum_array.write_en.eq(self.valid & self.ends & ~self.last_tile),
            psum_array.vector.eq(self.vector),
            psum_array.write_data.eq(self.sums),
        ]
        for index in range(self._arch.filters):
            stored = Mux(self.first_tile, 0, psum_array.read_data[index])
            base = Mux(self.begins, stored, accumulators[index])
            m.d.comb += self.sums[index].eq(base + (self._dot(index) << self.bit_index))
        with m.If(self.valid & ~self.ends):
            m.d.sync += accumulators.eq(self.sums)
        return m

    def _dot(self, index: int) -> Value:
        """Return the sum of the enabled cell columns of filter `index`."""
        width = self._arch.columns_per_filter
        of_filter = list(self.column_sums)[index * width : (index + 1) * width]
        if self._arch.sparsity.weight_bits:
            low, high = (
                Mux(self.filter_enable[PHI_LIMIT * index + place], value, 0)
                for place, value in enumerate(of_filter)
            )
            return low + high
        places = [value << place for place, value in enumerate(of_filter)]
        magnitudes, negative = places[:-1], places[-1]
        return Mux(self.filter_enable[PHI_LIMIT * index], sum(magnitudes) - negative, 0)


def column_sums(arch: Arch) -> data.ArrayLayout:
    """Return the layout of the adder trees' outputs: one sum for each cell column."""
    dense = range(arch.macro.compartments + 1)
    column_sum = signed(column_sum_bits(arch)) if arch.sparsity.weight_bits else dense
    return data.ArrayLayout(column_sum, arch.macro.columns)
