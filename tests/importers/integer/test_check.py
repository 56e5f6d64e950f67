"""Maps and nodes that no chip can hold are refused, each with what is allowed and given."""

from dataclasses import replace
from typing import Any

import pytest

from hwgen.importers.integer import QuantizedMap, quantized_map
from hwgen.importers.integer.arithmetic import floating_pair
from hwgen.importers.integer.check import map_complaints, token_complaints
from hwgen.importers.integer.nodes import Stacking

MAP = quantized_map((4, 5, 6), signed=False, scale=0.5, zero_point=3)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, ""),
        ({"shape": (4, 0, 6)}, "the shape of its input"),
        ({"bits": 0}, "the bits of its input"),
        ({"scale": 0.0}, "the scale of its input"),
        ({"scale": float("inf")}, "the scale of its input"),
        ({"scale": 1e-38}, "the scale of its input"),
        ({"scale": 1e38}, "the scale of its input"),
        ({"zero_point": 255}, ""),
        ({"zero_point": 256}, "the zero point of its input"),
        ({"zero_point": -1}, "the zero point of its input"),
    ],
)
def test_a_map_has_limits(changes: dict[str, Any], what: str) -> None:
    found = [key for key, *_ in map_complaints("input", replace(MAP, **changes))]
    assert found == [what] * bool(what)


@pytest.mark.parametrize(("channels", "wrong"), [(6, 0), (4, 1)])
def test_stacked_maps_have_as_many_channels(channels: int, wrong: int) -> None:
    other: QuantizedMap = replace(MAP, shape=(2, 3, channels))
    node = Stacking(name="n", operator="Concat", inputs=("a", "b"), output="y")
    found = [key for key, *_ in token_complaints(node, [MAP, other], MAP)]
    assert found == ["its inputs"] * wrong


def test_two_factors_of_a_float_sum_share_a_shift() -> None:
    """0.75 * 2**21 and 0.25 * 2**21, as the larger lies from 2**20 to 2**21."""
    one, other = floating_pair(0.75, 0.25)
    assert (one.multiplier, one.shift) == (3 << 19, 21)
    assert (other.multiplier, other.shift) == (1 << 19, 21)
