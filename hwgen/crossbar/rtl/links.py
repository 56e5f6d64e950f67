"""Links of the mesh: what passes on flits, what takes them, what sends them.

Router: a table and ORs, since nobody ever meets there.
Receiver: flits of one provider become words of the rings of its readers in this macro.
Sender: a block of a ring goes over the links to all who read it.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import holds, must, within
from hwgen.chip.rtl.choose import choose_below
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.routes import PORTS, numbers
from hwgen.crossbar.rtl import layouts
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.layouts import COUNT_BITS, TRAVEL_BITS, flit, header, ring
from hwgen.crossbar.rtl.pad import Packer


class Router(Part):
    """Hands each packet to all outputs that `exits` has for the number in its header.

    outputs[o] = the flit that goes to o, 0 where there is none

    Ports
        exits    in   numbers x 6    constant: outputs by number, see `routes.masks`
        inputs   in   6 x flit       north, east, south, west, macro, I/O node
        outputs  out  6 x flit       in the same order
        clash    out  1              two flits wanted the same output in the clock before
    Latency  1 clock
    Rate     a flit a clock at every port
    Errors   ``clash``; both flits are then lost in an OR
    Golden   ``verif.crossbar.bench_router``
    Source   docs/crossbar-chip.md, "Links"
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip) -> None:
        self._chip = chip
        ports = data.ArrayLayout(layouts.flit(chip), PORTS)
        super().__init__(
            {
                "exits": In(numbers(chip) * PORTS),
                "inputs": In(ports),
                "outputs": Out(ports),
                "clash": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        exits = [self.exits.word_select(place, PORTS) for place in range(numbers(self._chip))]
        ways = []
        for number in range(PORTS):
            flit = self.inputs[number]
            held = Signal(PORTS, name=f"held{number}")
            way = Signal(PORTS, name=f"way{number}")
            travel = flit.data[: layouts.TRAVEL_BITS]
            m.d.comb += way.eq(
                Mux(flit.valid, Mux(flit.head, choose_below(exits, travel), held), 0)
            )
            with m.If(flit.valid & flit.head):
                m.d.sync += held.eq(way)
            ways.append(way)
        clashes = []
        for number in range(PORTS):
            here = [way[number] for way in ways]
            words = [
                Value.cast(self.inputs[source])
                & one.replicate(len(Value.cast(self.inputs[source])))
                for source, one in enumerate(here)
            ]
            whole = words[0]
            for word in words[1:]:
                whole = whole | word
            m.d.sync += Value.cast(self.outputs[number]).eq(whole)
            clashes.append(sum(here[1:], here[0]) > 1)
        m.d.sync += self.clash.eq(Cat(*clashes).any())
        return m


class Receiver(Part):
    """Takes the packets of one travel and writes them behind each other into rings.

    Parameters
    ----------
        chip   sizes of flits and words
        words  of the scratchpad
        rings  that each word is written to, one after the other
    Ports
        link      in   flit         what comes from the router
        travel    in   travel_bits  constant: number of the travel
        rings     in   rings x ring constant: where the words go
        want      out  1            at the port of the scratchpad
        word      out  word_bits
        enables   out  elements
        data      out  elements x bits
        granted   in   1
        overflow  out  1            a word came before the one before it was written
    Latency  3 from the last flit of a word to ``want``
    Rate     a flit in each cycle; a word must be written to all rings before the next one comes
    Errors   ``overflow``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md, "What may not happen": port
    """

    family = "crossbar"

    def __init__(self, *, chip: Chip, words: int, rings: int) -> None:
        self._chip, self._words, self._rings = chip, words, rings
        self._elements, self._bits = chip.word_elements, chip.activation_bits
        self._packer = Packer(chunk=chip.flit_elements, word=self._elements, bits=self._bits)
        self.parts = [self._packer]
        super().__init__(
            {
                "link": In(flit(chip)),
                "travel": In(TRAVEL_BITS),
                "rings": In(data.ArrayLayout(ring(words), rings)),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "enables": Out(self._elements),
                "data": Out(self._elements * self._bits),
                "granted": In(1),
                "overflow": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{len(self.word)}r{self._rings}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chunk = self._chip.flit_elements
        m.submodules.packer = packer = self._packer.instance()
        head = Signal(header(self._chip))
        mine, left, at = Signal(), Signal(COUNT_BITS), Signal(range(self._elements))
        taken = Signal(range(chunk + 1))
        m.d.comb += [
            Cat(head).eq(self.link.data),
            taken.eq(Mux(left < chunk, left, chunk)),
            packer.valid.eq(self.link.valid & ~self.link.head & mine & (left != 0)),
            packer.data.eq(self.link.data),
            packer.count.eq(taken),
            packer.last.eq(left <= chunk),
            packer.at.eq(at),
        ]
        with m.If(self.link.valid & self.link.head):
            m.d.sync += [mine.eq(head.travel == self.travel), left.eq(head.count)]
        with m.If(packer.valid):
            m.d.sync += [left.eq(left - taken), at.eq(self._forward(at, taken))]
        self._write(m, packer=packer)
        return m

    def _forward(self, at: Signal, taken: Signal) -> Mux:
        """Return the place in a word behind some elements."""
        end = at + taken
        return Mux(end >= self._elements, end - self._elements, end)

    def _write(self, m: Module, *, packer: PartInstance) -> None:
        """Write the words that the packer gives, each to one ring after the other."""
        waiting = Signal(range(3))
        word = data.StructLayout({"data": len(self.data), "enables": self._elements})
        first, second, given = Signal(word), Signal(word), Signal(word)
        self.guarded(first, second)
        place = Signal(range(max(2, self._rings)))
        index = Signal(data.ArrayLayout(bits_for_index(self._words), self._rings))
        done = self.granted & (place == self._rings - 1)
        m.d.comb += [
            given.data.eq(packer.word_data),
            given.enables.eq(packer.enables),
            self.want.eq(waiting != 0),
            self.enables.eq(first.enables),
            self.data.eq(first.data),
            self.word.eq(
                choose_below([self.rings[k].first + index[k] for k in range(self._rings)], place)
            ),
            self.overflow.eq(packer.word_valid & (waiting == 2)),
        ]
        with m.If(self.granted):
            m.d.sync += place.eq(Mux(done, 0, place + 1))
        with m.If(done):
            m.d.sync += first.eq(second)
            with m.If(first.enables[-1]):
                for k in range(self._rings):
                    ends = self.rings[k].first + index[k] == self.rings[k].last
                    m.d.sync += index[k].eq(Mux(ends, 0, index[k] + 1))
        with m.If(packer.word_valid):
            with m.If((waiting == 0) | ((waiting == 1) & done)):
                m.d.sync += first.eq(given)
            with m.Else():
                m.d.sync += second.eq(given)
        m.d.sync += waiting.eq(waiting + packer.word_valid - done)
        given = self.granted
        must(m, waiting != 0, "the words must give no word while there are none", when=given)
        held = Cat(self.word, self.enables, self.data)
        holds(m, "word", valid=self.want, ready=given, payload=held)


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
        within(m, "place", place, parts, when=self.busy)
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
        half = Signal(name="half_kept")
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
