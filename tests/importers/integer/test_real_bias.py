"""Biases of real numbers: every sum that an image may have against real numbers, one by one."""

from dataclasses import replace

import numpy as np
import pytest

from golden.ops.requantize import float32
from hwgen.importers.integer.arithmetic import filter_factors
from hwgen.importers.integer.maps import QuantizedMap, quantized_map
from hwgen.importers.integer.nodes import Weights, weights_of
from hwgen.importers.integer.real_bias import with_real_bias

FILTERS, INPUTS = 40, 12


def drawn(bits: int, source: QuantizedMap, seed: int, *, gain: int = 1) -> Weights:
    """Return filters of some bits whose biases have parts of a step; one has zeros alone."""
    rng = np.random.default_rng(seed)
    most = (1 << bits - 1) - 1
    integers = gain * rng.integers(-most, most + 1, (FILTERS, INPUTS))
    integers[3] = 0
    scales = rng.uniform(0.5, 2, FILTERS) / most / gain
    given = weights_of(integers, scales=scales, bias=rng.integers(-60, 60, FILTERS), bits=bits)
    return replace(given, rest=rng.uniform(-0.5, 0.5, FILTERS))


def sums_of(weights: Weights, source: QuantizedMap) -> list[np.ndarray]:
    """Return sums of each filter and images: all those of its range that its weights can have."""
    rng = np.random.default_rng(9)
    images = rng.integers(source.low, source.high + 1, (4000, INPUTS)) - source.zero_point
    images[:500] = rng.choice([source.low, source.high], (500, INPUTS)) - source.zero_point
    return [images @ row for row in weights.centred]


def real_elements(
    weights: Weights, source: QuantizedMap, output: QuantizedMap, sums: list[np.ndarray]
) -> list[np.ndarray]:
    assert weights.rest is not None
    steps = weights.scales * source.scale / output.scale
    whole = zip(sums, weights.bias + weights.rest, steps, strict=True)
    return [clipped(np.rint((each + bias) * step), output) for each, bias, step in whole]


def elements(
    weights: Weights, source: QuantizedMap, output: QuantizedMap, sums: list[np.ndarray]
) -> list[np.ndarray]:
    """Return what the network file computes."""
    _, factors = filter_factors("onnxruntime", weights.scales, source, output, matrix=False)
    return [
        clipped(float32(each + bias, np.array(factor.multiplier), np.array(factor.shift)), output)
        for each, bias, factor in zip(sums, weights.bias, factors, strict=True)
    ]


def clipped(steps: np.ndarray, output: QuantizedMap) -> np.ndarray:
    return (steps + output.zero_point).clip(output.low, output.high).astype(np.int64)


def few_levels(bits: int, *, signed: bool = False, zero_point: int = 0) -> QuantizedMap:
    given = quantized_map((1, 1, FILTERS), signed=signed, scale=1.5, zero_point=zero_point)
    low = -(1 << bits - 1) if signed else 0
    return replace(given, low=low, high=low + (1 << bits) - 1)


MAPS = {
    "unsigned": (few_levels(4), few_levels(4)),
    "signed": (few_levels(4, signed=True), few_levels(4, signed=True)),
    "of bytes before": (quantized_map((1, 1, INPUTS), signed=True, scale=0.1, zero_point=0),
                        few_levels(3)),
    "with zero points": (few_levels(4, zero_point=5), few_levels(4, zero_point=7)),
}  # fmt: skip


@pytest.mark.promise(
    "behind a BatchNormalization, maps of few bits are those of its real numbers in every element"
)
@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize("bits", [2, 3, 4])
def test_every_element_is_that_of_real_numbers(maps: str, bits: int) -> None:
    source, output = MAPS[maps]
    given = drawn(bits, source, seed=bits)
    found, off = with_real_bias(given, source, output)
    assert off == 0 and found.rest is None
    wanted = real_elements(given, source, output, sums_of(given, source))
    answers = elements(found, source, output, sums_of(found, source))
    assert all(np.array_equal(*pair) for pair in zip(wanted, answers, strict=True))
    coarse = elements(given, source, output, sums_of(given, source))
    assert not all(np.array_equal(*pair) for pair in zip(wanted, coarse, strict=True))
    assert np.abs(found.integers).max() <= 127


def test_weights_that_were_shifted_before_are_as_exact() -> None:
    """Their sums are apart as far as the weights are."""
    source, output = MAPS["unsigned"]
    given = drawn(4, source, seed=1, gain=16)
    assert with_real_bias(given, source, output)[1] == 0


def test_a_half_goes_to_the_even_element() -> None:
    source = output = few_levels(4)
    source, output = (replace(each, scale=1.0) for each in (source, output))
    given = weights_of(np.eye(INPUTS, dtype=np.int64), scales=0.5, bits=2)
    given = replace(given, rest=np.full(INPUTS, 2.0**-40))
    held, _ = with_real_bias(replace(given, rest=np.zeros(INPUTS)), source, output)
    above, _ = with_real_bias(given, source, output)
    ones, threes = (np.full((1, INPUTS), each) for each in (1, 3))
    for image, even, more in ((ones, 0, 1), (threes, 2, 2)):
        for weights, wanted in ((held, even), (above, more)):
            sums = [image @ row for row in weights.centred]
            assert np.unique(elements(weights, source, output, sums)).tolist() == [wanted]


def test_what_no_factor_gives_is_off_by_less_than_a_step() -> None:
    """Weights of 8 bits leave no room, and their maps have 255 ends."""
    source = quantized_map((1, 1, INPUTS), signed=False, scale=0.02, zero_point=0)
    output = replace(source, scale=0.05)
    given = drawn(8, source, seed=2)
    found, off = with_real_bias(given, source, output)
    assert 0 < off < 0.5
    assert found.integers[0].tolist() == given.integers[0].tolist()
    wanted = real_elements(given, source, output, sums_of(given, source))
    answers = elements(found, source, output, sums_of(found, source))
    away = max(int(np.abs(one - other).max()) for one, other in zip(wanted, answers, strict=True))
    assert away == 1


def test_sums_stay_within_32_bits() -> None:
    source, output = MAPS["unsigned"]
    given = replace(drawn(2, source, seed=3), bias=np.full(FILTERS, 1 << 29, np.int64))
    found, _ = with_real_bias(given, source, output)
    assert np.abs(found.bias).max() < 1 << 31
