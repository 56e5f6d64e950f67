"""How far into a map each block of a layer reads: numbers for a counter instead of a list.

The last pixel of block b is output pixel min((b + 1) * copies, pixels) - 1, in row r and column c.
It needs input row min(H, max(1, r * stride + span - padding)) and a column in the same way; where
two rows of windows end in the same input row, the later one needs all of it.
"""

from dataclasses import dataclass

from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.rules import STRICT


@dataclass(frozen=True, kw_only=True)
class WindowEnds:
    """Constants of a counter that goes through the blocks of an image.

    From a block to the next the output column moves by `column_jump` and wraps at `columns`; then
    x, y and base move by their jumps, and by their wraps where the column wraps. x and y are the
    input column and row (from 1) that the last window reaches before they are clipped to
    `in_columns` and `in_rows`; base is (y - 1) * in_columns.
    first_...: values of the first block
    widest: the greatest clipped x, of the last window of a row
    whole: every block needs the whole map; last_base: the greatest clipped base
    last_need: of the last block, pixels from 1
    """

    blocks: int
    columns: int
    in_columns: int
    in_rows: int
    first_column: int
    first_x: int
    first_y: int
    first_base: int
    first_row_is_top: int
    column_jump: int
    x_jump: int
    x_wrap: int
    y_jump: int
    y_wrap: int
    base_jump: int
    base_wrap: int
    widest: int
    whole: int
    last_base: int
    last_need: int


def window_ends(layer: CrossbarLayer, copies: int, blocks: int) -> WindowEnds:
    """Return the constants of a layer that works on `copies` pixels a block."""
    if layer.kind == "fc":
        values = dict.fromkeys(WindowEnds.__dataclass_fields__, 1)
        return WindowEnds(**values | {"blocks": blocks})
    simple = layer.kind == "eltwise"
    in_rows, in_columns = layer.out_sides if simple else layer.in_sides
    strides = (1, 1) if simple else layer.strides
    spans = (1, 1) if simple else layer.spans
    pads = (0, 0) if simple else layer.paddings
    columns = layer.out_sides[1]
    rows_jump, column_jump = divmod(copies, columns)
    first_row, first_column = divmod(copies - 1, columns)
    y = first_row * strides[0] + spans[0] - pads[0]
    return WindowEnds(
        blocks=blocks,
        columns=columns,
        in_columns=in_columns,
        in_rows=in_rows,
        first_column=first_column,
        first_x=first_column * strides[1] + spans[1] - pads[1],
        first_y=y,
        first_base=(y - 1) * in_columns,
        first_row_is_top=int(first_row == 0),
        column_jump=column_jump,
        x_jump=column_jump * strides[1],
        x_wrap=columns * strides[1],
        y_jump=rows_jump * strides[0],
        y_wrap=strides[0],
        base_jump=rows_jump * strides[0] * in_columns,
        base_wrap=strides[0] * in_columns,
        widest=min(in_columns, max(1, (columns - 1) * strides[1] + spans[1] - pads[1])),
        whole=0,
        last_base=(in_rows - 1) * in_columns,
        last_need=last_needed(layer, STRICT)[-1],
    )
