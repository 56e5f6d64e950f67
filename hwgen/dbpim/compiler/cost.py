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


class LayerCost(Protocol):
    """Cycles of one split of a layer; the lowest wins, of equal ones that with fewest sets."""

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
        return min(splits, key=lambda split: estimate(split, grid, arch))
    return min(splits, key=lambda split: layer_cost(layer, packets(split)))
