"""Sender: a block of a ring goes over the links to all who read it."""

from amaranth.hdl import ClockSignal, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip_facts import ChipFacts
from hwgen.crossbar.rtl.layouts import TRAVEL_BITS, flit, header
from hwgen.crossbar.rtl.packer import Packer
from hwgen.crossbar.rtl.receiver import ring
from hwgen.crossbar.rtl.store import BLOCKS


class Packets(Part):
    """Makes a packet of words: a header, and flits behind it without a gap.

    Parameters
    ----------
        chip      sizes of flits and words
        elements  of the longest block
    Ports
        go          in   1              the words of the block are there
        travel      in   travel_bits    constant
        count       in   element_bits   elements, valid with ``go``
        read_index  out  index_bits     word of the block
        read_data   in   word x bits    in the same cycle; the block begins with its first element
        link        out  flit           registered
        busy        out  1              until the last flit is on the link
    Latency  1 from ``go`` to the header
    Rate     a flit in each cycle
    Errors   none
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: travels
    """

    family = "crossbar"

    def __init__(self, *, chip: ChipFacts, elements: int) -> None:
        self._chip, self._elements = chip, elements
        words = -(-elements // chip.word_elements)
        super().__init__(
            {
                "go": In(1),
                "travel": In(TRAVEL_BITS),
                "count": In(range(elements + 1)),
                "read_index": Out(bits_for_index(words)),
                "read_data": In(chip.word_elements * chip.activation_bits),
                "link": Out(flit(chip)),
                "busy": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return str(self._elements)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chip = self._chip
        parts = chip.word_elements // chip.flit_elements
        place, left = Signal(range(parts)), Signal(range(self._elements + 1))
        bits = chip.flit_elements * chip.activation_bits
        part = choose_below([self.read_data.word_select(k, bits) for k in range(parts)], place)
        head = Signal(header(chip))
        m.d.comb += [head.travel.eq(self.travel), head.count.eq(self.count)]
        m.d.sync += self.link.valid.eq(self.busy)
        m.d.sync += [self.link.head.eq(0), self.link.data.eq(part)]
        with m.If(self.busy):
            m.d.sync += [place.eq(place + 1), left.eq(left - chip.flit_elements)]
            with m.If(place == parts - 1):
                m.d.sync += [place.eq(0), self.read_index.eq(self.read_index + 1)]
            with m.If(left <= chip.flit_elements):
                m.d.sync += self.busy.eq(0)
        with m.If(self.go):
            m.d.sync += [
                self.busy.eq(1),
                left.eq(self.count),
                place.eq(0),
                self.read_index.eq(0),
                self.link.valid.eq(1),
                self.link.head.eq(1),
                self.link.data.eq(head),
            ]
        return m


class Sender(Part):
    """Reads the words of a block from a ring, then sends them.

    Parameters
    ----------
        chip      sizes of flits and words
        words     of the scratchpad
        elements  of the longest block
    Ports
        go         in   1             the strobe
        travel     in   travel_bits   constant
        ring       in   ring          constant: where blocks lie behind each other
        blocks     in   24            constant: of an image
        elements   in   element_bits  constant: of a block
        last       in   element_bits  constant: of the last block of an image
        want       out  1             at the port of the scratchpad
        word       out  word_bits
        granted    in   1
        read_data  in   word x bits   in the cycle behind a grant
        link       out  flit
        late       out  1             ``go`` before the block before is through
    Latency  1 from ``go`` to the first ``want``, 5 from the last grant to the header
    Rate     a word in each cycle, then a flit in each cycle
    Errors   ``late``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: send
    """

    family = "crossbar"

    def __init__(self, *, chip: ChipFacts, words: int, elements: int) -> None:
        self._chip, self._words, self._elements = chip, words, elements
        word, bits = chip.word_elements, chip.activation_bits
        block_words = -(-elements // word)
        self._buffer = RegisterFile(
            family=self.family, depth=1 << bits_for_index(block_words), width=word * bits
        )
        self._packer = Packer(chunk=word, word=word, bits=bits)
        self._packets = Packets(chip=chip, elements=elements)
        self.parts = [self._buffer, self._packer, self._packets]
        element_bits = (elements + word).bit_length()
        super().__init__(
            {
                "go": In(1),
                "travel": In(TRAVEL_BITS),
                "ring": In(ring(words)),
                "blocks": In(BLOCKS),
                "elements": In(element_bits),
                "last": In(element_bits),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "granted": In(1),
                "read_data": In(word * bits),
                "link": Out(flit(chip)),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._words}e{self._elements}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = buffer = self._buffer.instance()
        m.submodules.packer = packer = self._packer.instance()
        m.submodules.packets = packets = self._packets.instance()
        elements, shift = self._chip.word_elements, self._chip.word_elements.bit_length() - 1
        block, index, count = Signal(BLOCKS), Signal.like(self.word), Signal.like(self.elements)
        at, left, stored = (
            Signal(range(elements)),
            Signal.like(count),
            Signal.like(packets.read_index),
        )
        room = Signal(range(elements + 1))
        taken = Mux(left < room, left, room)
        ends = left <= room
        m.d.comb += [
            self.word.eq(self.ring.first + index),
            room.eq(elements - at),
            self.late.eq(self.go & (self.want | packets.busy)),
        ]
        # cycle 0: read
        offset, arrived = Signal.like(at), Signal()
        number, last = Signal(range(elements + 1)), Signal()
        m.d.sync += [
            arrived.eq(self.granted),
            offset.eq(at),
            number.eq(taken),
            last.eq(ends),
        ]
        with m.If(self.granted):
            m.d.sync += [left.eq(left - taken), at.eq((at + taken)[:shift])]
            with m.If(at + taken == elements):
                m.d.sync += index.eq(Mux(self.word == self.ring.last, 0, index + 1))
            with m.If(ends):
                m.d.sync += self.want.eq(0)
        with m.If(self.go):
            m.d.sync += [
                self.want.eq(1),
                left.eq(Mux(block == self.blocks - 1, self.last, self.elements)),
                count.eq(Mux(block == self.blocks - 1, self.last, self.elements)),
                block.eq(Mux(block == self.blocks - 1, 0, block + 1)),
                stored.eq(0),
            ]
        # cycle 1: the word is there; shift its first element to the first place
        m.d.comb += [
            packer.valid.eq(arrived),
            packer.data.eq(self.read_data >> (offset * self._chip.activation_bits)),
            packer.count.eq(number),
            packer.last.eq(last),
            packer.at.eq(0),
        ]
        # cycle 2: a whole word of the block; cycle 3: header
        m.d.comb += [
            buffer.clk.eq(ClockSignal()),
            buffer.write_en.eq(packer.word_valid),
            buffer.write_index.eq(stored),
            buffer.write_data.eq(packer.word_data),
            buffer.read_index.eq(packets.read_index),
            packets.read_data.eq(buffer.read_data),
            packets.go.eq(packer.word_valid & packer.word_last),
            packets.travel.eq(self.travel),
            packets.count.eq(count),
            self.link.eq(packets.link),
        ]
        with m.If(packer.word_valid):
            m.d.sync += stored.eq(stored + 1)
        return m
