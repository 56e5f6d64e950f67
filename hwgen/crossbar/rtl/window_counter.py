"""How far into its input map the next block of a layer reads."""

from dataclasses import asdict, fields

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.window_ends import WindowEnds, window_ends

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
