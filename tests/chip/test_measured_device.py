"""Fits of drawn cells whose answer is known, and files from which no table follows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hwgen.chip.measured_device import Measured, fitted, read_measured
from hwgen.errors import DataError

KNOWN = ((0.02, 0.004, 0.08, 0.03), (0.30, 0.03, 0.06, 0.02), (1.0, 0.04, 0.05, 0.01))
"""Mean, deviation, drift and its deviation of three levels."""
TIMES = (20.0, 3600.0, 86400.0)
CELLS = 200_000


def drawn_rows(
    cells: int, *, known: Sequence[Sequence[float]] = KNOWN, times: Sequence[float] = TIMES
) -> list[str]:
    """Return a line for each read of drawn cells; the highest level conducts 25."""
    rng, rows = np.random.default_rng(7), ["level,conductance,time"]
    for level, (mean, deviation, drift, spread) in enumerate(known):
        first = np.maximum(0, mean + deviation * rng.standard_normal(cells))
        exponent = drift + spread * rng.standard_normal(cells)
        for time in times:
            reads = 25 * first * (time / times[0]) ** -exponent
            rows += [f"{level},{read:.9g},{time:g}" for read in reads]
    return rows


def written(folder: Path, rows: Sequence[str]) -> Path:
    file = folder / "reads.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.mark.promise(
    "a table of levels that is fitted to drawn cells is the one they were drawn of"
)
def test_a_fit_finds_what_was_drawn(tmp_path: Path) -> None:
    measured = read_measured(written(tmp_path, drawn_rows(20_000)))
    table = fitted(measured)
    assert measured.full == pytest.approx(25, rel=0.002)
    assert (table.first_read_s, table.time_s, table.rounds) == (20.0, 20.0, 1)
    assert [point.level for point in table.points] == [0.0, 0.5, 1.0]
    for point, (mean, deviation, drift, spread) in zip(table.points, KNOWN, strict=True):
        assert point.mean == pytest.approx(mean, rel=0.01)
        assert point.deviation == pytest.approx(deviation, rel=0.03)
        assert point.drift == pytest.approx(drift, abs=0.004)
        assert point.drift_deviation == pytest.approx(spread, rel=0.1)


@pytest.mark.promise("fit-device undoes its own formula, where a level spreads widely, too")
def test_a_level_that_spreads_does_not_seem_to_rise() -> None:
    rng, times = np.random.default_rng(7), (1.0, 3600.0, 86400.0)
    known = ((0.025, 0.018, 0.0, 0.0495), (1.0, 0.0276, 0.0, 0.0053))
    reads = [
        np.maximum(0, mean + deviation * rng.standard_normal(CELLS))
        * np.array(times)[:, np.newaxis] ** -(drift + spread * rng.standard_normal(CELLS))
        for mean, deviation, drift, spread in known
    ]
    level, time, _ = np.broadcast_arrays(
        np.arange(2)[:, np.newaxis, np.newaxis], np.array(times)[:, np.newaxis], np.array(reads)
    )
    measured = Measured(level.ravel(), 40 * np.array(reads).ravel(), time.ravel())
    lowest = fitted(measured).points[0]
    assert lowest.drift == pytest.approx(0.0, abs=0.0005)
    assert lowest.drift_deviation == pytest.approx(0.0495, abs=0.0005)


def test_times_that_hardly_differ_are_a_fit(tmp_path: Path) -> None:
    """Two floats side by side: the logarithm of their ratio is not 0."""
    times = (1.9e12 / 2, float(np.nextafter(1.9e12 / 2, 2e12)))
    rows = [f"{i},{i + 1},{t!r}" for t in times for i in (0, 1) for _ in range(2)]
    table = fitted(read_measured(written(tmp_path, ["level,conductance,time", *rows])))
    assert [point.drift for point in table.points] == [0.0, 0.0]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_files_are_a_table_or_a_sentence(tmp_path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    times, sizes = (1e-12, 1e12), (0.0, 1e-18, 1e-9, 1.0, 1e18)
    rows = [
        f"{level},{draw.choice(sizes)},{time}" for level in range(3) for time in times for _ in "ab"
    ]
    try:
        table = fitted(read_measured(written(tmp_path, ["level,conductance,time", *rows])))
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite([point.drift_deviation for point in table.points]).all()


def test_columns_in_any_order_and_a_byte_order_mark(tmp_path: Path) -> None:
    rows = [",".join(reversed(row.split(","))) for row in drawn_rows(50)]
    file = written(tmp_path, ["\ufeff" + rows[0].replace(",", " , "), *rows[1:]])
    one = fitted(read_measured(file))
    other = fitted(read_measured(written(tmp_path, drawn_rows(50))))
    assert one == other


def test_a_level_that_does_not_conduct_has_no_drift(tmp_path: Path) -> None:
    known = ((0.0, 0.0, 0.0, 0.0), *KNOWN[1:])
    lowest = fitted(read_measured(written(tmp_path, drawn_rows(50, known=known)))).points[0]
    assert (lowest.mean, lowest.drift, lowest.drift_deviation) == (0.0, 0.0, 0.0)


FEW = drawn_rows(3)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a,b", "1,2"], "line 1 must name level, conductance, time, got a, b"),
        ([""], "line 1 must name level, conductance, time, got nothing"),
        (FEW[:1], "must have a line for each read, got none"),
        ([*FEW, "1,-0.5,20"], "conductance in line 29 must be 0, or from .* to 1e.18, got -0.5"),
        ([*FEW, "1,nan,20"], "conductance in line 29 must be 0, or from .* to 1e.18, got nan"),
        ([*FEW, "1,1e300,20"], "conductance in line 29 must be 0, or from .* got 1e300"),
        ([*FEW, "1,2"], "time in line 29 must be seconds, from 1e-12 to 1e.12, got nothing"),
        ([*FEW, "1,2,0"], "time in line 29 must be seconds, from 1e-12 to 1e.12, got 0"),
        ([*FEW, "1,2,1e13"], "time in line 29 must be seconds, from 1e-12 to 1e.12, got 1e13"),
        ([*FEW, "1," + "2" * 140_000 + ",20"], "text file that can be read, got field larger"),
        ([*FEW, "0.5,2,20"], "level in line 29 must be a whole number from 0 to 255, got 0.5"),
        (drawn_rows(3, times=TIMES[:1]), "reads at two times or more, .* got 20 s alone"),
        ([row for row in FEW if row[0] != "1"], "each level from 0 to 2, got none of 1"),
        ([row for row in FEW if row[0] in "l0"], "two levels or more, got level 0 alone"),
        ([*FEW, "1,2,60"], "2 reads or more of each level at each time, got 0 of level 0 at 60 s"),
        (drawn_rows(3, known=((0, 0, 0, 0),) * 2), "highest level must conduct .*, got 0"),
        (
            drawn_rows(3, known=((1, 0, 0, 0), (0.9, 0, 0, 0), (1, 0, 0, 0))),
            "level 1 must conduct as much as level 0 or more, got 90.0000% of .* 100.0000%",
        ),
        (
            [FEW[0], *(f"{i},{g},{t}" for t in (1, 2) for i in (0, 1) for g in (*[0] * 99, i))],
            "level 1 must deviate by at most 200% of the highest, got 1000% at the first read",
        ),
    ],
)
def test_what_no_table_follows_from_is_one_sentence(
    tmp_path: Path, rows: Sequence[str], said: str
) -> None:
    with pytest.raises(DataError, match=said) as error:
        read_measured(written(tmp_path, rows))
    assert "\n" not in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a text file that can be read"):
        read_measured(tmp_path / "none.csv")
