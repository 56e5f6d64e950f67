"""Where the results of a layer are whole, and where they go.

Tests: `tests/golden/crossbar/test_dataflow.py`.
"""

from hwgen.crossbar.facts.holdings import cut_of, holdings_of
from hwgen.crossbar.facts.layout import Floorplan, Placement
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules


def result_macros(
    layer: CrossbarLayer, placed: Placement, point: Point, slices: int, rules: Rules
) -> dict[int, int]:
    """Return the macros in which sums of a layer are whole, and of how many copies."""
    if not layer.has_weights:
        return {placed.merge_macro: placed.copies}
    if not rules.whole_parts:
        ends = [*placed.macros[placed.row_shares - 1 :: placed.row_shares], placed.macros[-1]]
        return dict.fromkeys(ends, placed.most_copies)
    cut = cut_of(layer, point.side, slices, pairs=point.pairs)
    found = {}
    for one in holdings_of(cut, placed.copies, placed.macros):
        if one.row_tiles.stop == cut.row_tiles:
            found[one.macro] = len(one.copies)
    return found


def reader_macros(network: CrossbarNetwork, plan: Floorplan, place: int) -> tuple[int, ...]:
    """Return the macros in which the readers of a layer are."""
    found = {
        macro
        for reader, placed in zip(network.layers, plan.layers, strict=True)
        if place in reader.providers
        for macro in placed.macros
    }
    return tuple(sorted(found))
