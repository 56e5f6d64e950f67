"""Counters of the conductor: of operations, of what is handed on, of what windows read.

OperationCounter: how often and how long ago one operation of a layer started.
ProgressCounter: how much of its map a layer has handed on.
WindowCounter: how far into its input map the next block of a layer reads.

Tests: `tests/verif/crossbar/test_loader.py`.
"""

from dataclasses import asdict, fields

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.order import WindowEnds, window_ends


class OperationCounter(Part):
    """Counts blocks and steps of one operation; all registers move with ``tick`` alone.

    Ports
        tick        in   1           the next step begins behind this clock
        start       in   1           with tick: a block starts; only where ready was high
        steps       in   since_bits  constant: of one bit step, or of the whole
        bit_steps   in   bit_bits    constant: bit steps - 1
        period      in   since_bits  constant: steps from start to start, at least
        to_next     in   since_bits  constant: steps from start to the start of the next operation
        back        in   since_bits  constant: steps from the start of the next operation to a start
                                     of this one; 0: no wait
        first       in   1           constant: blocks come from outside, ``handed_on`` tells of none
        pushed      in   1           with tick: the operation before starts a block
        handed_on   in   1           the newest block of the operation before may be taken over
        next_empty  in   1           every block has started in the next operation, too
        next_since  in   since_bits  steps since that started
        ready       out  1           a block may start, but for what is not counted here
        empty       out  1           every block of the operation before has started here
        since       out  since_bits  steps since the last start, as of the tick to come; all ones:
                                     long ago, or never
        over        out  1           since >= to_next: the next operation may take the block over
        done        out  1           with tick: ``over`` from the next tick on
        begins      out  1           in this step a block or a bit step of one begins
        bit_step    out  bit_bits    which
        parity      out  1           of the block; 0 for the first one
    Latency  begins, bit_step and parity: 1 clock behind ``tick & start``
    Rate     a start a tick
    Errors   none
    Golden   ``hwgen.crossbar.model.conductor``
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, since_bits: int, bit_bits: int) -> None:
        super().__init__(
            {
                "tick": In(1),
                "start": In(1),
                "steps": In(since_bits),
                "bit_steps": In(bit_bits),
                "period": In(since_bits),
                "to_next": In(since_bits),
                "back": In(since_bits),
                "first": In(1),
                "pushed": In(1),
                "handed_on": In(1),
                "next_empty": In(1),
                "next_since": In(since_bits),
                "ready": Out(1),
                "empty": Out(1),
                "since": Out(since_bits, init=-1),
                "over": Out(1),
                "done": Out(1),
                "begins": Out(1),
                "bit_step": Out(bit_bits),
                "parity": Out(1, init=1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ahead = Signal(2)  # blocks that the operation before has started and this one has not
        of_bit = Signal.like(self.since)
        next_bit, more_bits = Signal(), Signal()
        one, active = Signal(), Signal()  # active: a block has started since reset
        m.d.comb += [
            one.eq(self.to_next == 1),
            self.empty.eq(ahead == 0),
            self.over.eq(self.since >= self.to_next),
            self.done.eq(self.tick & Mux(self.start, one, self.since == self.to_next - 1)),
            self.ready.eq(
                (self.first | ahead[1] | (ahead[0] & self.handed_on))
                & (self.since >= self.period)
                & ((self.back == 0) | (self.next_empty & (self.next_since >= self.back)))
            ),
            more_bits.eq(self.bit_step != self.bit_steps),
            next_bit.eq(~self.start & active & more_bits & (of_bit == self.steps)),
        ]
        with m.If(self.tick):
            m.d.sync += [
                ahead.eq(ahead + self.pushed - self.start),
                self.begins.eq(self.start | next_bit),
                of_bit.eq(Mux(self.start | next_bit, 1, of_bit + 1)),
            ]
            with m.If(self.start):
                m.d.sync += [
                    active.eq(1),
                    self.since.eq(1),
                    self.bit_step.eq(0),
                    self.parity.eq(~self.parity),
                ]
            with m.Elif(~self.since.all()):
                m.d.sync += self.since.eq(self.since + 1)
            with m.If(next_bit):
                m.d.sync += self.bit_step.eq(self.bit_step + 1)
        return m


class ProgressCounter(Part):
    """Counts pixels that readers may use, and whole images.

    Ports
        done    in   1     a block is through from the next tick on
        copies  in   bits  constant: pixels of a block
        blocks  in   bits  constant: of an image, less one
        pixels  out  bits  of the image that is being written; the last block ends it
        image   out  16    images that are through
    Latency  1 clock
    Rate     a block a clock
    Errors   none
    Golden   ``hwgen.crossbar.model.conductor``
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, bits: int) -> None:
        self._bits = bits
        super().__init__(
            {
                "done": In(1),
                "copies": In(bits),
                "blocks": In(bits),
                "pixels": Out(bits),
                "image": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        block, last = Signal(self._bits), Signal()
        m.d.comb += last.eq(block == self.blocks)
        with m.If(self.done):
            m.d.sync += [
                block.eq(Mux(last, 0, block + 1)),
                self.pixels.eq(Mux(last, 0, self.pixels + self.copies)),
                self.image.eq(self.image + last),
            ]
        return m


SIGNED = ("first_x", "first_y", "first_base")
FLAGS = ("first_row_is_top", "whole")


def constants_layout(bits: int) -> data.StructLayout:
    """The fields of `WindowEnds`, `bits` wide but for flags, some of them signed."""

    def shape(name: str) -> Shape:
        return Shape(1 if name in FLAGS else bits, signed=name in SIGNED)

    return data.StructLayout({field.name: shape(field.name) for field in fields(WindowEnds)})


def window_bits(chip: Chip) -> int:
    """Return the bits of positions in maps, with a sign and room for the last jump."""
    most = 1
    for each in chip.layers:
        ends = asdict(window_ends(each.layer, each.copies, each.blocks))
        most = max(most, *map(abs, ends.values()), each.layer.pixels + each.copies)
    return most.bit_length() + 2


def constants(window: PartInstance, ends: WindowEnds) -> Value:
    """Return the constants of a layer for its counter."""
    layout: data.StructLayout = window.constants.shape()
    return layout.const(asdict(ends)).as_value()


class WindowCounter(Part):
    """Walks the blocks of an image after another, each with the last input pixel that it needs.

    Ports
        constants  in   constants_layout  of the layer, see `WindowEnds`
        advance    in   1                 go on to the next block
        need       out  bits              pixels of the input map (from 1) that the block needs
        whole      out  1                 it needs the whole map, ``need`` has no meaning
        last       out  1                 it is the last block of its image
        image      out  16                number of its image
    Latency  1 clock from ``advance``
    Rate     a block a clock
    Errors   none
    Golden   ``hwgen.crossbar.facts.layout.last_needed``
    Source   docs/crossbar-chip.md, "Conductor"
    """

    family = "crossbar"

    def __init__(self, *, bits: int) -> None:
        self._bits = bits
        super().__init__(
            {
                "constants": In(constants_layout(bits)),
                "advance": In(1),
                "need": Out(bits),
                "whole": Out(1),
                "last": Out(1),
                "image": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        own, bits = self.constants, self._bits
        block, column = Signal(bits), Signal(bits)
        x, y, base = Signal(signed(bits)), Signal(signed(bits)), Signal(signed(bits))
        begun, top = Signal(), Signal()  # begun: the registers are of this image; top: row 0
        here = {
            "column": Mux(begun, column, own.first_column),
            "x": Mux(begun, x, own.first_x),
            "y": Mux(begun, y, own.first_y),
            "base": Mux(begun, base, own.first_base),
            "top": Mux(begun, top, own.first_row_is_top),
        }
        now = {}
        for name, value in here.items():
            shape = {"column": bits, "top": 1}.get(name, signed(bits))
            now[name] = Signal(shape, name=f"{name}_now")
            m.d.comb += now[name].eq(value)
        whole_row, row_base, x_in_row = Signal(), Signal(bits), Signal(bits)
        at_end = now["y"] >= own.in_rows
        m.d.comb += [
            whole_row.eq(~now["top"] & ((now["y"] <= 1) | (now["y"] - own.y_wrap >= own.in_rows))),
            row_base.eq(Mux(now["y"] < 1, 0, Mux(at_end, own.last_base, now["base"]))),
            x_in_row.eq(
                Mux(now["x"] < 1, 1, Mux(now["x"] > own.in_columns, own.in_columns, now["x"]))
            ),
            self.last.eq(block == own.blocks - 1),
            self.whole.eq(own.whole),
            self.need.eq(
                Mux(self.last, own.last_need, row_base + Mux(whole_row, own.widest, x_in_row))
            ),
        ]
        moved = Signal(bits + 1)
        wraps = Signal()
        m.d.comb += [
            moved.eq(now["column"] + own.column_jump),
            wraps.eq(moved >= own.columns),
        ]
        with m.If(self.advance):
            m.d.sync += [
                block.eq(Mux(self.last, 0, block + 1)),
                self.image.eq(self.image + self.last),
                begun.eq(~self.last),
                column.eq(Mux(wraps, moved - own.columns, moved)),
                x.eq(now["x"] + own.x_jump - Mux(wraps, own.x_wrap, 0)),
                y.eq(now["y"] + own.y_jump + Mux(wraps, own.y_wrap, 0)),
                base.eq(now["base"] + own.base_jump + Mux(wraps, own.base_wrap, 0)),
                top.eq(now["top"] & ~wraps & (own.y_jump == 0)),
            ]
        return m
