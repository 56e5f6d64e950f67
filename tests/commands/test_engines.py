"""When a simulation gives a chip up: what a prediction tells of it."""

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.chip.family import Family
from hwgen.chip.limits import RunLimits
from hwgen.commands.engines import SLACK_CYCLES, SLACK_STORES, limits_of
from hwgen.commands.families import families


def run(cycles: int, **events: int) -> Any:
    return SimpleNamespace(cycles=cycles, events=events, loading=50, lines=0)


@pytest.mark.promise(
    "a chip that hangs or floods is given up after twice what is predicted, and the sentence"
    " says why"
)
def test_a_run_hangs_after_twice_the_longest_prediction() -> None:
    runs = [run(100, bank=7, bus=1, other=50), run(300, bank=4, bus=5), run(200)]
    assert limits_of(runs, ["bank", "bus"]) == RunLimits(
        cycles=600 + SLACK_CYCLES, stores=18 + SLACK_STORES, foreseen=50 + 600
    )


def test_lines_beside_stored_words_are_no_flood() -> None:
    """Of a long stream of few words a crossbar chip's simulation writes more lines of steps."""
    few, many = run(100, bank=7), run(100, bank=5)
    many.lines = 40
    assert limits_of([few, many], ["bank"]).stores == 2 * 45 + SLACK_STORES


@pytest.mark.parametrize("family", ["dbpim", "mram"])
def test_the_words_that_are_stored_are_among_the_events(family: str) -> None:
    module = families()[family].need(Family.simulation)
    events = importlib.import_module(f"hwgen.{family}.facts.events").EVENTS
    assert set(module.STORING) < set(events)
