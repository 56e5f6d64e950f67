"""Effective cells of the active rows: how much of the busy cycles is useful work.

Tests: `tests/dbpim/model/test_events.py`.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import decode
from hwgen.dbpim.facts.arch import WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import CELL, CELL_BITS, NO_DIGIT
from hwgen.dbpim.facts.stream import TilePacket
from hwgen.dbpim.model.activity import Counts, tile_keys
from hwgen.network.csd import Block
from hwgen.network.sparsity import PHI_LIMIT

FILTER_ENABLE_BITS = PHI_LIMIT
"""Bits of one filter in the field `filter_enable` of a tile."""

FULL_CELL = (1 << CELL_BITS) - 1


class CellUse(NamedTuple):
    """Cells of the active rows of macros that have a position, summed over bit planes.

    empty: cells in a compartment that has no input in the row
    absent: cells in the other compartments, in a cell column that no filter uses
    effective: cells whose digit is part of a weight
    """

    empty: int
    absent: int
    effective: int


def row_cells(arch: Arch) -> int:
    """Return the cells of a row of a macro, all of which are active at once."""
    return arch.macro.compartments * arch.macro.columns


def cell_use(tiles: Sequence[tuple[TilePacket, Counts]], arch: Arch) -> CellUse:
    """Return the use of the cells in a step.

    tiles: tile packets of the step, each with the cycles of its groups, (positions, rows), at
    all positions; a tile that is sent again, for further positions, counts once
    """
    total = np.zeros(len(CellUse._fields), np.int64)
    counted: set[tuple[int, int]] = set()
    keys = tile_keys(tile for tile, _ in tiles)
    for key, (tile, cost) in zip(keys, tiles, strict=True):
        if key not in counted:
            counted.add(key)
            total += cost.sum(axis=0, dtype=np.int64) @ tile_rows(tile, arch)
    return CellUse(*total.tolist())


def tile_rows(tile: TilePacket, arch: Arch) -> NDArray[np.int64]:
    """Return empty, absent and effective cells of each row of a tile, (rows, 3)."""
    size, rows = arch.macro, tile.fields["rows"]
    filled = np.arange(rows * size.compartments).reshape(rows, -1) < tile.masks.sum()
    inputs = filled.sum(axis=1)
    enable = tile.fields["filter_enable"]
    bits = np.array([enable >> FILTER_ENABLE_BITS * place & 3 for place in range(arch.filters)])
    table = pair_table() if tile.fields["double"] else digit_table(arch.columns_per_filter)
    digits = table[bits, tile.codes]
    absent = size.columns - sum(filter_columns(int(each), arch) for each in bits)
    return np.stack(
        [
            (size.compartments - inputs) * size.columns,
            inputs * absent,
            (digits * filled[:, :, np.newaxis]).sum(axis=(1, 2), dtype=np.int64),
        ],
        axis=1,
    )


def filter_columns(bits: int, arch: Arch) -> int:
    """Return the cell columns that a filter uses; bits: its `filter_enable` in the lowest two."""
    if arch.sparsity.weight_bits:
        return (bits & (1 << FILTER_ENABLE_BITS) - 1).bit_count()
    return arch.columns_per_filter * (bits & 1)


@cache
def digit_table(columns: int) -> NDArray[np.int64]:
    """Return the non-zero digits of a weight: (`filter_enable` of its filter, code).

    In a cell column for each bit they are the one bits of the weight. In two columns they are those
    of its canonical form: a weight of one digit that fills two cells, as 2 = 1 + 1, has one, and
    zero as 1 - 1 has none.
    """
    codes = range(1 << WEIGHT_BITS)
    if columns > PHI_LIMIT:
        ones = [(code & (1 << columns) - 1).bit_count() for code in codes]
        return np.array([[count * (bits & 1) for count in ones] for bits in range(4)])
    return np.array([[csd_weight(code_value(code, bits)) for code in codes] for bits in range(4)])


@cache
def pair_table() -> NDArray[np.int64]:
    """Return the digits of two filter groups in a code: (`filter_enable` of both, code)."""
    return np.array(
        [
            [
                sum(
                    bits >> place & 1 and code >> CELL_BITS * place & FULL_CELL != NO_DIGIT
                    for place in range(PHI_LIMIT)
                )
                for code in range(1 << WEIGHT_BITS)
            ]
            for bits in range(4)
        ]
    )


def code_value(code: int, bits: int) -> int:
    """Return the sum of the cells of a code in enabled columns; bits: their `filter_enable`."""
    return sum(
        Block(**decode(CELL, code >> CELL_BITS * place)).value
        for place in range(PHI_LIMIT)
        if bits >> place & 1
    )


def csd_weight(value: int) -> int:
    """Return the non-zero digits of the canonical signed form of any integer."""
    return (3 * abs(value) ^ abs(value)).bit_count()
