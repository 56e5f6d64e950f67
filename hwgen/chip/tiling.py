"""The tiling of a layer for a chip, in terms common to all families."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Count = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class LayerTiling:
    """One layer: n are its output channels, k the inputs of one output, m its output positions.

    Counts of tiles and rows are 0 for a layer without weights.

    kind: conv, linear, max_pool, average_pool or add (a residual)
    shape: height, width, channels of the output
    kernel: height and width of the window
    sets, share: filter groups are distributed over `sets` sets of `share` units each, and the
        units of a set divide the positions
    tiles_n: filter groups; tiles_k: tiles of the longest group; tiles_m: parts of the positions
        for which partial sums are held; weights are sent once for each part
    tail_n: filters in the last group, tail_k: inputs in the shortest row of weights, tail_m:
        positions in the last round of a unit; 0: all are full
    rows: rows of weights, each counted once; rows_loaded: with repetitions
    rows_reloaded: how often each row is loaded; null without weights
    weights_kept: fraction of weight blocks that are unpruned; null without weights
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: Count
    padding: Count
    sets: Count
    share: Count
    filters: Count
    k: Count
    positions: Count
    tiles_n: Count
    tiles_k: Count
    tiles_m: Count
    tail_n: Count
    tail_k: Count
    tail_m: Count
    rows: Count
    rows_loaded: Count
    rows_reloaded: Annotated[float, Field(ge=1)] | None
    weights_kept: Fraction | None
