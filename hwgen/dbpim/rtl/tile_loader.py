"""Loads the body of a tile, after its header: masks, parameters and rows of weights."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PARAMETER_BITS, Opcode
from hwgen.dbpim.facts.packing import PIECE_BITS, row_pieces
from hwgen.dbpim.rtl.layouts import packed_parameters, packet, parameters, row, row_cells, row_meta
from hwgen.dbpim.rtl.row_unpacker import RowUnpacker
from hwgen.dbpim.rtl.weight_decoder import WeightDecoder


class TileLoader(Part):
    """Sends the body of a tile to the cores, a beat of masks or weights in each cycle.

    Ports
        header            in         TILE packet   of the tile that is loaded; held
        start             in         1             its body comes from the next cycle on
        beats             stream in  port_bits     the body; taken while a tile is loaded
        done              out        1             the last beat is taken in this cycle
        mask_write        out        1             the beat holds mask words: taken in this cycle
        push              out        1             it is the last of them
        parameters_write  out        1             parameters of one filter are valid
        parameters_index  out        filter_bits   its number in the filter group
        parameters_data   out        parameters
        row_write         out        1             a row is complete
        row_cells         out        row_cells     its cells
        row_meta          out        row_meta      their signs and indices, and constants
    Latency  0 for masks and parameters; 1 cycle from the last beat of a row to ``row_write``, in
             which ``header`` is still held
    Rate     one beat in each cycle, parameters one filter in each cycle
    Errors   none; a tile has at least one mask word and one row
    Golden   ``golden.dbpim.weight_decoder``, ``golden.dbpim.packed_weights``
    Source   docs/dbpim-microarchitecture.md, "Stream", "Packed rows" and "Loader"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._beat_pieces = arch.port_bits // PIECE_BITS
        self._flat_pieces = row_pieces(arch, packed=False)
        self._packed_pieces = row_pieces(arch, packed=arch.unpacks)
        self._decoder = WeightDecoder(arch=arch)
        self._unpacker = RowUnpacker(arch=arch) if arch.unpacks else None
        self.parts = [self._decoder, *([self._unpacker] if self._unpacker else [])]
        super().__init__(
            {
                "header": In(packet(Opcode.TILE)),
                "start": In(1),
                "beats": In(stream.Signature(arch.port_bits)),
                "done": Out(1),
                "mask_write": Out(1),
                "push": Out(1),
                "parameters_write": Out(1),
                "parameters_index": Out(bits_for_index(arch.filters)),
                "parameters_data": Out(parameters(arch)),
                "row_write": Out(1),
                "row_cells": Out(row_cells(arch)),
                "row_meta": Out(row_meta(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        gathered = Signal(self._gathered_pieces * PIECE_BITS)
        pieces = Signal(bits_for_index(self._gathered_pieces))
        m.submodules.decoder = decoder = self._decoder.instance()
        m.d.comb += [
            decoder.row.eq(self._codes(m, gathered=gathered, pieces=pieces)),
            decoder.filter_enable.eq(self.header.filter_enable),
            self.row_cells.eq(decoder.row_cells),
            self.row_meta.eq(decoder.row_meta),
        ]
        m.d.sync += self.row_write.eq(0)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += pieces.eq(0)
                m.next = "MASKS"
            with m.State("MASKS"):
                self._masks(m)
                with m.If(self.push):
                    m.next = "ROWS"
                    with m.If(self.header.parameters):
                        m.next = "PARAMETERS"
            with m.State("PARAMETERS"), m.If(send_parameters(m, self, count=self._arch.filters)):
                m.next = "ROWS"
            with m.State("ROWS"):
                self._rows(m, gathered=gathered, pieces=pieces)
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    def _masks(self, m: Module) -> None:
        """Take beats of mask words; the cores store them directly from the beat."""
        beat_words = self._arch.port_bits // self._arch.macro.compartments
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
        longer = self._packed_pieces > self._beat_pieces
        return max(self._flat_pieces, self._packed_pieces + longer * (self._beat_pieces - 1))

    def _rows(self, m: Module, *, gathered: Signal, pieces: Signal) -> None:
        """Gather the beats of the rows; a complete row is decoded in the next cycle.

        gathered: the latest pieces, the newest on top; pieces: those of the incomplete row, which
        lie above the complete one in the cycle of ``row_write``
        """
        number = Signal.like(self.header.rows)
        size = self._flat_pieces
        if self._packed_pieces != self._flat_pieces:
            size = Mux(self.header.packed, self._packed_pieces, self._flat_pieces)
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
        flat = gathered[-self._flat_pieces * PIECE_BITS :][: row(self._arch).size]
        if self._unpacker is None:
            return flat
        m.submodules.unpacker = unpacker = self._unpacker.instance()
        places = self._beat_pieces if self._packed_pieces > self._beat_pieces else 1
        top = (self._gathered_pieces - self._packed_pieces) * PIECE_BITS
        rows = [gathered[top - place * PIECE_BITS :] for place in range(places)]
        m.d.comb += [
            unpacker.triples.eq(choose([each[: len(unpacker.triples)] for each in rows], pieces)),
            unpacker.filter_enable.eq(self.header.filter_enable),
        ]
        return Mux(self.header.packed, Value.cast(unpacker.row), flat)


def send_parameters(m: Module, loader: Part, *, count: int) -> Value:
    """Send `count` entries of parameters, one in each cycle; return whether the last one goes now.

    loader: its ports `beats` and `parameters_*`; a beat is taken with its last entry
    """
    per_beat = len(loader.beats.payload) // PARAMETER_BITS
    beat = [loader.beats.payload.word_select(n, PARAMETER_BITS) for n in range(per_beat)]
    index = Signal.like(loader.parameters_index)
    layout = packed_parameters()
    entry = data.View(layout, choose(beat, index)[: layout.size])
    last = index == count - 1
    m.d.comb += [
        loader.parameters_write.eq(loader.beats.valid),
        loader.parameters_index.eq(index),
        loader.parameters_data.bias.eq(entry.bias),
        loader.parameters_data.multiplier.eq(entry.multiplier),
        loader.parameters_data.shift.eq(entry.shift),
        loader.beats.ready.eq(last | ((index + 1) % per_beat == 0)),
    ]
    with m.If(loader.beats.valid):
        m.d.sync += index.eq(Mux(last, 0, index + 1))
    return loader.parameters_write & last
