"""The mask register file of a core: a ring that takes a whole beat of mask words at once."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.choose import choose
from hwgen.rtl.common.register_file import RegisterFile
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.widths import bits_for_index


def mask_lanes(arch: Arch) -> int:
    """Return how many mask words a beat of the memory port can bring; a tile has no more."""
    return min(arch.port_bits // arch.macro.compartments, arch.mask_words)


class MaskArray(Part):
    """Ring of mask words; consecutive words lie in different register files, side by side.

    ``words[(write_index + i) mod mask_words] = write_data[i]`` for ``i < write_count``
    ``read_data = words[read_index]``, as it was before the clock edge

    Ports
        clk          in   1           rising edge; there is no reset
        write_count  in   count_bits  unsigned, up to ``mask_lanes``: words to store, 0 for none
        write_index  in   index_bits  unsigned, where the first of them goes
        write_data   in   lanes x C   mask words, the first one lowest
        read_index   in   index_bits  unsigned
        read_data    out  C           bit c: input c of the word is kept
    Latency  0 from ``read_index`` to ``read_data``; what is written is seen in the next cycle
    Rate     one read and one write in each cycle
    Errors   none: a word never written holds garbage
    Golden   indexing
    Source   seed 002, V-B: mask register file
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._lanes = lanes = mask_lanes(arch)
        self._bits = bits = arch.macro.compartments
        # An address has at least one bit, so there are two words where one would do.
        depth = max(2, arch.mask_words // lanes)
        self._lane_file = RegisterFile(family=self.family, depth=depth, width=bits)
        self.parts = [self._lane_file]
        index_bits = bits_for_index(arch.mask_words)
        super().__init__(
            {
                "clk": In(1),
                "write_count": In(bits_for_index(lanes + 1)),
                "write_index": In(index_bits),
                "write_data": In(data.ArrayLayout(bits, lanes)),
                "read_index": In(index_bits),
                "read_data": Out(bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, bits = self._lanes, self._bits
        lane_bits = bits_for_index(lanes)
        index_bits = len(self.write_index)
        first_lane = self.write_index[:lane_bits]
        # The beat is turned so that its first word meets its lane; what leaves above enters below.
        turned = self.write_data.as_value() << Cat(Const(0, (bits - 1).bit_length()), first_lane)
        rotated = Signal(data.ArrayLayout(bits, lanes))
        m.d.comb += rotated.eq(turned[: bits * lanes] | turned[bits * lanes :])
        words = []
        for index in range(lanes):
            m.submodules[f"lane_{index}"] = lane = self._lane_file.instance()
            place = (Const(index, lane_bits) - first_lane)[:lane_bits]
            m.d.comb += [
                lane.clk.eq(self.clk),
                lane.write_en.eq(place < self.write_count),
                # The row after the first one's for the lanes below the first.
                lane.write_index.eq((self.write_index + (lanes - 1 - index))[lane_bits:index_bits]),
                lane.write_data.eq(rotated[index]),
                lane.read_index.eq(self.read_index[lane_bits:]),
            ]
            words.append(lane.read_data)
        m.d.comb += self.read_data.eq(choose(words, self.read_index))
        return m
