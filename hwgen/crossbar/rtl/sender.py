"""Sender: a block of a ring goes over the links to all who read it."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.layouts import TRAVEL_BITS, flit, header

PASSED = ["go", "half", "ring", "blocks", "elements", "last"]
PASSED += ["want", "word", "granted", "read_data"]
"""Ports of a sender that are those of its reader."""


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

    def __init__(self, *, chip: Chip, elements: int) -> None:
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
        return f"{len(self.count)}x{len(self.read_index)}"

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
        go, half, ring, blocks, elements, last  in   see `BlockReader`
        want, word, granted, read_data               see `BlockReader`
        travel  in   travel_bits  constant
        link    out  flit
        late    out  1            ``go`` before the block before is read, or has left
    Latency  1 from ``go`` to the first ``want``, 4 from the last grant to the header
    Rate     a word in each cycle, then a flit in each cycle
    Errors   ``late``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: send
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, words: int, elements: int) -> None:
        self._words, self._elements = words, elements
        self._reader = BlockReader(chip=chip, words=words, elements=elements)
        self._packets = Packets(chip=chip, elements=elements)
        self.parts = [self._reader, self._packets]
        passed = self._reader.signature.members
        super().__init__(
            {name: passed[name] for name in PASSED}
            | {"travel": In(TRAVEL_BITS), "link": Out(flit(chip)), "late": Out(1)}
        )

    @property
    def size_suffix(self) -> str:
        return self._reader.size_suffix

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = self._reader.instance()
        m.submodules.packets = packets = self._packets.instance()
        half = Signal()
        with m.If(self.go):
            m.d.sync += half.eq(self.half)
        for name, member in self.signature.members.items():
            if name in PASSED:
                inside, outside = getattr(reader, name), getattr(self, name)
                m.d.comb += inside.eq(outside) if member.flow == In else outside.eq(inside)
        m.d.comb += [
            packets.go.eq(reader.whole),
            packets.travel.eq(self.travel),
            packets.count.eq(reader.count),
            reader.kept_index.eq(packets.read_index),
            reader.kept_half.eq(half),
            packets.read_data.eq(reader.kept),
            self.link.eq(packets.link),
            self.late.eq(reader.late | (self.go & packets.busy)),
        ]
        return m
