"""Choose the split of a layer: by a cycle model that the caller gives, or by an estimate."""

from collections.abc import Callable, Sequence
from typing import Protocol

from hwgen.dbpim.compiler.grid import Grid
from hwgen.dbpim.compiler.split import Split
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.stream import Packet

MODEL_TILES = 1000
"""Tile packets of a candidate up to which a cycle model judges it; above, the estimate does."""


EXPOSED = 1 / 16
"""Fraction of the computation of a layer that does not overlap with loading."""

ALIKE = 1.01
"""Splits of one position vector whose costs differ by less are alike: that of most sets wins."""
FEW_GROUPS = 1
"""Filter groups a core below which further sets are worth nothing."""


class LayerCost(Protocol):
    """Cycles of one split of a layer; the lowest wins, of equal ones mostly that with fewest sets.

    Where a layer of many filters has one position vector, that with most sets wins: see `ALIKE`.
    """

    def __call__(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cost of the layer's instruction and its tiles, as they would be sent."""


def estimate(split: Split, grid: Grid, arch: Arch) -> float:
    """Return max(cycles of the busiest set, beats of the memory port, words on the bus).

    A part of the computation is added, because loading and computing do not overlap fully.

    A set computes each of its groups for all vectors of its busiest core, and stalls one cycle for
    every row that is written. The port sends every tile once for each chunk. The results of a band
    go over the bus where several cores compute filters of it.
    """
    busiest = max(
        sum(split.longest * group.cycles + split.chunks * group.rows for group in groups)
        for groups in split.sets
    )
    beats = sum(group.beats for groups in split.sets for group in groups)
    results = grid.positions * sum(group.results for groups in split.sets for group in groups)
    longest = max(busiest, split.chunks * beats, results if len(split.sets) > 1 else 0)
    return longest + EXPOSED * busiest


def cheapest(
    splits: Sequence[Split],
    grid: Grid,
    arch: Arch,
    *,
    packets: Callable[[Split], Sequence[Packet]],
    layer: str,
    layer_cost: LayerCost | None,
) -> Split:
    """Return the split of lowest cost; `packets` encodes a split for `layer_cost`."""
    if len(splits) == 1:
        return splits[0]
    tiles = splits[0].chunks * sum(len(g.tiles) for groups in splits[0].sets for g in groups)
    if layer_cost is None or tiles > MODEL_TILES:
        costs = [estimate(split, grid, arch) for split in splits]
    else:
        costs = [layer_cost(layer, packets(split)) for split in splits]
    groups = sum(len(groups) for groups in splits[0].sets)
    if grid.vectors == 1 and groups >= FEW_GROUPS * arch.cores:
        # Each weight is loaded for one use; all cores hold tiles while the step before computes.
        close = [n for n, cost in enumerate(costs) if cost <= ALIKE * min(costs)]
        return splits[max(close, key=lambda n: len(splits[n].sets))]
    return splits[costs.index(min(costs))]
