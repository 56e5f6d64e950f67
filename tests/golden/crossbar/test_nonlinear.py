"""Converters that are not linear: the formula of docs/device-effects.md in plain numbers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from golden.crossbar.devices import bent_steps
from golden.crossbar.effects import ErringCrossbars
from hwgen.chip.effects import CodePoint, DeviceEffects
from tests.golden.crossbar.test_effects import NO_CONVERTERS, chip, digits, with_effects

BOW = ((0, 0.0), (40, 1.5), (100, -0.75), (200, 3.0))
"""Code and steps of a code."""


def nonlinear(points: tuple[tuple[int, float], ...] = BOW, **others: float | bool) -> DeviceEffects:
    """Return effects whose converters have a table of codes, and others."""
    effects = with_effects(**others)
    table = [CodePoint(code=code, lsb=lsb) for code, lsb in points]
    return replace(effects, converters=replace(effects.converters, nonlinearity=table))


def line(code: int, points: tuple[tuple[int, float], ...]) -> float:
    """The page's table at a code: between two points on a line, behind the last one as there."""
    for (low, begin), (high, end) in pairwise(points):
        if low <= code <= high:
            return begin + (end - begin) * (code - low) / (high - low)
    return points[-1][1]


@pytest.mark.promise(
    "a converter with a table of codes gives the code of the sum and of what the table says of the"
    " code of an ideal one, by the page's formula, before and behind clipping"
)
@pytest.mark.parametrize("less", [0, 3])
def test_codes_are_the_pages(less: int) -> None:
    rng, point = np.random.default_rng(4), chip().point
    effects = nonlinear(variation=0.2, offset_lsb=1.0, bits_below_lossless=less)
    chips = ErringCrossbars(digits()[0], chip(), effects, 9)
    tile = chips._tile(rng.integers(-128, 128, (128, 3)), (2, 0, 1, 128))
    inputs = rng.integers(0, 256, (5, 128))
    inputs[0] = 255
    inputs[1:3, 20:] = 0
    levels, most = tile.levels.astype(np.int64), 2 ** (chip().adc_bits - less) - 1
    wanted = np.zeros((5, levels.shape[1]), np.int64)
    seen = set()
    for row in range(5):
        for step in range(chip().bit_steps):
            digit = (inputs[row] >> (step * point.dac_bits)) & (2**point.dac_bits - 1)
            for column in range(levels.shape[1]):
                total = int(digit @ levels[:, column]) + int(tile.offsets[column])
                ideal = min(max((total + 32) >> 6, 0), most)
                total += round(64 * line(ideal, BOW))
                code = min(max((total + 32) >> 6, 0), most)
                seen.add(ideal)
                wanted[row, column] += code << (step * point.dac_bits)
    assert len(seen) > 10
    assert np.array_equal(chips._sampled(inputs, tile), wanted)


def test_tables() -> None:
    assert bent_steps(NO_CONVERTERS, 4).tolist() == [0, 0, 0, 0]
    every = nonlinear(tuple((code, code / 64) for code in range(8))).converters
    assert bent_steps(every, 10).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert bent_steps(nonlinear(((0, -0.5),)).converters, 3).tolist() == [-32, -32, -32]
    assert nonlinear().digest != nonlinear(((0, 1.0),)).digest
    assert nonlinear(()).digest == with_effects().digest


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (((1, 0.0),), "rising, the first 0"),
        (((0, 0.0), (5, 0.0), (5, 1.0)), "rising, the first 0"),
        (((0, 65.0),), "less than or equal to 64"),
        (((0, float("nan")),), "finite"),
        (((0, 0.0), (70_000, 0.0)), "less than or equal to 65535"),
    ],
)
def test_wrong_tables_are_refused(points: tuple[tuple[int, float], ...], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        nonlinear(points)
