"""Loads the body of a tile, after its header: masks, parameters and rows of weights."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PARAMETER_BITS, Coding
from hwgen.dbpim.facts.packing import PIECE_BITS, codings, row_bits, row_pieces
from hwgen.dbpim.rtl.layouts import packed_parameters, parameters, row, row_cells, row_meta, tile
from hwgen.dbpim.rtl.row_unpacker import RowUnpacker, one_digit_row
from hwgen.dbpim.rtl.weight_decoder import WeightDecoder


class TileLoader(Part):
    """Sends the body of a tile to the cores, a beat of masks or weights in each cycle.

    Ports
        header            in         TILE packet   of the tile that is loaded; held
        start             in         1             its body comes from the next cycle on
        beats             stream in  port_bits     the body; taken while a tile is loaded
        done              out        1             the last beat is taken in this cycle
        mask_write        out        1             the beat holds mask words: taken in this cycle
        push              out        1             it is the last of them [without
                                                   ``sparse_parts``: there are none, and it
                                                   is ``start``]
        parameters_write  out        1             parameters of one filter are valid
        parameters_index  out        filter_bits   its number in the filter group
        parameters_data   out        parameters
        row_write         out        1             a row is complete
        row_cells         out        row_cells     its cells
        row_meta          out        row_meta      their signs and indices, and constants [not
                                                   without ``sparse_parts``]
    Latency  0 for masks and parameters; 1 cycle from the last beat of a row to ``row_write``, in
             which ``header`` is still held
    Rate     one beat in each cycle, parameters one filter in each cycle
    Errors   none; a tile has at least one word and one row
    Golden   ``golden.dbpim.weight_decoder``, ``verif.reference.dbpim.packed_weights``
    Source   docs/dbpim-microarchitecture.md, "Stream", "Packed rows" and "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._beat_pieces = arch.port_bits // PIECE_BITS
        self._pieces = {coding: row_pieces(arch, coding) for coding in codings(arch)}
        self._decoder = WeightDecoder(arch=arch) if arch.sparse_parts else None
        self._unpacker = RowUnpacker(arch=arch) if arch.unpacks else None
        self.parts = [each for each in (self._decoder, self._unpacker) if each]
        super().__init__(
            {
                "header": In(tile(arch)),
                "start": In(1),
                "beats": In(stream.Signature(arch.port_bits)),
                "done": Out(1),
                **({"mask_write": Out(1)} if arch.sparse_parts else {}),
                "push": Out(1),
                "parameters_write": Out(1),
                "parameters_index": Out(bits_for_index(arch.sums)),
                "parameters_data": Out(parameters(arch)),
                "row_write": Out(1),
                "row_cells": Out(row_cells(arch)),
                **({"row_meta": Out(row_meta(arch))} if arch.sparse_parts else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        gathered = Signal(self._gathered_pieces * PIECE_BITS)
        pieces = Signal(bits_for_index(self._gathered_pieces))
        self._decode(m, self._codes(m, gathered=gathered, pieces=pieces))
        m.d.sync += self.row_write.eq(0)
        if not self._arch.sparse_parts:
            m.d.comb += self.push.eq(self.start)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += pieces.eq(0)
                if self._arch.sparse_parts:
                    m.next = "MASKS"
                else:
                    self._after_masks(m)
            if self._arch.sparse_parts:
                with m.State("MASKS"):
                    self._masks(m)
                    with m.If(self.push):
                        self._after_masks(m)
            with m.State("PARAMETERS"), m.If(send_parameters(m, self, last=self._last_filter)):
                m.next = "ROWS"
            with m.State("ROWS"):
                self._rows(m, gathered=gathered, pieces=pieces)
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    @property
    def _last_filter(self) -> ValueLike:
        """Number of the last filter of the tile, in a pair of both groups."""
        last = self._arch.filters - 1
        return Mux(self.header.double, self._arch.sums - 1, last) if self._arch.pairs else last

    def _decode(self, m: Module, codes: Value) -> None:
        """Drive cells and metadata of a row; without a decoder a cell is a bit of a weight."""
        if self._decoder is None:
            m.d.comb += self.row_cells.eq(codes)
            return
        m.submodules.decoder = decoder = self._decoder.instance()
        m.d.comb += [
            decoder.row.eq(codes),
            decoder.filter_enable.eq(self.header.filter_enable),
            *([decoder.pair.eq(self.header.double)] if self._arch.pairs else []),
            self.row_cells.eq(decoder.row_cells),
            self.row_meta.eq(decoder.row_meta),
        ]

    def _after_masks(self, m: Module) -> None:
        """Go on with the parameters, if the tile has some, or with its rows."""
        m.next = "ROWS"
        with m.If(self.header.parameters):
            m.next = "PARAMETERS"

    def _masks(self, m: Module) -> None:
        """Take beats of mask words; the cores store them directly from the beat."""
        beat_words = self._arch.port_bits // self._arch.word
        written = Signal.like(self.header.mask_words)
        m.d.comb += [
            self.beats.ready.eq(1),
            self.mask_write.eq(self.beats.valid),
            self.push.eq(self.beats.valid & (written + beat_words >= self.header.mask_words)),
        ]
        with m.If(self.beats.valid):
            m.d.sync += written.eq(Mux(self.push, 0, written + beat_words))

    @property
    def _gathered_pieces(self) -> int:
        """Pieces that hold a row and what its last beat has of the next one."""
        return max(count + self._places(coding) - 1 for coding, count in self._pieces.items())

    def _places(self, coding: Coding) -> int:
        """Return the pieces of a beat with which a row of a coding may begin."""
        longer = self._pieces[coding] > self._beat_pieces
        return self._beat_pieces if coding is not Coding.FLAT and longer else 1

    def _rows(self, m: Module, *, gathered: Signal, pieces: Signal) -> None:
        """Gather the beats of the rows; a complete row is decoded in the next cycle.

        gathered: the latest pieces, the newest on top; pieces: those of the incomplete row, which
        lie above the complete one in the cycle of ``row_write``
        """
        number = Signal.like(self.header.rows)
        sizes = list(self._pieces.values())
        size = self._by_coding(sizes) if len(set(sizes)) > 1 else sizes[0]
        more = Signal(len(pieces) + 1)
        complete, tile_ends = Signal(), number + 1 == self.header.rows
        m.d.comb += [
            self.beats.ready.eq(1),
            more.eq(pieces + self._beat_pieces),
            complete.eq(self.beats.valid & (more >= size)),
            self.done.eq(complete & tile_ends),
        ]
        with m.If(self.beats.valid):
            m.d.sync += [
                gathered.eq(Cat(gathered, self.beats.payload)[-len(gathered) :]),
                pieces.eq(Mux(complete, more - size, more)),
            ]
        m.d.sync += self.row_write.eq(complete)
        with m.If(complete):
            m.d.sync += number.eq(Mux(tile_ends, 0, number + 1))

    def _codes(self, m: Module, *, gathered: Signal, pieces: Signal) -> Value:
        """Return the weight codes of the row that is complete."""
        rows = [self._row(coding, gathered=gathered, pieces=pieces) for coding in self._pieces]
        codes = [rows[Coding.FLAT][: row(self._arch).size]]
        if self._unpacker is not None:
            m.submodules.unpacker = unpacker = self._unpacker.instance()
            m.d.comb += [
                unpacker.triples.eq(rows[Coding.TRIPLES]),
                unpacker.filter_enable.eq(self.header.filter_enable),
            ]
            codes.append(Value.cast(unpacker.row))
        if Coding.DIGITS in self._pieces:
            codes.append(one_digit_row(rows[Coding.DIGITS], self._arch))
        return self._by_coding(codes)

    def _row(self, coding: Coding, *, gathered: Signal, pieces: Signal) -> Value:
        """Return the bits of the complete row, if its tile has a coding."""
        top = (self._gathered_pieces - self._pieces[coding]) * PIECE_BITS
        places = [gathered[top - place * PIECE_BITS :] for place in range(self._places(coding))]
        return choose([each[: row_bits(self._arch, coding)] for each in places], pieces)

    def _by_coding(self, values: Sequence[ValueLike]) -> Value:
        """Return the value of the tile's coding, of values in the order of the codings."""
        chosen = values[0]
        for bit, value in enumerate(values[1:]):
            chosen = Mux(self.header.coding[bit], value, chosen)
        return Value.cast(chosen)


def send_parameters(m: Module, loader: Part, *, last: ValueLike) -> Value:
    """Send parameters up to entry `last`, one in each cycle; return whether that one goes now.

    loader: its ports `beats` and `parameters_*`; a beat is taken with its last entry
    """
    per_beat = len(loader.beats.payload) // PARAMETER_BITS
    beat = [loader.beats.payload.word_select(n, PARAMETER_BITS) for n in range(per_beat)]
    index = loader.parameters_index
    layout = packed_parameters()
    entry = data.View(layout, choose(beat, index)[: layout.size])
    ends = index == last
    m.d.comb += [
        loader.parameters_write.eq(loader.beats.valid),
        loader.parameters_data.bias.eq(entry.bias),
        loader.parameters_data.multiplier.eq(entry.multiplier),
        loader.parameters_data.shift.eq(entry.shift),
        loader.beats.ready.eq(ends | ((index + 1) % per_beat == 0)),
    ]
    with m.If(loader.beats.valid):
        m.d.sync += index.eq(Mux(ends, 0, index + 1))
    return loader.parameters_write & ends
