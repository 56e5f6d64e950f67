"""A table of levels: what a file may say, and what write and verify leaves."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from hwgen.chip.device_levels import LevelPoint, LevelTable
from hwgen.chip.effects import load_effects
from hwgen.errors import HwgenError
from hwgen.files.shipped import tables
from tests.golden.crossbar.test_effects import with_effects


def point(level: float, mean: float, deviation: float = 0.0, drift: float = 0.0) -> LevelPoint:
    return LevelPoint(level=level, mean=mean, deviation=deviation, drift=drift, drift_deviation=0.0)


def table(points: Sequence[LevelPoint] = (point(0, 0.1), point(1, 1.0))) -> LevelTable:
    return LevelTable(
        first_read_s=10, time_s=10, rounds=1, within=1.0, retention_s=0.0, points=points
    )


def test_lost_cells_and_age() -> None:
    old = replace(table(), time_s=20, retention_s=40)
    assert old.lost == pytest.approx(1 - math.exp(-0.5))
    assert old.aging == pytest.approx(math.log(2)) and table().aging == table().lost == 0


@pytest.mark.parametrize(
    ("levels", "said"),
    [((0, 0.5), "0 and the last 1"), ((0, 0.7, 0.3, 1), "rising"), ((0.1, 1), "0")],
)
def test_levels_rise_from_0_to_1(levels: Sequence[float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        table([point(level, level) for level in levels])


def test_a_time_before_the_first_read_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least first_read_s, 10"):
        replace(table(), time_s=9.0)


def test_no_second_formula_beside_a_table() -> None:
    with pytest.raises(ValidationError, match=r"cells.drift.*0 beside a table of levels"):
        replace(with_effects(drift=0.1), levels=table())


def test_a_file_without_levels_keeps_its_digest() -> None:
    without, levels = with_effects(stuck_at_zero=0.1), table()
    assert without.digest != replace(without, levels=levels).digest
    assert replace(without, levels=levels).digest != replace(without, levels=table(
        (point(0, 0.1), point(1, 0.9)))).digest  # fmt: skip
    # Of the file that ships before there were tables.
    assert load_effects(tables("effects")["effects/hfox_reram"]).digest.startswith(HFOX)


HFOX = "7041a844aad0f194"


def test_a_wrong_point_is_one_sentence(tmp_path: Path) -> None:
    text = tables("effects")["effects/pcm"].read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("mean: 0.25,", "mean: -0.25,"), encoding="utf-8")
    with pytest.raises(HwgenError, match=r"levels.points.*mean.*0") as error:
        load_effects(file)
    assert "\n" not in str(error.value)
