"""Cells by level: distributions are those that a table says, written again here from the page."""

import math
from dataclasses import replace

import numpy as np
import pytest

from golden.crossbar.devices import levels_of
from golden.crossbar.encoding import Ints
from golden.levels import drawn_level
from hwgen.chip.device_levels import LevelPoint, LevelTable
from hwgen.chip.effects import CellEffects
from tests.golden.crossbar.test_effects import NO_CELLS

CELLS = 40_000
STEP = 64
TABLE = LevelTable(
    first_read_s=20,
    time_s=20,
    rounds=1,
    within=1.0,
    retention_s=0.0,
    points=[
        LevelPoint(level=0, mean=0.05, deviation=0.005, drift=0.1, drift_deviation=0.02),
        LevelPoint(level=0.5, mean=0.45, deviation=0.03, drift=0.06, drift_deviation=0.01),
        LevelPoint(level=1, mean=0.95, deviation=0.02, drift=0.02, drift_deviation=0.0),
    ],
)


def drawn(
    table: LevelTable, cells: CellEffects = NO_CELLS, *, bits: int = 2, seed: int = 1
) -> dict[int, np.ndarray]:
    """Return the shares of the highest level that cells of each level came to hold."""
    full = 2**bits - 1
    given: Ints = np.repeat(np.arange(full + 1), CELLS).reshape(1, -1, 1)
    found = levels_of(
        given, cells, np.random.default_rng(seed), cell_bits=bits, side=1 << 20, table=table
    )
    return {level: found[given == level] / STEP / full for level in range(full + 1)}


def on_the_line(level: int, key: str) -> float:
    """Return a number of a level of two bits, between two points of the table."""
    low, high = TABLE.points[:2] if level / 3 <= 0.5 else TABLE.points[1:]
    share = (level / 3 - low.level) / (high.level - low.level)
    return float(getattr(low, key) + share * (getattr(high, key) - getattr(low, key)))


@pytest.mark.parametrize("time", [20.0, 3600.0, 86400.0])
@pytest.mark.promise(
    "cells of a table of levels have its means and deviations at each time, those of the lowest too"
)
def test_means_and_deviations_over_time(time: float) -> None:
    aging = math.log(time / 20)
    for level, shares in drawn(replace(TABLE, time_s=time)).items():
        mean, deviation, drift, spread = (
            on_the_line(level, key) for key in ("mean", "deviation", "drift", "drift_deviation")
        )
        grown = math.exp((spread * aging) ** 2 / 2)
        wanted = mean * math.exp(-drift * aging) * grown
        second = (mean**2 + deviation**2) * math.exp(-2 * drift * aging) * grown**4
        rounding = 1 / 12 / (STEP * 3) ** 2
        error = math.sqrt(second - wanted**2 + rounding)
        assert shares.mean() == pytest.approx(wanted, abs=5 * error / math.sqrt(CELLS)), level
        assert shares.std() == pytest.approx(error, rel=0.02), level


def test_cells_are_written_until_they_are_good() -> None:
    verified = replace(TABLE, rounds=4, within=0.02)
    for level, shares in drawn(verified, bits=1).items():
        point = TABLE.points[2 * level]
        good = (np.abs(shares - point.mean) <= 0.02 + 0.5 / STEP).mean()
        first = math.erf(0.02 / point.deviation / math.sqrt(2))
        assert good >= 1 - (1 - first) ** 4 - 0.01
    once = drawn(replace(verified, rounds=1), bits=1)[1]
    assert once.std() > drawn(verified, bits=1)[1].std()


@pytest.mark.promise("what hwgen info tells of a level of a device is what golden draws of it")
def test_what_is_told_of_a_level_is_drawn() -> None:
    """Beside rounds of our own; conductance stops at 0, cells lose their level."""
    none = {"drift": 0.0, "drift_deviation": 0.0}
    low, high = (LevelPoint(level=at, mean=at, deviation=0.05, **none) for at in (0, 1))
    tried = replace(TABLE, rounds=3, within=0.02, points=[low, high])
    for point in (low, high):
        own = point.mean + np.random.default_rng(5).normal(0, 0.05, (100_000, 3))
        is_good = np.abs(np.maximum(0, own) - point.mean) <= 0.02
        good, writes, used = drawn_level(point, tried)
        assert good == pytest.approx(is_good.any(axis=1).mean(), abs=0.01)
        rounds = np.where(is_good.any(axis=1), is_good.argmax(axis=1) + 1, 3)
        assert writes == pytest.approx(rounds.mean(), abs=0.02)
        assert used == pytest.approx(point.mean, abs=0.01)
    old = replace(tried, time_s=100, retention_s=100 / math.log(4))
    assert drawn_level(high, old)[2] == pytest.approx(0.25, abs=0.01)
    never = replace(tried, within=0.0)
    assert drawn_level(high, never)[:2] == (0.0, 3.0)
    whole = replace(high, deviation=0.0)
    assert drawn_level(whole, replace(never, points=[low, whole])) == (1.0, 1.0, 1.0)


def test_cells_lose_their_level() -> None:
    lost = drawn(replace(TABLE, time_s=86400, retention_s=86400 / math.log(4)), bits=1)[1]
    assert (lost < 0.2).mean() == pytest.approx(0.75, abs=0.01)
    low = lost[lost < 0.2]
    assert low.mean() == pytest.approx(0.05, abs=0.002) and low.std() < 0.012


def test_a_cell_that_is_stuck_at_zero_holds_the_lowest_level() -> None:
    stuck = drawn(TABLE, replace(NO_CELLS, stuck_at_zero=1.0), bits=1)
    assert set(stuck[1]) == {round(0.05 * STEP) / STEP}


def test_the_same_seed_is_the_same_chip() -> None:
    one, again, other = (drawn(TABLE, seed=seed)[2] for seed in (1, 1, 2))
    assert (one == again).all() and (one != other).any()
