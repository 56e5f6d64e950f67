"""Choose the split of a layer: by a cycle model that the caller gives, or by an estimate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to choose the splits of a whole network.

    judged: by the cycle model where there is one, else by the estimate
    few_groups: filter groups a core from which on a layer of one position vector takes most sets
    """

    judged: bool
    few_groups: int


WAYS = (
    Way(judged=True, few_groups=2),
    Way(judged=True, few_groups=1),
    Way(judged=False, few_groups=2),
)
"""Tried in this order: a model judges a layer alone, and misses what the one before it hides."""


class LayerCost(Protocol):
    """Cycles of one split of a layer; the lowest wins, of equal ones mostly that with fewest sets.

    Where a layer of many filters has one position vector, that with most sets wins: see `ALIKE`.
    A cost with a method `of_program`, a `ProgramCost`, chooses among `WAYS` as well.
    """

    def __call__(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cost of the layer's instruction and its tiles, as they would be sent."""


ProgramCost = Callable[[NDArray[np.uint8]], float]
"""Cycles of a run of a whole program, which its image is."""


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


def costs_of(
    splits: Sequence[Split],
    grid: Grid,
    arch: Arch,
    *,
    packets: Callable[[Split], Sequence[Packet]],
    layer: str,
    layer_cost: LayerCost | None,
) -> list[float]:
    """Return the cost of each of several splits; `packets` encodes one for `layer_cost`."""
    tiles = splits[0].chunks * sum(len(g.tiles) for groups in splits[0].sets for g in groups)
    if layer_cost is None or tiles > MODEL_TILES:
        return [estimate(split, grid, arch) for split in splits]
    return [layer_cost(layer, packets(split)) for split in splits]


def cheapest(
    splits: Sequence[Split], costs: Sequence[float], grid: Grid, arch: Arch, *, few_groups: int
) -> Split:
    """Return the split of lowest cost; few_groups: see `Way`."""
    groups = sum(len(groups) for groups in splits[0].sets)
    if grid.vectors == 1 and groups >= few_groups * arch.cores:
        # Each weight is loaded for one use; all cores hold tiles while the step before computes.
        close = [n for n, cost in enumerate(costs) if cost <= ALIKE * min(costs)]
        return splits[max(close, key=lambda n: len(splits[n].sets))]
    return splits[costs.index(min(costs))]
