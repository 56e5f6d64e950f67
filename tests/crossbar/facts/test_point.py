"""Points of the outer loop: clipped ones, and components of which some are tried."""

import json
from dataclasses import asdict, replace

import pytest
from pydantic import ValidationError

from hwgen.crossbar.facts.arch import arch_of
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import (
    Clipped,
    Point,
    Stepped,
    clipped,
    narrowed,
    point_of,
    points,
    stepped,
)
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.synthesis.work import problem_of
from hwgen.errors import ConfigError
from tests.synthesis import COMPONENTS, SMALL, handed_on

POINT = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)


def test_bits_less_than_lose_nothing() -> None:
    # 128 rows of levels up to 3: with ISAAC's encoding 8 bits hold every sum.
    assert (POINT.lossless_bits, POINT.adc_bits) == (8, 8)
    assert list(clipped([POINT], 0)) == [POINT]
    (less,) = clipped([POINT], 3)
    assert (less.lossless_bits, less.adc_bits) == (8, 5)
    assert list(clipped([POINT], 8)) == []
    for point in (POINT, less):
        assert point_of(asdict(point)) == point
    with pytest.raises(ValidationError):
        Clipped(**asdict(POINT), bits_less=0)


def test_steps_reach_the_range_of_converters_that_lose_nothing() -> None:
    (less,) = clipped([POINT], 2)
    assert [each.step_bits for each in stepped(less)] == [0, 1, 2]
    assert stepped(POINT) == [POINT]
    wide = Point(rram_ratio=None, cell_bits=4, side=256, dac_bits=8)
    assert [each.step_bits for each in stepped(next(clipped([wide], 12)))] == [*range(9)]
    for point in stepped(less):
        assert (point.adc_bits, point_of(asdict(point))) == (6, point)
    with pytest.raises(ValidationError):
        Stepped(**asdict(less), step=0)


@pytest.mark.promise("points that are tried travel with a task, and change no digest of components")
def test_narrowed_components() -> None:
    tried = [*stepped(next(clipped([POINT], 2))), POINT]
    given = narrowed(COMPONENTS, tried)
    assert given.digest == COMPONENTS.digest
    assert points(given, STRICT) == tried
    network: CrossbarNetwork
    network, read = problem_of(json.dumps([asdict(SMALL), asdict(given)]))
    assert (network, read) == (SMALL, given)
    assert problem_of(json.dumps([asdict(SMALL), asdict(COMPONENTS)]))[1] == COMPONENTS
    assert points(replace(given, step_floor_ns=200.0), STRICT) == tried


@pytest.mark.parametrize(
    ("bits_less", "effects", "said"),
    [
        (1, False, "effects must be true, since converters have fewer bits than lose nothing"),
        (1, True, "adc_bits must be what rows, cells and DACs ask for"),
        (-1, True, "bits_less must be greater than or equal to 1"),
        ("x", True, "bits_less must be a valid integer"),
    ],
)
def test_a_wrong_architecture_is_one_sentence(bits_less: object, effects: bool, said: str) -> None:
    facts = json.loads(json.dumps(asdict(handed_on()[0])))
    facts["point"]["bits_less"], facts["effects"] = bits_less, effects
    with pytest.raises(ConfigError, match=said):
        arch_of(facts | {"digest": "0" * 64}, "chip.yaml")


@pytest.mark.promise(
    "a step of converters that no chip can have is refused in one sentence: where, what is allowed"
)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bits_less": 2, "step": 3}, "step must be a power of two from 2 to 4"),
        ({"bits_less": 2, "step": 8}, "step must be a power of two from 2 to 4"),
        ({"bits_less": 2, "step": 1}, "step must be greater than or equal to 2"),
        ({"bits_less": 2, "step": "x"}, "step must be a valid integer"),
        ({"step": 2}, "bits_less must be present"),
    ],
)
def test_a_wrong_step_is_one_sentence(given: dict[str, object], said: str) -> None:
    facts = json.loads(json.dumps(asdict(handed_on()[0])))
    facts["point"] |= given
    with pytest.raises(ConfigError, match=said) as error:
        arch_of(facts | {"digest": "0" * 64}, "chip.yaml")
    assert "\n" not in str(error.value)
