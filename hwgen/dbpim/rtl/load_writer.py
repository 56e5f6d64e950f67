"""Writes a map from memory into the activation buffers: packed pixels, or whole words."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import within_count
from hwgen.chip.rtl.choose import choose, choose_below
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import PIXEL_BYTES, ROW_BITS, Opcode
from hwgen.dbpim.rtl.layouts import bus_writes, packet
from hwgen.dbpim.rtl.region import bank_of
from hwgen.dbpim.rtl.word_queue import Pushed, WordQueue, placed_word


class Place(NamedTuple):
    """Registers: row, column and channel word of the next word, counted from the LOAD's first."""

    row: Signal
    column: Signal
    word: Signal


class Word(NamedTuple):
    """A word that may be written in this cycle: its place counts from the LOAD's first."""

    valid: Signal
    column: Signal
    data: Signal
    row: Signal
    word: Signal


class Held(NamedTuple):
    """What is held before or behind a pixel.

    until: pixels to pass before the next word is complete; window: the pixels before
    used: pixels used of the beat
    """

    until: Value
    window: Value
    used: Value


class Pass(NamedTuple):
    """A pixel that is passed in a cycle if it `goes`; all else as it is if all before it go.

    complete: it completes a window; taken: it uses the beat up; ends: it ends the row
    behind: what is held behind it
    """

    goes: Value
    complete: Value
    taken: Value
    ends: Value
    behind: Held


