"""`hwgen fit-device`: reads become a file of effects, which `hwgen effects` takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen import api
from hwgen.chip.effects import load_effects
from hwgen.errors import ConfigError, HwgenError, OutputError
from tests.chip.test_measured_device import drawn_rows, written

LINEAR = ((0.0, 0.002, 0.05, 0.01), (0.5, 0.005, 0.05, 0.01), (1.0, 0.005, 0.05, 0.01))
"""Mean, deviation, drift and its deviation of levels with equal steps."""


@pytest.mark.promise(
    "measured cells become a file of effects by one command, and accuracy is told at each time"
)
def test_reads_become_effects(tmp_path: Path) -> None:
    reads, out, plot = (tmp_path / name for name in ("reads.csv", "my.yaml", "f.svg"))
    written(tmp_path, drawn_rows(200, known=LINEAR))
    report = api.fit_device(reads, out=out, start="effects/reram_study", plot=plot)
    given = load_effects(out)
    assert given.name == report.name == "my" and given.levels is not None
    assert given.cells.variation == given.cells.drift == 0 and given.cells.voltage_drop == 0.02
    assert [each.drift for each in report.levels] == [each.drift for each in given.levels.points]
    assert report.levels[0].reads == 600 and report.times == [20, 3600, 86400]
    assert "seconds since writing" in plot.read_text(encoding="utf-8")
    again = api.fit_device(reads, out=out)  # replaces what it has written
    assert again.levels == report.levels
    found = api.effects(
        "digits_small_cnn",
        "crossbar/digits_small_cnn",
        effects=out,
        seeds=1,
        images=20,
        time=[20.0, 86400.0],
        context=api.Context(console=None, work=tmp_path / "work"),
    )
    assert found.keys == {"levels.time_s": [20.0, 86400.0]}
    first, last = (point.mean for point in found.points)
    assert first > last


def test_info_tells_levels(tmp_path: Path) -> None:
    about = api.info("effects/pcm").effects
    assert about is not None and len(about.levels) == 7
    assert about.levels[0].mean == 0.0 and about.levels[0].good == 1.0
    assert about.levels_source is not None and "Nandakumar" in about.levels_source
    assert json.loads(json.dumps(about.levels[-1].aged)) == pytest.approx(1.0, abs=1e-3)


def test_a_file_of_a_person_is_not_replaced(tmp_path: Path) -> None:
    reads, out = written(tmp_path, drawn_rows(3)), tmp_path / "mine.yaml"
    out.write_text("format: hwgen.effects\n", encoding="utf-8")
    with pytest.raises(OutputError, match="a fitted file of effects"):
        api.fit_device(reads, out=out)
    assert out.read_text(encoding="utf-8") == "format: hwgen.effects\n"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"effects": "effects/exact", "time": [60.0]}, "file without levels by table, got exact"),
        ({"time": [1.0]}, "levels.time_s must be at least first_read_s, 20, got 1"),
        ({"time": [60.0], "vary": {"levels.time_s": [70.0]}}, "left out beside .*vary"),
        ({"vary": {"levels.mean": [0.1]}}, "levels.mean"),
    ],
)
def test_times_that_are_refused(tmp_path: Path, more: dict[str, object], said: str) -> None:
    given: dict[str, Any] = {"effects": "effects/pcm", "images": 2, "seeds": 1, **more}
    context = api.Context(console=None, work=tmp_path)
    with pytest.raises(HwgenError, match=said):
        api.effects("digits_small_cnn", "crossbar/digits_small_cnn", context=context, **given)


def test_other_families_have_no_levels(tmp_path: Path) -> None:
    context = api.Context(console=None, work=tmp_path)
    with pytest.raises(ConfigError, match=r"levels must be left out, .* of the family dbpim"):
        api.effects("digits_small_cnn", "dbpim/small", effects="effects/pcm", context=context)
