"""A device as it was measured: a file of conductances, and the table of levels that fits it.

A row is one read of one cell: the level that it was written to hold, its conductance, the seconds
since it was written. Conductances of a level at a time have a mean m and a deviation s, shares of
the mean of the highest level at the first time. The time multiplies them by a lognormal factor,
whose two moments give, with L = ln(time / first) and times weighted by L^2:

    drift_deviation  the root v of the mean of ln((1 + s^2 / m^2) / (1 + s_0^2 / m_0^2)) / L^2,
                     at least 0
    drift            the slope of -ln m + v^2 L^2 / 2 over L, through the first read

Tests: `tests/chip/test_measured_device.py`.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.device_levels import LevelPoint, LevelTable
from hwgen.errors import DataError

COLUMNS = ("level", "conductance", "time")
MOST_LEVELS, FEWEST_READS = 256, 2
LEAST_TIME, MOST_TIME = 1e-12, 1e12
LEAST_CONDUCTANCE, MOST_CONDUCTANCE = 1e-18, 1e18
MOST_DEVIATION = 2
"""Of a level, by the mean of the highest, as a table of levels takes it."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Reads of cells.

    level: of the cell, 0 the lowest; conductance: in any unit; time: seconds since writing
    """

    level: NDArray[np.int64]
    conductance: Floats
    time: Floats

    @property
    def times(self) -> list[float]:
        """The times, the first read first."""
        return [float(time) for time in np.unique(self.time)]

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return int(self.level.max()) + 1

    @property
    def full(self) -> float:
        """Mean conductance of the highest level at the first read."""
        return float(self.at(self.levels - 1, self.times[0]).mean())

    def at(self, level: int, time: float) -> Floats:
        """Return the conductances of a level at a time."""
        found: Floats = self.conductance[(self.level == level) & (self.time == time)]
        return found

    def statistics(self, level: int) -> tuple[Floats, Floats]:
        """Return mean and deviation of a level at each time, shares of the highest level."""
        reads = [self.at(level, time) / self.full for time in self.times]
        return np.array([r.mean() for r in reads]), np.array([r.std(ddof=1) for r in reads])


def read_measured(path: Path) -> Measured:
    """Return the reads of a file of comma-separated values with a line of names.

    Raises DataError: what is wrong, in which line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = csv.DictReader(io.StringIO(text))
        named = [name.strip() for name in rows.fieldnames or ()]
        if sorted(named) != sorted(COLUMNS):
            found = ", ".join(named) or "nothing"
            raise DataError(f"{path}: line 1 must name {', '.join(COLUMNS)}, got {found}")
        rows.fieldnames = named
        values = [[number(path, rows.line_num, key, row[key]) for key in COLUMNS] for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} must be a text file that can be read, got {error}") from None
    if not values:
        raise DataError(f"{path} must have a line for each read, got none")
    level, conductance, time = np.array(values).T
    measured = Measured(level.astype(np.int64), conductance, time)
    check_measured(measured, path)
    return measured


def number(path: Path, line: int, name: str, text: str | None) -> float:
    """Return a value of a line within its limits, of a level a whole one."""
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    good = value == 0 or LEAST_CONDUCTANCE <= value <= MOST_CONDUCTANCE
    allowed = f"0, or from {LEAST_CONDUCTANCE:g} to {MOST_CONDUCTANCE:g}"
    if name == "time":
        good = LEAST_TIME <= value <= MOST_TIME
        allowed = f"seconds, from {LEAST_TIME:g} to {MOST_TIME:g}"
    if name == "level":
        good = 0 <= value < MOST_LEVELS and value == int(value)
        allowed = f"a whole number from 0 to {MOST_LEVELS - 1}"
    if not good:
        raise DataError(f"{path}: {name} in line {line} must be {allowed}, got {text or 'nothing'}")
    return value


def check_measured(measured: Measured, path: Path) -> None:
    """Refuse reads from which no table follows."""
    times = measured.times
    if len(times) < 2:
        raise DataError(
            f"{path} must have reads at two times or more, which drift is fitted to,"
            f" got {times[0]:g} s alone"
        )
    if measured.levels < 2:
        raise DataError(f"{path} must have two levels or more, got level 0 alone")
    for level in range(measured.levels):
        if level not in measured.level:
            raise DataError(
                f"{path} must have each level from 0 to {measured.levels - 1}, got none of {level}"
            )
        for time in times:
            reads = len(measured.at(level, time))
            if reads < FEWEST_READS:
                raise DataError(
                    f"{path} must have {FEWEST_READS} reads or more of each level at each time,"
                    f" got {reads} of level {level} at {time:g} s"
                )
    if measured.full <= 0:
        raise DataError(f"{path}: the highest level must conduct at the first read, got 0")
    check_rising(measured, path)


def check_rising(measured: Measured, path: Path) -> None:
    """Refuse levels that fall at the first read, or spread more than a table can say."""
    below = 0.0
    for level in range(measured.levels):
        mean, deviation = (float(each[0]) for each in measured.statistics(level))
        if mean < below:
            told = f"conduct as much as level {level - 1} or more, got {mean:.4%} of the highest"
            raise DataError(f"{path}: level {level} must {told} after {below:.4%}")
        if deviation > MOST_DEVIATION:
            told = f"deviate by at most {MOST_DEVIATION:.0%} of the highest, got {deviation:.0%}"
            raise DataError(f"{path}: level {level} must {told} at the first read")
        below = mean


def fitted(measured: Measured) -> LevelTable:
    """Return the table of levels, used at the first read, each cell written once."""
    first = measured.times[0]
    points = [
        fitted_point(level / (measured.levels - 1), *measured.statistics(level), measured.times)
        for level in range(measured.levels)
    ]
    return LevelTable(
        first_read_s=first, time_s=first, rounds=1, within=1.0, retention_s=0.0, points=points
    )


def fitted_point(
    share: float, mean: Floats, deviation: Floats, times: Sequence[float]
) -> LevelPoint:
    """Return what becomes of a level; a level that does not conduct has no drift."""
    drift = spread = 0.0
    aging = np.log1p((np.array(times[1:]) - times[0]) / times[0])
    if (mean > 0).all():
        weights, second = aging**2, np.log1p((deviation / mean) ** 2)
        variance = max(0.0, float((second[1:] - second[0]).sum() / weights.sum()))
        fallen = np.log(mean[0]) - np.log(mean[1:]) + variance * weights / 2
        drift, spread = float(np.sum(fallen * aging) / weights.sum()), math.sqrt(variance)
    values: Mapping[str, float] = {
        "mean": mean[0],
        "deviation": deviation[0],
        "drift": float(np.clip(drift, -1, 1)),
        "drift_deviation": min(spread, 1.0),
    }
    return LevelPoint(level=share, **{key: round(float(each), 6) for key, each in values.items()})
