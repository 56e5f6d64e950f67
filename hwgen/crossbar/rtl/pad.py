"""The scratchpad of a macro, who may use its one port, and how results come into it.

Packer: chunks of elements become words, from any position on.
Store: the results of a block go into the ring of their layer.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, ClockSignal, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.cells import Cells
from hwgen.chip.rtl.checks import holds, in_range, must, one_hot, within
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.layouts import ring
from hwgen.crossbar.rtl.shifts import any_of, below, moved_up


class PadMemory(MemoryPart):
    """The words of a scratchpad; a compiled memory can replace the module.

    Ports
        clk         in   1           rising edge; there is no reset
        write_en    in   elements    store an element at this clock edge
        read_en     in   1
        word        in   word_bits   of both
        write_data  in   elements x bits
        read_data   out  elements x bits  in the next cycle, held until the next read
    Latency  1 from ``read_en`` to ``read_data``
    Rate     one access in each cycle
    Errors   none; what was never written is garbage
    Golden   indexing
    Source   seed 003, Fig. 2 (b): scratchpad
    """

    family = "crossbar"
    reads_what_it_writes = False

    def __init__(self, *, words: int, elements: int, bits: int) -> None:
        self._words, self._elements, self._bits = words, elements, bits
        super().__init__(
            {
                "clk": In(1),
                "write_en": In(elements),
                "read_en": In(1),
                "word": In(bits_for_index(words)),
                "write_data": In(elements * bits),
                "read_data": Out(elements * bits),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._words}x{self._elements}x{self._bits}"

    def cells(self, m: Module) -> Cells:
        """Connect the ports with the cells."""
        return Cells(
            depth=1 << len(self.word),
            clk=self.clk,
            write_en=self.write_en,
            write_index=self.word,
            write_data=self.write_data,
            read_index=self.word,
            read_data=self.read_data,
            read_en=self.read_en,
        )


class Pad(Part):
    """One port for all engines of a macro; of those that ask the first one is served.

    Parameters
    ----------
        words          of the scratchpad
        elements, bits of a word
        writers        engines that write; they come before
        readers        engines that read
        access_clocks  of an access
    Ports
        want       in   writers + readers  engine e asks; held until granted
        word       in   (writers + readers) x word_bits
        enables    in   writers x elements
        data       in   writers x elements x bits
        order      in   (writers + readers) x order_bits  constant: the place of each in the order
        granted    out  writers + readers  in the same cycle
        read_data  out  elements x bits    behind the cycle of a grant, until the next read
    Latency  1 from a grant to ``read_data``
    Rate     one access in ``access_clocks`` cycles
    Errors   none; two engines of one place in the order are a mistake of the generator
    Golden   none; the bench has the order
    Source   docs/crossbar-rules.md: what arrives, then engines by rising accesses
    """

    family = "crossbar"

    def __init__(
        self,
        *,
        words: int,
        elements: int,
        bits: int,
        writers: int,
        readers: int,
        access_clocks: int,
    ) -> None:
        self._words = words
        self._memory = PadMemory(words=words, elements=elements, bits=bits)
        self.parts = [self._memory]
        self._word_bits = bits_for_index(words)
        self._width, self._elements = elements * bits, elements
        self._writers, self._engines = writers, writers + readers
        self._clocks = access_clocks
        self._size = f"{words}x{elements}x{bits}w{writers}r{readers}"
        self._order_bits = bits_for_index(self._engines)
        super().__init__(
            {
                "want": In(self._engines),
                "word": In(self._engines * self._word_bits),
                "enables": In(max(1, writers) * elements),
                "data": In(max(1, writers) * self._width),
                "order": In(self._engines * self._order_bits),
                "granted": Out(self._engines),
                "read_data": Out(self._width),
            }
        )

    @property
    def size_suffix(self) -> str:
        return self._size

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self._memory.instance()
        free = Signal()
        if self._clocks == 1:
            m.d.comb += free.eq(1)
        else:
            since = Signal(range(self._clocks))
            m.d.comb += free.eq(since == 0)
            with m.If(self.granted.any()):
                m.d.sync += since.eq(self._clocks - 1)
            with m.Elif(since != 0):
                m.d.sync += since.eq(since - 1)
        place = [self.order.word_select(e, self._order_bits) for e in range(self._engines)]
        for engine in range(self._engines):
            before = [
                self.want[other] & (place[other] < place[engine])
                for other in range(self._engines)
                if other != engine
            ]
            blocked = any_of(before)
            m.d.comb += self.granted[engine].eq(self.want[engine] & free & ~blocked)
        writers = range(self._writers)
        m.d.comb += [
            memory.clk.eq(ClockSignal()),
            memory.word.eq(self._chosen(self.word, self._word_bits, range(self._engines))),
            memory.write_en.eq(self._chosen(self.enables, self._elements, writers)),
            memory.write_data.eq(self._chosen(self.data, self._width, writers)),
            memory.read_en.eq(self.granted[self._writers :].any()),
            self.read_data.eq(memory.read_data),
        ]
        one_hot(m, "granted", self.granted)
        within(m, "word", memory.word, self._words, when=self.granted.any())
        return m

    def _chosen(self, fields: Value, bits: int, engines: Sequence[int]) -> Value:
        """Return the field of the engine that is granted; 0 without one."""
        terms = [Mux(self.granted[e], fields.word_select(e, bits), 0) for e in engines]
        return any_of(terms)


class Packer(Part):
    """Puts elements side by side into words; the first element of a block stands at `at`.

    Parameters
    ----------
        chunk    elements that come in a clock, at most; not more than a word has
        word     elements of a word
        bits     of an element
    Ports
        valid       in   1
        data        in   chunk x bits  the first element lowest
        count       in   count_bits    elements that are there, 0 to ``chunk``
        last        in   1             the block ends with this chunk
        at          in   at_bits       valid with the first chunk of a block: its place in a word
        word_valid  out  1             in the next cycle; of the last chunk of a block also in the
                                       one behind, if it begins another word
        word_data   out  word x bits   elements that are not of the block are 0
        enables     out  word          elements of the word that are of the block
        word_last   out  1             no other word of the block follows
    Latency  1 from the chunk that fills a word, or is the last one
    Rate     one chunk in each cycle; none in the cycle behind the last one
    Errors   none
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: pixel p of a map lies at p x channels in its ring
    """

    family = "crossbar"

    def __init__(self, *, chunk: int, word: int, bits: int) -> None:
        if chunk > word:
            raise ValueError(f"chunk must be at most a word of {word} elements, got {chunk}")
        self._chunk, self._word, self._bits = chunk, word, bits
        super().__init__(
            {
                "valid": In(1),
                "data": In(chunk * bits),
                "count": In(range(chunk + 1)),
                "last": In(1),
                "at": In(range(word)),
                "word_valid": Out(1),
                "word_data": Out(word * bits),
                "enables": Out(word),
                "word_last": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._chunk}x{self._word}x{self._bits}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, word = self._bits, self._word
        begun, flush = Signal(), Signal()
        place, here, start = Signal(range(word)), Signal(range(word)), Signal(range(word))
        rest, first = Signal(self._chunk * bits), Signal(range(word))
        held = Signal(word * bits)
        self.guarded(self.word_data, self.enables)
        both = Signal((word + self._chunk) * bits)
        end = Signal(range(2 * word + 1))
        known = self.data & below(self.count, self._chunk, unit=bits)
        m.d.comb += [
            here.eq(Mux(begun, place, self.at)),
            start.eq(Mux(begun, first, self.at)),
            both.eq(held | moved_up(known, here, unit=bits)),
            end.eq(here + self.count),
            rest.eq(both[word * bits :]),
        ]
        full = end >= word
        in_range(m, "count", self.count, self._chunk, when=self.valid)
        in_range(m, "end", end, 2 * word, when=self.valid)
        must(m, ~flush, "the packer must take no word while it is full", when=self.valid)
        m.d.sync += [self.word_valid.eq(0), self.word_last.eq(0), flush.eq(0)]
        with m.If(self.valid):
            m.d.sync += [
                begun.eq(~self.last),
                place.eq(Mux(full, end - word, end)),
                held.eq(Mux(full, rest, Mux(self.last, 0, both[: word * bits]))),
                self.word_valid.eq(full | self.last),
                self.word_data.eq(both[: word * bits]),
                self.enables.eq(~below(start, word) & below(end, word)),
                first.eq(Mux(full, 0, start)),
                self.word_last.eq(self.last & (end <= word)),
                flush.eq(self.last & (end > word)),
            ]
        with m.If(flush):
            m.d.sync += [
                held.eq(0),
                self.word_valid.eq(1),
                self.word_data.eq(held),
                self.enables.eq(below(place, word)),
                self.word_last.eq(1),
            ]
        return m


BLOCKS = 24
"""Bits of the blocks of an image."""


class Store(Part):
    """Writes the words of a block, of which the first and the last may be shared with others.

    Parameters
    ----------
        words     of the scratchpad
        word      elements of a word
        elements  of the longest block
    Ports
        go          in   1             the strobe
        half        in   1             parity of the block, valid with it
        ring        in   ring          constant: where blocks lie behind each other
        blocks      in   24            constant: of an image
        elements    in   element_bits  constant: of a block
        last        in   element_bits  constant: of the last block of an image
        read_index  out  index_bits    word of the block, in `Results`
        read_half   out  1
        want        out  1             at the port of the scratchpad
        word        out  word_bits
        enables     out  word
        granted     in   1
        late        out  1             ``go`` before the block before is through
    Latency  1 from ``go`` to the first ``want``
    Rate     a word in each cycle
    Errors   ``late``
    Golden   the elements in their order
    Source   docs/crossbar-rules.md: store
    """

    family = "crossbar"

    def __init__(self, *, words: int, word: int, elements: int) -> None:
        self._words, self._word, self._elements = words, word, elements
        bits = (elements + word).bit_length()
        self._index_bits = bits_for_index((elements + word - 2) // word + 1)
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "ring": In(ring(words)),
                "blocks": In(BLOCKS),
                "elements": In(bits),
                "last": In(bits),
                "read_index": Out(self._index_bits),
                "read_half": Out(1),
                "want": Out(1),
                "word": Out(bits_for_index(words)),
                "enables": Out(word),
                "granted": In(1),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{len(self.word)}x{self._word}e{len(self.elements)}i{self._index_bits}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shift = self._word.bit_length() - 1
        block, index = Signal(BLOCKS), Signal.like(self.word)
        at, end = Signal(range(self._word)), Signal.like(self.elements)
        # Of the word that is asked for: its first element of the block, and the one behind.
        first, behind = Signal.like(at), Signal(range(self._word + 1))
        bits = len(self.read_index)
        count = Mux(block == self.blocks - 1, self.last, self.elements)
        last_word = self.read_index == ((end - 1) >> shift)
        m.d.comb += [
            self.word.eq(self.ring.first + index),
            first.eq(Mux(self.read_index == 0, at, 0)),
            behind.eq(Mux(self.read_index == end >> shift, end[:shift], self._word)),
            self.enables.eq(below(behind, self._word) & ~below(first, self._word)),
            self.late.eq(self.go & self.want & ~(self.granted & last_word)),
        ]
        with m.If(self.granted):
            m.d.sync += self.read_index.eq((self.read_index + 1)[:bits])
            with m.If(~last_word | (end[:shift] == 0)):
                wraps = self.word == self.ring.last
                m.d.sync += index.eq(Mux(wraps, 0, index + 1))
            with m.If(last_word):
                m.d.sync += [self.want.eq(0), at.eq(end)]
        with m.If(self.go):
            m.d.sync += [
                self.want.eq(1),
                self.read_index.eq(0),
                self.read_half.eq(self.half),
                end.eq(Mux(self.want, end[:shift], at) + count),
                block.eq(Mux(block == self.blocks - 1, 0, block + 1)),
            ]
        word = Cat(self.word, self.enables)
        holds(m, "word", valid=self.want, ready=self.granted, payload=word, unless=self.go)
        must(m, self.want, "the block must give no word while it is empty", when=self.granted)
        return m
