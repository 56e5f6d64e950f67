"""What each column of a macro multiplies and adds to: its unit, its slice, its sum."""

from itertools import combinations
from typing import NamedTuple

from hwgen.crossbar.facts.holdings import Cut, Holding, conversion_order


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


def meeting_lanes(columns: list[Column], lanes: int) -> frozenset[tuple[int, int]]:
    """Return the pairs of lanes with columns of one target in one slot, the lower one first."""
    pairs = set()
    for start in range(0, len(columns), lanes):
        places: dict[int, list[int]] = {}
        for lane, column in enumerate(columns[start : start + lanes]):
            places.setdefault(column.target, []).append(lane)
        pairs |= {pair for same in places.values() for pair in combinations(same, 2)}
    return frozenset(pairs)
