"""`hwgen effects`: accuracy by seed, resumed, and refused where it has no meaning."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from hwgen import api
from hwgen.errors import HwgenError

CHIP = "crossbar/digits_small_cnn"
FILE = "effects/reram_study"


@pytest.mark.promise(
    "hwgen effects measures the accuracy of chips that err, a seed each, and goes on where it ended"
)
def test_seeds_over_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = tmp_path / "fx.svg"
    context = api.Context(console=None, work=tmp_path)
    vary = {"cells.variation": [0.0, 0.3]}
    measure = partial(
        api.effects,
        "digits_small_cnn",
        CHIP,
        effects=FILE,
        seeds=2,
        images=24,
        vary=vary,
        workers=1,
        context=context,
    )
    report = measure(plot=picture)
    mild, wild = report.points
    assert report.exact > 0.9 and mild.mean > wild.mean
    assert mild.least <= mild.mean <= mild.most and len(wild.accuracies) == 2
    assert report.keys == vary and report.seeds == [1, 2] and report.images == 24
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    # All is in the work folder: nothing is computed again.
    monkeypatch.setattr("hwgen.commands.effects.accuracy_of_task", None)
    again = measure()
    assert asdict(again) == asdict(report)


def test_a_network_of_another_chip_is_refused(tmp_path: Path) -> None:
    context = api.Context(console=None, work=tmp_path)
    with pytest.raises(HwgenError, match="layers must be 9") as error:
        api.effects("digits_resnet20", CHIP, effects=FILE, seeds=1, images=2, context=context)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("chip", "more", "said"),
    [
        ("dbpim/tiny", {}, "the family dbpim cannot err yet"),
        (CHIP, {"vary": {"cells.rust": [0.1]}}, "one of cells.variation, "),
        (CHIP, {"vary": {"cells.drift": [True]}}, "such as 0.01"),
        (CHIP, {"vary": {"cells.drift": [2.0]}}, "cells.drift"),
        (CHIP, {"seeds": 5000}, "at most 4096"),
        (CHIP, {"effects": "effects/rust"}, "the effects"),
    ],
)
def test_refusals(tmp_path: Path, chip: str, more: dict[str, object], said: str) -> None:
    given = {"effects": FILE, "images": 2, "workers": 1, **more}
    context = api.Context(console=None, work=tmp_path)
    with pytest.raises(HwgenError, match=said) as error:
        api.effects("digits_small_cnn", chip, context=context, **given)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
