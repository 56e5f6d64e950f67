"""Cells of a table of levels, as they were measured: what is written, and what becomes of it.

Tests: `tests/golden/crossbar/test_levels.py`.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.device_levels import NUMBERS, LevelPoint, LevelTable

TOLD_CELLS = 100_000
"""Of a level, whose statistics are told; fewer where they are written many times."""


def measured(
    shares: NDArray[np.float64], table: LevelTable, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the conductances of cells at the time of a table, as shares of the highest level.

    shares: of the highest level that the cells are to hold
    """
    given = [point.level for point in table.points]
    mean, deviation, drift, spread = (
        np.interp(shares, given, [getattr(point, name) for point in table.points])
        for name in NUMBERS
    )
    held, _ = written(mean, deviation, table, rng)
    exponents = drift + spread * rng.standard_normal(shares.shape)
    held *= np.exp(-exponents * table.aging)
    if table.lost:
        lowest = table.points[0]
        off = np.full(shares.shape, lowest.mean)
        again, _ = written(off, np.full(shares.shape, lowest.deviation), table, rng)
        held = np.where(rng.random(shares.shape) < table.lost, again, held)
    return held


def written(
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    table: LevelTable,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the conductances that cells keep of all rounds of writing, and the writes of each."""

    def draw() -> NDArray[np.float64]:
        drawn: NDArray[np.float64] = mean + deviation * rng.standard_normal(mean.shape)
        return np.maximum(0.0, drawn)

    held, writes = draw(), np.ones(mean.shape, np.int64)
    for _ in range(table.rounds - 1):
        bad = np.abs(held - mean) > table.within
        held, writes = np.where(bad, draw(), held), writes + bad
    return held, writes


def drawn_level(point: LevelPoint, table: LevelTable) -> tuple[float, float, float]:
    """Return of drawn cells of a level: the share that is good, writes, the mean when used."""
    cells, rng = max(1000, TOLD_CELLS // table.rounds), np.random.default_rng(0)
    mean, deviation = np.full(cells, point.mean), np.full(cells, point.deviation)
    held, writes = written(mean, deviation, table, rng)
    good = np.abs(held - mean) <= table.within
    used = measured(np.full(cells, point.level), table, rng)
    return float(good.mean()), float(writes.mean()), float(used.mean())
