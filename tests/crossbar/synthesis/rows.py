"""The choice of each layer that stands for a design."""

import numpy as np

from hwgen.crossbar.facts.rules import PUBLISHED
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.pricing import neighbours
from hwgen.crossbar.synthesis.sharing import followed
from tests.crossbar.synthesis.judged import Judged

BATCHES = [range(begin, begin + 25) for begin in range(0, 150, 25)]
"""Seeds of the random networks that one test looks at."""

SHARES = (1e-4, 0.02, 0.3)
"""Sizes of the nodes around a design."""


def fitting(rows: Choices, given: Judged, i: int) -> list[int]:
    """The choices that may stand for layer i of a design: no more macros, no more clocks."""
    copies, macros = given.layout.copies[i], given.layout.shared_macros[i]
    return [
        c
        for c in range(rows.begin[i], rows.begin[i + 1])
        if rows.copies_low[c] <= copies <= rows.copies_high[c]
        and rows.macros[c] <= macros
        and rows.clocks[c] <= given.design.clocks[i]
    ]


def pace_of(given: Judged, i: int) -> tuple[int, int]:
    """Steps from block to block, and through one block; the published end is a start."""
    tables, pipeline = given.tables, given.pipeline
    n = pipeline.length[i]
    through = pipeline.to_next[i, :n].sum()
    if tables.rules == PUBLISHED and tables.reader_start[i] == tables.reader_start[i + 1]:
        through += 1 - pipeline.to_next[i, n - 1]
    return int(pipeline.to_block[i, :n].max()), int(through)


def behind_of(given: Judged, i: int) -> int:
    """Steps of a block through the layers that follow layer i."""
    tables, pipeline = given.tables, given.pipeline
    those = [f for f in range(i + 1, len(tables.kind)) if followed(tables, f) == i]
    return sum(int(pipeline.to_next[f, : pipeline.length[f]].sum()) for f in those)


def weighted(tables: Tables) -> list[int]:
    return [int(i) for i in np.flatnonzero(tables.crossbars > 0)]


def is_near(given: Judged, i: int) -> bool:
    """Whether a layer lives in a single macro with a neighbour, so that less need travel."""
    partner = given.design.partner[i]
    near = partner >= 0 and neighbours(given.tables)[i, partner]
    return bool(near and given.layout.shared_macros[i] == 1)


def chosen_rows(given: Judged, rows: Choices) -> dict[int, int]:
    """A choice for each layer that is no worse than the design's own in anything."""
    found = {}
    for i in weighted(given.tables):
        per_block, through = pace_of(given, i)
        near = is_near(given, i)
        blocks = given.layout.blocks[i]
        good = [
            c
            for c in fitting(rows, given, i)
            if (rows.near_per_block if near else rows.per_block)[c] <= per_block
            and (rows.near_through if near else rows.through)[c] <= through
            and (rows.near_behind if near else rows.behind)[c] <= behind_of(given, i)
            and rows.blocks[c] <= blocks
        ]
        assert good, f"{given.name}: layer {i} is missing among the choices"
        found[i] = good[-1]
    return found
