"""The diagram of a step of the crossbar chip shows each strobe so late as it comes."""

import json
from pathlib import Path

import pytest

from hwgen.crossbar.facts.timing import LAGS

DIAGRAM = Path(__file__).parents[2] / "docs/timing/crossbar-step.json"
SHIFT_ADD = {"shift_add"}
"""Goes with the conversions, and has no strobe of its own."""


@pytest.mark.promise("the diagram of a step shows each strobe in its clock")
def test_strobes_come_their_lag_behind_the_tick() -> None:
    signals = json.loads(DIAGRAM.read_text(encoding="utf-8"))["signal"]
    waves = {one["name"].removesuffix(".go"): one["wave"] for one in signals}
    tick = waves["tick"].index("1")
    found = {name: waves[name].index("1") - tick - 1 for name in LAGS if name not in SHIFT_ADD}
    assert found == {name: lag for name, lag in LAGS.items() if name not in SHIFT_ADD}
