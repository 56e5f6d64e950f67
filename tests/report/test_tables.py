"""The table of a comparison: the verdict of each row, and the first difference."""

from dataclasses import replace
from typing import Any

import pytest

from hwgen.report.run import Difference, RunLayer
from hwgen.report.tables import in_words, verdict

LAYER = RunLayer(
    name="conv",
    kind="conv",
    images=2,
    shape=(1, 2, 3),
    fused=False,
    sets=1,
    share=1,
    weights_kept=None,
    zero_bit_columns=None,
    equal=True,
    in_time=True,
    mismatches=0,
    cycles_rtl=7,
    cycles_model=7,
    cycles_compute_rtl=None,
    cycles_compute_model=None,
    load_cycles_rtl=None,
    load_cycles_model=None,
)


@pytest.mark.promise(
    "events are compared by step but for those that overlap, a line says that events differ alone"
)
@pytest.mark.promise("what a chip stores outside a map is a difference")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "equal"),
        ({"equal": False, "in_time": False}, "cycles differ"),
        ({"equal": False}, "events differ"),
        ({"equal": False, "mismatches": 3}, "3 differ"),
        ({"equal": None, "mismatches": None, "cycles_rtl": None}, "-"),
        ({"mismatches": None}, "equal"),
        ({"mismatches": None, "fused": True}, "equal, fused"),
        ({"equal": None, "in_time": None, "mismatches": None, "fused": True}, "fused"),
    ],
)
def test_a_verdict_is_not_made_of_sums(changes: dict[str, Any], said: str) -> None:
    assert verdict(replace(LAYER, **changes)).plain == said


WHERE = {"run": 1, "image": 4, "mode": "0.5x", "layer": "conv"}
ELEMENT = {**WHERE, "y": 3, "x": 2, "channel": 1, "expected": 17, "found": -9}


@pytest.mark.promise(
    "the first difference is named with image, mode, layer, element, both values and cycle"
)
@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            Difference(what="element", **ELEMENT, cycle=12345, cycle_of="write"),
            "image 4 (mode 0.5x), layer conv, y 3, x 2, channel 1: 17 expected, -9 found,"
            " written in cycle 12,345",
        ),
        (
            Difference(what="element", **ELEMENT),
            "image 4 (mode 0.5x), layer conv, y 3, x 2, channel 1: 17 expected, -9 found",
        ),
        (
            Difference(what="map", **WHERE, expected="(1, 2, 3)", found="nothing"),
            "image 4 (mode 0.5x), layer conv: a map of shape (1, 2, 3) expected, nothing found",
        ),
        (
            Difference(what="step", run=1, layer="conv", name="end", expected=5, found=None),
            "run 1, step conv, end: 5 predicted, nothing found",
        ),
        (
            Difference(what="counter", run=0, name="cycles", expected=5, found=6),
            "run 0, counter cycles: 5 predicted, 6 found",
        ),
        (
            Difference(what="event", run=0, name="reads", expected=None, found=6),
            "run 0, event reads: nothing predicted, 6 found",
        ),
        (
            Difference(what="event", run=0, layer="conv", name="reads", expected=5, found=6),
            "run 0, step conv, event reads: 5 predicted, 6 found",
        ),
        (
            Difference(what="run", run=3),
            "run 3: there is no such run on both sides, with the same images and events",
        ),
    ],
)
def test_a_difference_in_words(found: Difference, said: str) -> None:
    assert in_words(found) == said
