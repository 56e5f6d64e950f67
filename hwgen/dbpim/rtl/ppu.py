"""Post-processing unit (PPU): from sums of bit planes to the sums of the filters."""

from amaranth.hdl import ClockSignal, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.layouts import dots, sums, tile_sum_shape
from hwgen.dbpim.rtl.psum_array import PsumArray


class Ppu(Part):
    """Shifts and accumulates the sums of every filter, over bit planes and groups, then tiles.

    ``tile[f] = base[f] + (dots[f] << bit_index)``, where ``base`` is the accumulator, or 0 at the
    first bit plane of a position vector; at its last one ``sums[f] = tile[f] + partial[f]``, where
    ``partial`` is the sum of the tiles before (0 in the first tile)

    Ports
        valid       in   1            a bit plane arrives; nothing changes without it
        dots        in   dots         of each filter, two's complement
        bit_index   in   3            unsigned, weight of the bit plane
        begins      in   1            first bit plane of the position vector in this tile
        ends        in   1            last bit plane of the position vector in this tile
        first_tile  in   1            partial sums start at zero
        last_tile   in   1            the sums leave and are not stored
        vector      in   vector_bits  unsigned, entry of the partial sums
        sums        out  sums         one int32 for each filter, if this bit plane ends; else
                                      undefined
    Latency  0 to ``sums``; a partial sum that is stored is seen in the next cycle
    Rate     one bit plane in each cycle
    Errors   none: a tile's sum fits its accumulator (`tile_sum_shape`, 24 bits on the paper's
             chip), because ``tile_rows`` limits the rows; sums wrap at 32 bits, which the
             compiler's bound on each filter excludes
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
                "dots": In(dots(arch)),
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
        tile_sums = data.ArrayLayout(tile_sum_shape(self._arch), self._arch.filters)
        accumulators, totals = Signal(tile_sums), Signal(tile_sums)
        m.d.comb += [
            psum_array.clk.eq(ClockSignal()),
            psum_array.write_en.eq(self.valid & self.ends & ~self.last_tile),
            psum_array.vector.eq(self.vector),
            psum_array.write_data.eq(self.sums),
        ]
        for index in range(self._arch.filters):
            base = Mux(self.begins, 0, accumulators[index])
            partial = Mux(self.first_tile, 0, psum_array.read_data[index])
            m.d.comb += [
                totals[index].eq(base + (self.dots[index] << self.bit_index)),
                self.sums[index].eq(totals[index] + partial),
            ]
        with m.If(self.valid & ~self.ends):
            m.d.sync += accumulators.eq(totals)
        return m
