"""Devices beside another simulator's: both programs' formulas in plain numpy, and the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hwgen_studies.noise_models import DEVICES, TIMES, with_slow_noise
from hwgen_studies.noise_models_page import page
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "studies/results/noise-models.json").read_text(encoding="utf-8"))
DRAWS = 400_000
WAN = {
    "1 s": (0.348, 16.030, -43.853, 45.393, -16.815),
    "1 d": (0.701, 22.086, -50.773, 47.095, -16.458),
}
"""uS of powers of a conductance as a share of 40 uS."""

Floats = NDArray[np.float64]


def of_table(device: str, time: str, level: float, rng: np.random.Generator) -> Floats:
    """Return conductances by the formula of docs/howto/device-effects.md."""
    (given,) = [each for each in DEVICES if each.name == device]
    table = given.effects(time).levels
    assert table is not None
    levels = [point.level for point in table.points]
    mean, deviation, drift, spread = (
        float(np.interp(level, levels, [getattr(point, name) for point in table.points]))
        for name in ("mean", "deviation", "drift", "drift_deviation")
    )
    held = np.maximum(0, mean + deviation * rng.standard_normal(DRAWS))
    exponent = drift + spread * rng.standard_normal(DRAWS)
    found: Floats = held * (table.time_s / table.first_read_s) ** -exponent
    return np.clip(found, 0, 2)


def of_aihwkit(device: str, time: str, level: float, rng: np.random.Generator) -> Floats:
    """Return conductances by the formulas that the page tells of aihwkit."""
    if device.startswith("HfOx"):
        share = 1 / 40 + level * 39 / 40
        deviation = sum(c * share**k for k, c in enumerate(WAN[time])) / 40
        alone: Floats = np.maximum(0, share + deviation * rng.standard_normal(DRAWS))
        return alone
    t, log = TIMES[time] + 20, float(np.log(max(level, 1e-7)))
    deviation = (0.26348 + 1.9650 * level - 1.1731 * level**2) / 25
    held = np.maximum(0, level + deviation * rng.standard_normal(DRAWS))
    mean = float(np.clip(-0.0155 * log + 0.0244, 0.049, 0.1))
    spread = float(np.clip(-0.0125 * log - 0.0059, 0.008, 0.045))
    now = held * (t / 20) ** -np.abs(mean + spread * rng.standard_normal(DRAWS))
    slow = np.minimum(0.2, 0.0088 / np.maximum(1e-3, held**0.65))
    noise = slow * np.sqrt(np.log((t + 250e-9) / 500e-9)) * rng.standard_normal(DRAWS)
    found: Floats = np.maximum(0, now * (1 + noise))
    return found


@pytest.mark.parametrize("row", RECORD["levels"], ids=lambda row: f"{row['device']}-{row['time']}")
def test_levels_are_those_of_both_formulas(row: dict[str, Any]) -> None:
    for place, (name, drawn) in enumerate((("golden", of_table), ("aihwkit", of_aihwkit))):
        rng = np.random.default_rng((row["level"], place))
        held = drawn(row["device"], row["time"], row["level"] / 3, rng)
        if name == "golden":  # of whose cells the highest level is 3 x 64 steps
            held = np.rint(192 * held) / 192
        error = 6 * held.std() / DRAWS**0.5 + 2e-5
        assert row[name][0] == pytest.approx(held.mean(), abs=error)
        assert row[name][1] == pytest.approx(held.std(), abs=2e-5, rel=0.01)


def test_slow_noise_in_deviations_is_aihwkits() -> None:
    """With it golden's table deviates as aihwkit's cells do, but for lines between points."""
    device = DEVICES[0]
    for time in device.times:
        given = with_slow_noise(device.effects(time), TIMES[time] + device.later).levels
        assert given is not None
        top = given.points[-1]
        rng = np.random.default_rng(1)
        now = (top.mean + top.deviation * rng.standard_normal(DRAWS)) * (
            given.time_s / given.first_read_s
        ) ** -(top.drift + top.drift_deviation * rng.standard_normal(DRAWS))
        theirs = of_aihwkit(device.name, time, 1.0, np.random.default_rng(2))
        assert now.std() == pytest.approx(theirs.std(), rel=0.02)
        alone = of_table(device.name, time, 1.0, np.random.default_rng(3))
        assert alone.std() < 0.9 * theirs.std()


def test_the_page_says_what_the_record_says() -> None:
    text = (ROOT / "docs/device-effects.md").read_text(encoding="utf-8")
    assert page(RECORD) in text
    assert (RECORD["seeds"], RECORD["images"]) == (20, 359)
    for row in RECORD["accuracies"]:
        assert row["least"] <= row["mean"] <= row["most"]
