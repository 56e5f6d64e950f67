"""Post-processing unit (PPU): from sums of bit planes to the sums of the filters."""

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.rtl.digits import pair_port
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
        pair        in   1            dots are of two filter groups [with pair tiles, below]
        sums        out  sums         one int32 for each filter, if this bit plane ends; else
                                      undefined
    Two arrays hold the partial sums on a chip with pair tiles: entry v of one filter group is entry
    v / 2 of array v mod 2, entry v of a pair is entry v of both.

    Latency  0 to ``sums``; a partial sum that is stored is seen in the next cycle
    Rate     one bit plane in each cycle
    Errors   none: a tile's sum fits its accumulator (`tile_sum_shape`, 24 bits on the paper's
             chip), because ``tile_rows`` limits the rows; sums wrap at 32 bits, which the
             compiler's bound on each filter excludes
    Golden   ``verif.reference.dbpim.ppu``
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
                **pair_port(arch),
                "sums": Out(sums(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stores = self.valid & self.ends & ~self.last_tile
        place = self._both_arrays if self._arch.pairs else self._one_array
        partials = place(m, stores)
        tile_sums = data.ArrayLayout(tile_sum_shape(self._arch), self._arch.sums)
        accumulators, totals = Signal(tile_sums), Signal(tile_sums)
        self.guarded(accumulators)
        for index in range(self._arch.sums):
            base = Mux(self.begins, 0, accumulators[index])
            second = index >= self._arch.filters
            starts = self.first_tile | ~self.pair if second else self.first_tile
            partial = Mux(starts, 0, partials[index])
            m.d.comb += [
                totals[index].eq(base + (self.dots[index] << self.bit_index)),
                self.sums[index].eq(totals[index] + partial),
            ]
        with m.If(self.valid & ~self.ends):
            m.d.sync += accumulators.eq(totals)
        return m

    def _one_array(self, m: Module, stores: Value) -> list[Value]:
        """Place the array of partial sums; return those of the vector."""
        m.submodules.psum_array = psum_array = self._psum_array.instance()
        m.d.comb += [
            psum_array.clk.eq(ClockSignal()),
            psum_array.write_en.eq(stores),
            psum_array.vector.eq(self.vector),
            psum_array.write_data.eq(self.sums),
        ]
        return list(psum_array.read_data)

    def _both_arrays(self, m: Module, stores: Value) -> list[Value]:
        """Place both arrays of a chip with pair tiles; return the partial sums of both groups."""
        filters, arrays = self._arch.filters, []
        halves = [list(self.sums)[:filters], list(self.sums)[filters:]]
        for number in range(2):
            array = self._psum_array.instance()
            m.submodules[f"psum_array_{number}"] = array
            written = Mux(self.pair, Cat(halves[number]), Cat(halves[0]))
            m.d.comb += [
                array.clk.eq(ClockSignal()),
                array.write_en.eq(stores & (self.pair | (self.vector[0] == number))),
                array.vector.eq(Mux(self.pair, self.vector[:-1], self.vector[1:])),
                array.write_data.eq(written),
            ]
            arrays.append(array)
        odd = ~self.pair & self.vector[0]
        first, second = (list(array.read_data) for array in arrays)
        chosen = [Mux(odd, *pair[::-1]) for pair in zip(first, second, strict=True)]
        return [*chosen, *second]
