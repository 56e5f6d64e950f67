"""What each column of a macro multiplies and adds to: its unit, its slice, its sum."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.crossbar.facts.holdings import Cut, Holding, conversion_order

Ints = NDArray[np.int64]


class Column(NamedTuple):
    """A column in the order of conversions.

    unit: set of input registers, in the order (copy, section, row tile) of the macro
    cell_slice: its weight is 2^(cell_slice * cell bits)
    target: its sum, copy of the macro x output channels + channel
    first: no earlier column has this target
    copy, section, row_tile, channel: where it stands in the layer
    """

    unit: int
    cell_slice: int
    target: int
    first: bool
    copy: int
    section: int
    row_tile: int
    channel: int


def columns_of(cut: Cut, holding: Holding) -> list[Column]:
    """Return the columns that a macro converts in a bit step, in their order."""
    found = []
    units: dict[tuple[int, int, int], int] = {}
    targets: set[int] = set()
    for each in conversion_order(cut, holding, 1):
        unit = units.setdefault((each.copy, each.section, each.row_tile), len(units))
        target = (each.copy - holding.copies.start) * cut.columns + each.channel
        found.append(
            Column(
                unit=unit,
                cell_slice=each.cell_slice,
                target=target,
                first=target not in targets,
                copy=each.copy,
                section=each.section,
                row_tile=each.row_tile,
                channel=each.channel,
            )
        )
        targets.add(target)
    return found


def targets_of(cut: Cut, holding: Holding) -> Ints:
    """Return the targets of the columns of a macro, in their order; see `Column`."""
    of_copy = np.concatenate(
        [
            np.tile(
                cut.first_channel(section) + np.arange(cut.groups_of(section) * cut.group_columns),
                len(holding.row_tiles) * cut.slices,
            )
            for section in range(cut.sections)
        ]
    )
    copies = np.arange(len(holding.copies)) * cut.columns
    targets: Ints = (copies[:, np.newaxis] + of_copy).reshape(-1)
    return targets


def meeting_lanes(targets: Ints, lanes: int) -> frozenset[tuple[int, int]]:
    """Return the pairs of lanes with columns of one target in one slot, the lower one first.

    targets: of the columns, in their order
    """
    missing = -len(targets) % lanes
    # No two of the places behind the last column have one target.
    slots = np.append(targets, -1 - np.arange(missing)).reshape(-1, lanes)
    order = np.argsort(slots, axis=1, kind="stable")
    ordered = np.take_along_axis(slots, order, axis=1)
    pairs: set[tuple[int, int]] = set()
    for apart in range(1, lanes):
        same = ordered[:, apart:] == ordered[:, :-apart]
        if not same.any():
            break
        lower, higher = order[:, :-apart][same], order[:, apart:][same]
        pairs.update(zip(lower.tolist(), higher.tolist(), strict=True))
    return frozenset(pairs)
