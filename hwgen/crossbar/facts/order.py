"""In which order the operations of a chip are granted, and what holds them apart in time.

Numbers for a counter, instead of a list, say how far into a map each block of a layer reads. The
last pixel of block b is output pixel min((b + 1) * copies, pixels) - 1, in row r and column c.
It needs input row min(H, max(1, r * stride + span - padding)) and a column in the same way; where
two rows of windows end in the same input row, the later one needs all of it.

Tests: `tests/crossbar/model/test_conductor.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.operations import PER_BIT, TRAVELS, OperationName
from hwgen.crossbar.facts.rules import STRICT

Key = tuple[int, OperationName]
"""A layer, and the name of one of its operations."""

RISING = ("transfer", "send", "gather", "chain")
"""Of the travels of one layer the later one here goes first; `result` has the place of `send`."""


def to_next(layer: ChipLayer, k: int) -> int:
    """Return the steps from the start of an operation to that of the next one, at least."""
    operation = layer.operations[k]
    following = layer.operations[k + 1].name if k + 1 < len(layer.operations) else ""
    both = operation.name in PER_BIT and following in PER_BIT
    return operation.steps if both else operation.busy


def back(layer: ChipLayer, k: int) -> int:
    """Return the steps from the next operation to this one of the next block; 0: none.

    Registers between two operations are taken over while the last step of the second one runs.
    """
    if k + 1 == len(layer.operations) or layer.operations[k].name in PER_BIT:
        return 0
    return max(1, layer.operations[k + 1].busy - 1)


def travels_in_order(chip: Chip) -> list[Key]:
    """Return all operations that travel, who goes first at a link first: the later layer."""
    keys = [
        (layer.place, operation.name)
        for layer in chip.layers
        for operation in layer.operations
        if operation.name in TRAVELS
    ]
    return sorted(
        keys,
        key=lambda key: (key[0], RISING.index("send" if key[1] == "result" else key[1])),
        reverse=True,
    )


def pairs(chip: Chip) -> Iterator[tuple[ChipLayer, ChipLayer, int]]:
    """Yield each layer that shares ADCs, its partner, and the steps that keep them apart.

    A layer may multiply that many steps after its partner began, when the partner's conversions, of
    all bits and a bit step behind, end before its own begin.
    """
    for layer in chip.layers:
        if layer.partner is not None:
            partner = chip.layers[layer.partner]
            yield (
                layer,
                partner,
                (chip.bit_steps + 1) * partner.clocks_per_bit - layer.clocks_per_bit,
            )


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
