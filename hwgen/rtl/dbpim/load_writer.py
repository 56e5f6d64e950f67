"""Writes a map from memory into the activation buffers: packed pixels, or whole words."""

from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.rtl.common.choose import choose
from hwgen.rtl.dbpim.layouts import bus_write, packet
from hwgen.rtl.part import Part
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.instructions import PIXEL_BYTES, ROW_BITS, Opcode
from hwgen.spec.widths import bits_for_index


class Place(NamedTuple):
    """Registers: row, column and channel word of the next word, counted from the LOAD's first."""

    row: Signal
    column: Signal
    word: Signal


class LoadWriter(Part):
    """Cuts beats into words and writes each to its stored row and column.

    Packed pixels: the pixels of a row are passed one by one, with those outside the row, from
    ``-window_padding`` on. The word of a column is written with the last pixel of its window. A
    row ends with its last pixel in memory or its last word, whichever is later.
    Whole words: a word is written with its last byte, channel word after channel word.

    Ports
        header       in         LOAD packet   what to write; held
        beats        stream in  port_bits     the data, lowest byte first; a beat is taken with its
                                              last pixel or word, or with the last one of the LOAD
        write_valid  out        1             a word is written in this cycle
        write        out        bus_write     all bytes enabled
        done         out        1             the last pixel or word of the LOAD
    Latency  0 from ``beats`` to ``write``
    Rate     one pixel, one pixel outside the row or one word in each cycle; a word that is larger
             than a beat in as many cycles as it has beats
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
                "write_valid": Out(1),
                "write": Out(bus_write(arch)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        header, word = self.header, Signal(self._word_bits)
        place = Place(Signal(ROW_BITS), Signal(ROW_BITS + 1), Signal(ROW_BITS))
        row_ends, ends = Signal(), Signal()
        m.d.comb += [
            self.write.data.eq(word),
            self.write.enable.eq(-1),
            self.write.row.eq(header.first_row + place.row),
            self.write.column.eq(header.first_column + place.column),
            self.write.word.eq(place.word),
            ends.eq(place.row + 1 == header.rows),
            self.done.eq(row_ends & ends),
        ]
        with m.If(row_ends):
            m.d.sync += [place.column.eq(0), place.row.eq(Mux(ends, 0, place.row + 1))]
        with m.If(header.pixel_bytes == 0):
            self._words(m, place=place, word=word, row_ends=row_ends)
        with m.Else():
            self._pixels(m, place=place, word=word, row_ends=row_ends, last_row=ends)
        return m

    def _words(self, m: Module, *, place: Place, word: Signal, row_ends: Signal) -> None:
        """Write whole words in the order of the memory."""
        width = min(self._word_bits, self._arch.port_bits)
        per_beat, beats = self._arch.port_bits // width, self._word_bits // width
        number, held = Signal(range(max(per_beat, 2))), Signal(self._word_bits)
        whole, beat_ends, pixel_ends = Signal(), Signal(), Signal()
        parts = [self.beats.payload.word_select(n, width) for n in range(per_beat)]
        part = choose(parts, number)
        if beats == 1:
            m.d.comb += [word.eq(part), whole.eq(self.beats.valid)]
        else:
            count = Signal(range(beats))
            # The first beats of a word are held; its last one completes it.
            m.d.comb += [
                word.eq(Cat(held[:-width], part)),
                whole.eq(self.beats.valid & (count == beats - 1)),
            ]
            with m.If(self.beats.valid):
                m.d.sync += [held.word_select(count, width).eq(part), count.eq(count + 1)]
        m.d.comb += [
            self.write_valid.eq(whole),
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
        self, m: Module, *, place: Place, word: Signal, row_ends: Signal, last_row: Signal
    ) -> None:
        """Pass the pixels of a row one by one; a shift register holds the window."""
        header, goes = self.header, self.beats.valid
        # Pixels passed in this row; pixels to pass before the next word is complete.
        passed, until = Signal(ROW_BITS + 6), Signal.like(header.window_pixels)
        x, inside, left = Signal(signed(ROW_BITS + 7)), Signal(), Signal.like(until)
        writes, passed_all, written_all, stays = Signal(), Signal(), Signal(), Signal()
        window = Signal(self._word_bits)
        m.d.comb += [
            x.eq(passed - header.window_padding),
            inside.eq((x >= 0) & (x < header.memory_columns)),
            left.eq(Mux(passed == 0, header.window_pixels - 1, until)),
            writes.eq((left == 0) & (place.column != header.columns)),
            word.eq(self._shifted(window, self._pixel(m, inside=inside, stays=stays))),
            passed_all.eq(x + 1 >= header.memory_columns),
            stays.eq(last_row & passed_all),
            written_all.eq(place.column + writes == header.columns),
            self.write_valid.eq(goes & writes),
            row_ends.eq(goes & passed_all & written_all),
        ]
        with m.If(goes):
            m.d.sync += [
                window.eq(Mux(row_ends, 0, word)),
                passed.eq(Mux(row_ends, 0, passed + 1)),
                until.eq(Mux(left == 0, header.window_stride - 1, left - 1)),
            ]
            with m.If(~row_ends):
                m.d.sync += place.column.eq(place.column + writes)

    def _pixel(self, m: Module, *, inside: Signal, stays: Signal) -> Value:
        """Return the channels of the pixel, zeros above; a beat is taken with its last pixel.

        stays: with the last pixel of all; its beat is taken when the LOAD is done
        """
        header = self.header
        size = ACTIVATION_BITS * max(PIXEL_BYTES)
        number = Signal(bits_for_index(self._arch.port_bytes))
        found, channels, beat_ends = Signal(size), Signal(size), Signal()
        with m.Switch(header.pixel_bytes):
            for count in PIXEL_BYTES:
                with m.Case(count):
                    per_beat, bits = self._arch.port_bytes // count, ACTIVATION_BITS * count
                    pixels = [self.beats.payload.word_select(n, bits) for n in range(per_beat)]
                    m.d.comb += [
                        found.eq(choose(pixels, number)),
                        beat_ends.eq(number == per_beat - 1),
                    ]
        outside = header.window_value.replicate(max(PIXEL_BYTES))
        bytes_of = Cat(
            (header.pixel_channels > n).replicate(ACTIVATION_BITS) for n in range(max(PIXEL_BYTES))
        )
        m.d.comb += [
            channels.eq(Mux(inside, found, outside) & bytes_of),
            self.beats.ready.eq(self.done | (inside & beat_ends & ~stays)),
        ]
        with m.If(self.beats.valid & (inside | self.done)):
            m.d.sync += number.eq(Mux(beat_ends | self.done, 0, number + 1))
        return channels

    def _shifted(self, window: Signal, pixel: Value) -> Value:
        """Return the window without its first pixel, with one more pixel above."""
        header = self.header
        byte_bits = bits_for_index(self._arch.macro.compartments)
        top = (header.pixel_channels * (header.window_pixels - 1))[:byte_bits]
        kept = window >> (header.pixel_channels << 3)
        return (kept | (pixel << (top << 3)))[: self._word_bits]
