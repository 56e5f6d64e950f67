"""Writes a map from memory into the activation buffers: packed pixels, or whole words."""

from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import PIXEL_BYTES, ROW_BITS, Opcode
from hwgen.dbpim.rtl.layouts import bus_writes, packet
from hwgen.dbpim.rtl.region import bank_of


class Place(NamedTuple):
    """Registers: row, column and channel word of the next word, counted from the LOAD's first."""

    row: Signal
    column: Signal
    word: Signal


class Word(NamedTuple):
    """A word that may be written in this cycle: its column counts from the LOAD's first."""

    valid: Signal
    column: Signal
    data: Signal


class Walk(NamedTuple):
    """The state before a pixel of a row is passed.

    passed: pixels passed in this row; until: pixels to pass before the next word is complete
    column: of the next word; window: the pixels before; used: pixels used of the beat
    taken: the beat is used up; ends: the row is over
    """

    passed: Value
    until: Value
    column: Value
    window: Value
    used: Value
    taken: Value
    ends: Value


class LoadWriter(Part):
    """Cuts beats into words and writes each to its stored row and column.

    Packed pixels: the pixels of a row are passed `bus_words` at a time, with those outside the
    row, from ``-window_padding`` on, up to the end of the row and of the beat. The word of a column
    is written with the last pixel of its window. A row ends with its last pixel in memory or its
    last word, whichever is later.
    Whole words: a word is written with its last byte, channel word after channel word.

    Ports
        header       in         LOAD packet   what to write; held
        beats        stream in  port_bits     the data, lowest byte first; a beat is taken with its
                                              last pixel or word, or with the last one of the LOAD
        write_valid  out        lanes         words are written in this cycle
        write        out        bus_writes    those words, each in its lane, all bytes enabled
        done         out        1             the last pixel or word of the LOAD
    Latency  0 from ``beats`` to ``write``
    Rate     `bus_words` pixels, of the row or outside of it, or one word in each cycle; a word that
             is larger than a beat in as many cycles as it has beats
    Errors   none; rows and columns must be at least 1
    Golden   ``golden.dbpim.load``
    Source   docs/dbpim-microarchitecture.md, "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._word_bits = ACTIVATION_BITS * arch.macro.compartments
        super().__init__(
            {
                "header": In(packet(Opcode.LOAD)),
                "beats": In(stream.Signature(arch.port_bits)),
                "write_valid": Out(arch.bus_words),
                "write": Out(bus_writes(arch)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        header = self.header
        place = Place(Signal(ROW_BITS), Signal(ROW_BITS + 1), Signal(ROW_BITS))
        words = [
            Word(
                Signal(name=f"valid_{number}"),
                Signal(ROW_BITS + 1, name=f"column_{number}"),
                Signal(self._word_bits, name=f"word_{number}"),
            )
            for number in range(self._arch.bus_words)
        ]
        row_ends, ends = Signal(), Signal()
        m.d.comb += [
            ends.eq(place.row + 1 == header.rows),
            self.done.eq(row_ends & ends),
        ]
        with m.If(row_ends):
            m.d.sync += [place.column.eq(0), place.row.eq(Mux(ends, 0, place.row + 1))]
        with m.If(header.pixel_bytes == 0):
            self._words(m, place=place, written=words[0], row_ends=row_ends)
        with m.Else():
            self._pixels(m, place=place, words=words, row_ends=row_ends, last_row=ends)
        self._send(m, words, place=place)
        return m

    def _send(self, m: Module, words: list[Word], *, place: Place) -> None:
        """Bring each word into the lane of its bank."""
        header, lanes = self.header, self._arch.bus_words
        row = (header.first_row + place.row)[:ROW_BITS]
        columns, banks = [], []
        for number, word in enumerate(words):
            column = Signal(ROW_BITS, name=f"stored_{number}")
            m.d.comb += column.eq(header.first_column + word.column)
            columns.append(column)
            banks.append(bank_of(self._arch, row=row, column=column))
        for lane, write in enumerate(self.write):
            valid, chosen = Signal(name=f"sends_{lane}"), Signal(ROW_BITS, name=f"at_{lane}")
            content = Signal(self._word_bits, name=f"content_{lane}")
            for word, column, bank in zip(words, columns, banks, strict=True):
                with m.If(word.valid & ((bank & (lanes - 1)) == lane)):
                    m.d.comb += [valid.eq(1), chosen.eq(column), content.eq(word.data)]
            m.d.comb += [
                self.write_valid[lane].eq(valid),
                write.data.eq(content),
                write.enable.eq(-1),
                write.row.eq(row),
                write.column.eq(chosen),
                write.word.eq(place.word),
            ]

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
        header = self.header
        passed, until = Signal(ROW_BITS + 6), Signal.like(header.window_pixels)
        window, used = Signal(self._word_bits), Signal(bits_for_index(self._arch.port_bytes))
        first = Mux(passed == 0, header.window_pixels - 1, until)
        none = Value.cast(0)
        walk = Walk(passed, first, place.column, window, used, none, ~self.beats.valid)
        for number, word in enumerate(words):
            walk = self._pass(m, walk, word=word, number=number, last_row=last_row)
        m.d.comb += [
            row_ends.eq(self.beats.valid & walk.ends),
            self.beats.ready.eq(self.done | walk.taken),
        ]
        with m.If(self.beats.valid):
            m.d.sync += [
                window.eq(Mux(row_ends, 0, walk.window)),
                passed.eq(Mux(row_ends, 0, walk.passed)),
                until.eq(walk.until),
                used.eq(Mux(self.done, 0, walk.used)),
            ]
            with m.If(~row_ends):
                m.d.sync += place.column.eq(walk.column)

    def _pass(self, m: Module, walk: Walk, *, word: Word, number: int, last_row: Signal) -> Walk:
        """Pass a pixel unless the row or the beat is over; return the state after it."""
        header = self.header
        after = Walk(
            *(
                Signal(shape, name=f"{name}_{number}")
                for name, shape in (
                    ("passed", ROW_BITS + 6),
                    ("until", header.window_pixels.shape()),
                    ("next_column", ROW_BITS + 1),
                    ("window", self._word_bits),
                    ("used", bits_for_index(self._arch.port_bytes)),
                    ("taken", 1),
                    ("ends", 1),
                )
            )
        )
        x = Signal(signed(ROW_BITS + 7), name=f"x_{number}")
        names = ("inside", "goes", "passed_all", "beat_ends")
        inside, goes, passed_all, beat_ends = (Signal(name=f"{name}_{number}") for name in names)
        pixel = self._pixel(m, number, used=walk.used, inside=inside, beat_ends=beat_ends)
        complete = walk.until == 0
        m.d.comb += [
            x.eq(walk.passed - header.window_padding),
            inside.eq((x >= 0) & (x < header.memory_columns)),
            goes.eq(~walk.ends & ~(inside & walk.taken)),
            word.data.eq(self._shifted(walk.window, pixel)),
            word.column.eq(walk.column),
            word.valid.eq(goes & complete & (walk.column != header.columns)),
            passed_all.eq(x + 1 >= header.memory_columns),
            after.passed.eq(walk.passed + goes),
            after.column.eq(walk.column + word.valid),
            after.until.eq(walk.until),
            after.window.eq(walk.window),
            after.used.eq(walk.used),
            after.taken.eq(walk.taken | (goes & inside & beat_ends & ~(last_row & passed_all))),
            after.ends.eq(walk.ends | (goes & passed_all & (after.column == header.columns))),
        ]
        with m.If(goes):
            m.d.comb += [
                after.until.eq(Mux(complete, header.window_stride - 1, walk.until - 1)),
                after.window.eq(word.data),
            ]
            with m.If(inside):
                m.d.comb += after.used.eq(Mux(beat_ends, 0, walk.used + 1))
        return after

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
        byte_bits = bits_for_index(self._arch.macro.compartments)
        top = (header.pixel_channels * (header.window_pixels - 1))[:byte_bits]
        kept = window >> (header.pixel_channels << 3)
        return (kept | (pixel << (top << 3)))[: self._word_bits]
