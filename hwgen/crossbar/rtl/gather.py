"""Gather: results of other macros come to the macro in which a layer merges them.

Tests: `tests/verif/crossbar/test_parts.py`.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.layouts import COUNT_BITS, TRAVEL_BITS, flit, header
from hwgen.crossbar.rtl.links import Packets
from hwgen.crossbar.rtl.pad import BLOCKS, Packer
from hwgen.crossbar.rtl.results import gathered, place_of_blocks, result_index_bits

WAIT_BITS = 16
"""Bits of the clocks that a gather waits behind its strobe."""


def source(elements: int) -> data.StructLayout:
    """Who sends a part of a block, constant: number of the travel, elements before the part."""
    return data.StructLayout({"travel": TRAVEL_BITS, "before": bits_for_index(elements + 1)})


class Gatherer(Part):
    """Packs the results that other macros send into the words of the block.

    Parameters
    ----------
        chip      sizes of flits and words
        elements  of the longest block
        sources   macros that send
    Ports
        link       in   flit
        go         in   1             the strobe
        half       in   1             parity of the block, valid with it
        sources    in   sources x source  constant
        blocks, size, last_size  in   constant, see `Results`
        gathered   out  gathered      to `Results`
    Latency  1 from the flit that fills a word, or is the last one, to ``gathered``; 2 where the
             packet ends in another word
    Rate     a flit in each cycle; the header of a packet may follow the last flit of another
    Errors   none: a packet begins behind the strobe of its block
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: gather
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, elements: int, sources: int) -> None:
        self._chip, self._elements, self._sources = chip, elements, sources
        word, bits = chip.word_elements, chip.activation_bits
        self._index_bits = result_index_bits(elements, word)
        self._packer = Packer(chunk=chip.flit_elements, word=word, bits=bits)
        self.parts = [self._packer]
        element_bits = (elements + word).bit_length()
        super().__init__(
            {
                "link": In(flit(chip)),
                "go": In(1),
                "half": In(1),
                "sources": In(data.ArrayLayout(source(elements), sources)),
                "blocks": In(BLOCKS),
                "size": In(element_bits),
                "last_size": In(element_bits),
                "gathered": Out(gathered(self._index_bits, word, bits)),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._elements}s{self._sources}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.packer = packer = self._packer.instance()
        chunk, shift = self._chip.flit_elements, self._chip.word_elements.bit_length() - 1
        at = place_of_blocks(
            m,
            self.go,
            word=self._chip.word_elements,
            blocks=self.blocks,
            size=self.size,
            last=self.last_size,
        )
        head, begin = Signal(header(self._chip)), Signal(len(self.size) + 1)
        mine, left, index = Signal(), Signal(COUNT_BITS), Signal(self._index_bits)
        half, place = Signal(name="half_kept"), Signal(shift)
        # The last word of a packet may come behind the header of the next one.
        opens, first_index = Signal(), Signal(self._index_bits)
        matches = [self.sources[k].travel == head.travel for k in range(self._sources)]
        before: Value = Value.cast(0)
        found: Value = Value.cast(0)
        for number, match in enumerate(matches):
            before = before | Mux(match, self.sources[number].before, 0)
            found = found | match
        m.d.comb += [
            Value.cast(head).eq(self.link.data),
            begin.eq(at + before),
            packer.valid.eq(self.link.valid & ~self.link.head & mine & (left != 0)),
            packer.data.eq(self.link.data),
            packer.count.eq(Mux(left < chunk, left, chunk)),
            packer.last.eq(left <= chunk),
            packer.at.eq(place),
            self.gathered.valid.eq(packer.word_valid),
            self.gathered.index.eq(index),
            self.gathered.half.eq(half),
            self.gathered.enables.eq(packer.enables),
            self.gathered.data.eq(packer.word_data),
        ]
        with m.If(self.go):
            m.d.sync += half.eq(self.half)
        with m.If(packer.word_valid):
            m.d.sync += index.eq(index + 1)
        with m.If(packer.valid):
            m.d.sync += [left.eq(left - packer.count), opens.eq(0)]
            with m.If(opens):
                m.d.sync += index.eq(first_index)
        with m.If(self.link.valid & self.link.head):
            m.d.sync += mine.eq(found)
            with m.If(found):
                m.d.sync += [
                    left.eq(head.count),
                    opens.eq(1),
                    first_index.eq(begin >> shift),
                    place.eq(begin[:shift]),
                ]
        return m


class GatherSender(Part):
    """Sends the results of a macro to the one that merges them, so late that no two meet.

    Parameters
    ----------
        chip      sizes of flits and words
        elements  of the longest part of a block
    Ports
        go           in   1             the strobe
        half         in   1             parity of the block, valid with it
        travel       in   travel_bits   constant
        first_clock  in   16            constant: clocks behind the strobe
        blocks       in   24            constant: of an image
        elements     in   element_bits  constant: of a block
        last         in   element_bits  constant: of the last block of an image; 0: no packet
        read_index   out  index_bits    word of the block, in `Results`
        read_half    out  1
        read_data    in   word x bits   in the same cycle
        link         out  flit
        late         out  1             ``go`` before the block before has left
    Latency  ``first_clock`` + 2 from ``go`` to the header
    Rate     a flit in each cycle
    Errors   ``late``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: gather
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, elements: int) -> None:
        self._elements = elements
        self._packets = Packets(chip=chip, elements=elements)
        self.parts = [self._packets]
        inner = self._packets.signature.members
        count = range(elements + 1)
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "travel": In(TRAVEL_BITS),
                "first_clock": In(WAIT_BITS),
                "blocks": In(BLOCKS),
                "elements": In(count),
                "last": In(count),
                "read_index": Out(inner["read_index"].shape),
                "read_half": Out(1),
                "read_data": In(inner["read_data"].shape),
                "link": Out(flit(chip)),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return str(self._elements)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.packets = packets = self._packets.instance()
        waiting, left, block = Signal(), Signal(WAIT_BITS), Signal(BLOCKS)
        count = Signal(range(self._elements + 1))
        m.d.comb += [
            packets.go.eq(waiting & (left == 0) & (count != 0)),
            packets.travel.eq(self.travel),
            packets.count.eq(count),
            packets.read_data.eq(self.read_data),
            self.read_index.eq(packets.read_index),
            self.link.eq(packets.link),
            self.late.eq(self.go & (waiting | packets.busy)),
        ]
        with m.If(waiting):
            m.d.sync += [left.eq(left - 1), waiting.eq(left != 0)]
        with m.If(self.go):
            m.d.sync += [
                waiting.eq(1),
                left.eq(self.first_clock),
                self.read_half.eq(self.half),
                count.eq(self.elements),
                block.eq(block + 1),
            ]
            with m.If(block == self.blocks - 1):
                m.d.sync += [count.eq(self.last), block.eq(0)]
        return m