class LoadWriter(Part):
    """Cuts beats into words and writes each to its stored row and column.

    Packed pixels: the pixels of a row are passed `pixel_lanes` at a time, with those outside the
    row, from ``-window_padding`` on, up to the end of the row and of the beat. The word of a column
    is written with the last pixel of its window. A row ends with its last pixel in memory or its
    last word, whichever is later.
    Whole words: a word is written with its last byte, channel word after channel word. Where a
    beat has two words or more and the bus two lanes, two words are taken in a cycle: one of a pixel
    in an even bank and one of a pixel in an odd bank are written, and `pair_words` of each are
    held. All rests in a cycle without a beat; the last beat stays until the last word is written.

    Ports
        header       in         LOAD packet   held from the cycle before the first beat on
        beats        stream in  port_bits     the data, lowest byte first; a beat is taken with its
                                              last pixel or word, or with the last one of the LOAD
        write_valid  out        lanes         words are written in this cycle
        write        out        bus_writes    those words, each in its lane, all bytes enabled
        done         out        1             the last pixel or word of the LOAD
    Latency  0 from ``beats`` to ``write``
    Rate     `pixel_lanes` pixels, of the row or outside of it, or one word in each cycle; two of
             pixels of up to 2 * `pair_words` words; a word that is larger than a beat in as many
             cycles as it has beats
    Errors   none; rows and columns must be at least 1
    Golden   ``verif.reference.dbpim.load``
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._word_bits = ACTIVATION_BITS * arch.word
        super().__init__(
            {
                "header": In(packet(Opcode.LOAD, arch)),
                "beats": In(stream.Signature(arch.port_bits)),
                "write_valid": Out(arch.bus_words),
                "write": Out(bus_writes(arch)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        header = self.header
        place = Place(row=Signal(ROW_BITS), column=Signal(ROW_BITS + 1), word=Signal(ROW_BITS))
        pairs = self._arch.pair_words > 0
        words = [
            Word(
                Signal(name=f"valid_{number}"),
                Signal(ROW_BITS + 1, name=f"column_{number}"),
                Signal(self._word_bits, name=f"word_{number}"),
                Signal(ROW_BITS, name=f"row_{number}") if pairs else place.row,
                Signal(ROW_BITS, name=f"channel_word_{number}") if pairs else place.word,
            )
            for number in range(self._arch.pixel_lanes)
        ]
        row_ends, ends = Signal(), Signal()
        m.d.comb += ends.eq(place.row + 1 == header.rows)
        if not pairs:
            m.d.comb += self.done.eq(row_ends & ends)
        with m.If(row_ends):
            m.d.sync += [place.column.eq(0), place.row.eq(Mux(ends, 0, place.row + 1))]
        with m.If(header.pixel_bytes == 0):
            if pairs:
                self._pairs(m, place=place, written=words[:2])
            else:
                self._words(m, place=place, written=words[0], row_ends=row_ends)
        with m.Else():
            self._pixels(m, place=place, words=words, row_ends=row_ends, last_row=ends)
            if pairs:
                m.d.comb += self.done.eq(row_ends & ends)
                for word in words:
                    m.d.comb += [word.row.eq(place.row), word.word.eq(place.word)]
        self._send(m, words, place=place)
        valid = self.beats.valid
        within_count(m, "the row of a map", place.row, header.rows, when=valid)
        within_count(m, "the word of a pixel", place.word, header.output_channel_words, when=valid)
        return m

    def _send(self, m: Module, words: list[Word], *, place: Place) -> None:
        """Bring each word into the lane of its bank."""
        header, lanes = self.header, self._arch.bus_words
        common = (header.first_row + place.row)[:ROW_BITS]
        columns, banks = [], []
        for number, word in enumerate(words):
            column = Signal(ROW_BITS, name=f"stored_{number}")
            m.d.comb += column.eq(header.first_column + word.column)
            columns.append(column)
            banks.append(bank_of(self._arch, row=self._row_of(word), column=column))
        for lane, write in enumerate(self.write):
            valid, chosen = Signal(name=f"sends_{lane}"), Signal(ROW_BITS, name=f"at_{lane}")
            content = Signal(self._word_bits, name=f"content_{lane}")
            row, channel_word = common, place.word
            if self._arch.pair_words:
                row, channel_word = (
                    Signal(ROW_BITS, name=f"{name}_of_{lane}") for name in ("row", "channel_word")
                )
            for word, column, bank in zip(words, columns, banks, strict=True):
                with m.If(word.valid & ((bank & (lanes - 1)) == lane)):
                    m.d.comb += [valid.eq(1), chosen.eq(column), content.eq(word.data)]
                    if self._arch.pair_words:
                        m.d.comb += [row.eq(self._row_of(word)), channel_word.eq(word.word)]
            m.d.comb += [
                self.write_valid[lane].eq(valid),
                write.data.eq(content),
                write.enable.eq(-1),
                write.row.eq(row),
                write.column.eq(chosen),
                write.word.eq(channel_word),
            ]

    def _row_of(self, word: Word) -> Value:
        """Return the stored row of a word."""
        return (self.header.first_row + word.row)[:ROW_BITS]

    def _pairs(self, m: Module, *, place: Place, written: list[Word]) -> None:
        """Take two words in a cycle; write one of the oldest in even banks, one in odd ones."""
        arch, per_beat = self._arch, self._arch.port_bytes // self._arch.word
        number = Signal(range(per_beat))
        all_in = Signal()
        following, ends = self._places_behind(m, place)
        taken, two, beat_ends = Signal(), Signal(), Signal()
        parts = [self.beats.payload.word_select(n, self._word_bits) for n in range(per_beat)]
        given = []
        for offset, at in enumerate((place, following[0])):
            word = Signal(placed_word(arch), name=f"given_{offset}")
            m.d.comb += [
                *(getattr(word, name).eq(getattr(at, name)) for name in Place._fields),
                word.data.eq(choose(parts[offset::2], number[1:])),
            ]
            given.append(word)
        odd = [self._is_odd(word) for word in given]
        queues = [WordQueue(arch, name=f"{name}_words") for name in ("even", "odd")]
        room: Value = Const(1)
        for parity, queue in enumerate(queues):
            mine = [each == parity for each in odd]
            both = Signal(name=f"both_{parity}")
            m.d.comb += both.eq(mine[0] & mine[1] & ~ends[0])
            room = room & queue.has_room(two=both)
            pushed = Pushed(
                taken & (mine[0] | (two & mine[1])),
                taken & both,
                (Mux(mine[0], given[0], given[1]), given[1].as_value()),
            )
            queue.step(m, runs=self.beats.valid, pushed=pushed)
            word, head = written[parity], queue.head
            m.d.comb += [
                word.valid.eq(queue.valid),
                word.row.eq(head.row),
                word.column.eq(head.column),
                word.word.eq(head.word),
                word.data.eq(head.data),
            ]
        m.d.comb += [
            two.eq(~ends[0]),
            taken.eq(self.beats.valid & ~all_in & room),
            beat_ends.eq(number == per_beat - 2),
            self.done.eq(
                self.beats.valid
                & (all_in | (taken & ends.any()))
                & queues[0].empty
                & queues[1].empty
            ),
            self.beats.ready.eq(self.done | (taken & beat_ends & ~ends.any())),
        ]
        with m.If(taken):
            m.d.sync += [
                all_in.eq(ends.any()),
                number.eq(Mux(beat_ends | ends.any(), 0, number + 2)),
                *(
                    now.eq(Mux(ends.any(), 0, new))
                    for now, new in zip(place, following[1], strict=True)
                ),
            ]
        with m.If(self.done):
            m.d.sync += all_in.eq(0)

    def _is_odd(self, word: data.View) -> Value:
        """Return whether a word lies in an odd bank."""
        row = self.header.first_row + word.row
        column = self.header.first_column + word.column
        return bank_of(self._arch, row=row, column=column)[0]

    def _places_behind(self, m: Module, place: Place) -> tuple[list[Place], Signal]:
        """Return the places one and two words behind; bit n: the one before it is the last."""
        found, ends = [place], Signal(2)
        for number in range(2):
            now = found[-1]
            new = Place(*(Signal.like(each, name=f"{each.name}_behind_{number}") for each in place))
            pixel_ends = now.word + 1 == self.header.output_channel_words
            row_ends = pixel_ends & (now.column + 1 == self.header.columns)
            m.d.comb += [
                new.word.eq(Mux(pixel_ends, 0, now.word + 1)),
                new.column.eq(Mux(row_ends, 0, now.column + pixel_ends)),
                new.row.eq(now.row + row_ends),
                ends[number].eq(row_ends & (now.row + 1 == self.header.rows)),
            ]
            found.append(new)
        return found[1:], ends

    def _words(self, m: Module, *, place: Place, written: Word, row_ends: Signal) -> None:
        """Write whole words in the order of the memory."""
        width = min(self._word_bits, self._arch.port_bits)
        per_beat, beats = self._arch.port_bits // width, self._word_bits // width
        number, held = Signal(range(max(per_beat, 2))), Signal(self._word_bits)
        whole, beat_ends, pixel_ends = Signal(), Signal(), Signal()
        parts = [self.beats.payload.word_select(n, width) for n in range(per_beat)]
        part = choose(parts, number)
        if beats == 1:
            m.d.comb += [written.data.eq(part), whole.eq(self.beats.valid)]
        else:
            count = Signal(range(beats))
            # The first beats of a word are held; its last one completes it.
            m.d.comb += [
                written.data.eq(Cat(held[:-width], part)),
                whole.eq(self.beats.valid & (count == beats - 1)),
            ]
            with m.If(self.beats.valid):
                m.d.sync += [held.word_select(count, width).eq(part), count.eq(count + 1)]
        m.d.comb += [
            written.valid.eq(whole),
            written.column.eq(place.column),
            pixel_ends.eq(place.word + 1 == self.header.output_channel_words),
            row_ends.eq(whole & pixel_ends & (place.column + 1 == self.header.columns)),
            beat_ends.eq(number == per_beat - 1),
            self.beats.ready.eq(beat_ends | self.done),
        ]
        with m.If(whole):
            m.d.sync += [
                number.eq(Mux(beat_ends | self.done, 0, number + 1)),
                place.word.eq(Mux(pixel_ends, 0, place.word + 1)),
            ]
            with m.If(~row_ends):
                m.d.sync += place.column.eq(place.column + pixel_ends)

    def _pixels(
        self,
        m: Module,
        *,
        place: Place,
        words: list[Word],
        row_ends: Signal,
        last_row: Signal,
    ) -> None:
        """Pass pixels of a row, one after the other in a cycle; a shift register holds the window.

        The beat of the last pixel of all stays until the LOAD is done.
        """
        begins = Signal(init=1)
        # Column of the next pixel in memory: it is kept, for all others of a cycle hang on it.
        column = Signal(signed(ROW_BITS + 7), name="memory_column")
        before = -self.header.window_padding
        held = self._held("held")
        first = held._replace(until=Mux(begins, self.header.window_pixels - 1, held.until))
        passes = self._passes(
            m, place=place, words=words, last_row=last_row, first=first, column=column
        )
        gone = Cat(each.goes for each in passes)
        m.d.comb += [
            row_ends.eq((gone & Cat(each.ends for each in passes)).any()),
            self.beats.ready.eq(self.done | (gone & Cat(each.taken for each in passes)).any()),
        ]
        with m.If(self.beats.valid):
            for each in passes:
                with m.If(each.goes):
                    m.d.sync += [one.eq(new) for one, new in zip(held, each.behind, strict=True)]
            valid = sum((word.valid for word in words), Const(0))
            m.d.sync += [
                begins.eq(begins & ~gone.any()),
                column.eq(column + sum(gone, Const(0))),
                place.column.eq(place.column + valid),
            ]
            with m.If(row_ends):
                m.d.sync += [
                    held.window.eq(0),
                    begins.eq(1),
                    column.eq(before),
                    place.column.eq(0),
                ]
            with m.If(self.done):
                m.d.sync += held.used.eq(0)
        with m.Elif(begins):
            m.d.sync += column.eq(before)

    def _held(self, name: str) -> Held:
        """Return signals for what is held."""
        return Held(
            Signal.like(self.header.window_pixels, name=f"{name}_until"),
            Signal(self._word_bits, name=f"{name}_window"),
            Signal(bits_for_index(self._arch.port_bytes), name=f"{name}_used"),
        )

    def _passes(
        self,
        m: Module,
        *,
        place: Place,
        words: list[Word],
        last_row: Signal,
        first: Held,
        column: Signal,
    ) -> list[Pass]:
        """Return the pixels of a cycle, and drive the words that they complete."""
        found: list[Pass] = []
        # Whether the columns are over after so many words of this cycle.
        reached = Signal(len(words) + 1)
        for count, bit in enumerate(reached):
            over = Cat(place.column + n == self.header.columns for n in range(count + 1))
            m.d.comb += bit.eq(over.any())
        goes, taken, complete, held = self.beats.valid, Const(0), Const(0), first
        for number, word in enumerate(words):
            at = Signal(signed(ROW_BITS + 7), name=f"x_{number}")
            m.d.comb += at.eq(column + number)
            given = self._pass(m, number, before=held, at=at, last_row=last_row)
            goes_now, ends = Signal(name=f"goes_{number}"), Signal(name=f"ends_{number}")
            behind = complete + given.complete
            m.d.comb += [
                goes_now.eq(goes & ~(given.goes & taken)),
                ends.eq(given.ends & choose_below(list(reached), behind)),
                word.data.eq(given.behind.window),
                word.column.eq(place.column + complete),
                word.valid.eq(goes_now & given.complete & ~choose_below(list(reached), complete)),
            ]
            found.append(given._replace(goes=goes_now, ends=ends))
            goes, taken, complete, held = (
                goes_now & ~ends,
                taken | given.taken,
                behind,
                given.behind,
            )
        return found

    def _pass(self, m: Module, number: int, *, before: Held, at: Signal, last_row: Signal) -> Pass:
        """Return a pixel by itself: `goes` is whether it needs the beat, `ends` the last one."""
        header, behind = self.header, self._held(f"behind_{number}")
        names = ("inside", "beat_ends", "complete", "last")
        inside, beat_ends, complete, last = (Signal(name=f"{name}_{number}") for name in names)
        pixel = self._pixel(m, number, used=before.used, inside=inside, beat_ends=beat_ends)
        m.d.comb += [
            inside.eq((at >= 0) & (at < header.memory_columns)),
            last.eq(at + 1 >= header.memory_columns),
            complete.eq(before.until == 0),
            behind.until.eq(Mux(complete, header.window_stride - 1, before.until - 1)),
            behind.window.eq(self._shifted(before.window, pixel)),
            behind.used.eq(Mux(inside, Mux(beat_ends, 0, before.used + 1), before.used)),
        ]
        return Pass(inside, complete, inside & beat_ends & ~(last_row & last), last, behind)

    def _pixel(
        self, m: Module, number: int, *, used: Value, inside: Signal, beat_ends: Signal
    ) -> Value:
        """Return the channels of the next pixel, zeros above, or the byte outside in each."""
        header = self.header
        size = ACTIVATION_BITS * max(PIXEL_BYTES)
        found, channels = (Signal(size, name=f"{name}_{number}") for name in ("found", "channels"))
        with m.Switch(header.pixel_bytes):
            for count in PIXEL_BYTES:
                with m.Case(count):
                    per_beat, bits = self._arch.port_bytes // count, ACTIVATION_BITS * count
                    pixels = [self.beats.payload.word_select(n, bits) for n in range(per_beat)]
                    m.d.comb += [
                        found.eq(choose(pixels, used)),
                        beat_ends.eq(used == per_beat - 1),
                    ]
        outside = header.window_value.replicate(max(PIXEL_BYTES))
        bytes_of = Cat(
            (header.pixel_channels > n).replicate(ACTIVATION_BITS) for n in range(max(PIXEL_BYTES))
        )
        m.d.comb += channels.eq(Mux(inside, found, outside) & bytes_of)
        return channels

    def _shifted(self, window: Value, pixel: Value) -> Value:
        """Return the window without its first pixel, with one more pixel above."""
        header = self.header
        byte_bits = bits_for_index(self._arch.word)
        top = (header.pixel_channels * (header.window_pixels - 1))[:byte_bits]
        kept = window >> (header.pixel_channels << 3)
        return (kept | (pixel << (top << 3)))[: self._word_bits]
