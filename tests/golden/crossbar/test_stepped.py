"""Converters whose code counts several sums: the formula of docs/device-effects.md, plainly."""

from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest

from golden.crossbar.effects import ErringCrossbars
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.point import clipped, stepped
from tests.golden.crossbar.test_effects import chip, digits
from tests.golden.crossbar.test_nonlinear import BOW, line, nonlinear

LESS = 3


def coarser(step: int) -> Arch:
    """Return a chip with fewer bits and a step; golden asks no more of it than this."""
    whole = chip()
    point = stepped(next(clipped([whole.point], LESS)))[step.bit_length() - 1]
    made = object.__new__(Arch)
    for key in asdict(whole):
        object.__setattr__(made, key, getattr(whole, key))
    object.__setattr__(made, "point", point)
    object.__setattr__(made, "adc_bits", point.adc_bits)
    return made


@pytest.mark.promise(
    "a code of a converter with a step counts that many sums, by the page's formula: offset and"
    " trim are whole codes of it, its nonlinearity is in steps of a code; halves go to even codes"
)
@pytest.mark.parametrize("step", [1, 2, 8])
@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize("bent", [False, True])
def test_codes_are_the_pages(step: int, trimmed: bool, bent: bool) -> None:
    rng, arch = np.random.default_rng(4), coarser(step)
    effects = nonlinear(variation=0.2, offset_lsb=1.5, trimmed=trimmed)
    if not bent:
        effects = replace(effects, converters=replace(effects.converters, nonlinearity=()))
    chips = ErringCrossbars(digits()[0], arch, effects, 9)
    tile = chips._tile(rng.integers(-128, 128, (128, 3)), (2, 0, 1, 128))
    inputs = rng.integers(0, 256, (4, 128))
    inputs[0] = 255
    inputs[1:3, 20:] = 0
    inputs[3] = 0
    inputs[3, :2] = 1, 3
    levels, most = tile.levels.astype(np.int64), 2**arch.adc_bits - 1
    bits, wanted = arch.point.dac_bits, np.zeros((4, levels.shape[1]), np.int64)
    for row, column in np.ndindex(*wanted.shape):
        offset = int(tile.offsets[column])
        if trimmed:
            offset -= 64 * step * ((offset + 32 * step) // (64 * step))
        for place in range(arch.bit_steps):
            digit = (inputs[row] >> (place * bits)) & (2**bits - 1)
            total = int(digit @ levels[:, column]) + offset
            code = round(Fraction(total, 64 * step)) if step > 1 else (total + 32) >> 6
            if bent:
                odd = total // (64 * step) % 2 if step > 1 else 1
                given = (total - 1 + odd) // step
                code = (given + round(64 * line(min(max(code, 0), most), BOW)) + 32) >> 6
            code = min(max(code, 0), most)
            wanted[row, column] += step * code << (place * bits)
    assert np.array_equal(chips._sampled(inputs, tile), wanted)


def test_offsets_are_in_steps_of_a_code() -> None:
    """The same draw on a converter with a step of 8 is eight times as many sums."""
    effects, weights = nonlinear(offset_lsb=1.5), np.zeros((128, 3), np.int64)
    drawn = [
        ErringCrossbars(digits()[0], coarser(step), effects, 9)._tile(weights, (2, 0, 1, 128))
        for step in (1, 8)
    ]
    assert np.abs(drawn[0].offsets).max() > 64
    assert np.abs(drawn[1].offsets - 8 * drawn[0].offsets).max() <= 4
