"""What runtimes make of a map and constants by channel, and a convolution that makes the same.

XNNPACK's sums have factors of 21 bits and go up at halves, its products are float32 numbers rounded
to even. Slopes have no kernel there: theirs have factors of 31 bits and round twice. onnxruntime's
sums and products are those of `pairs`.

A channel has as many results as its map has integers, so that all are tried: a weight, a bias and
the float32 factor that they come with give all of them for nearly any constants.

Tests: `tests/importers/tflite/test_constants.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.arithmetic import MOST_RIGHT, f32, fixed_factor, floating_pair
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.pairs import runtime_product, runtime_sum

Integers = NDArray[np.int64]
Real = NDArray[np.float64]
Results = Callable[[QuantizedMap, QuantizedMap, "Operand"], Integers]
"""Integers of the output, (channels, integers of the map), for two maps and constants."""

FINEST_WEIGHT = 127
"""The largest weight of a byte."""
MOST_MOVES = 3
"""Biases tried on each side of the nearest."""
STRETCHES = tuple(sign * count * 2.0**-18 for count in range(5) for sign in (1, -1))[1:]
"""Relative changes of a factor that are tried, until one gives all results."""
Channel = tuple[int, float, int, int]
"""Weight, its scale, bias; results that are not wanted."""


@dataclass(frozen=True, kw_only=True)
class Operand:
    """Constants by channel as the file has them.

    centred: (1,) or (channels,), integers minus their zero point; scale: real value of a step
    results: what the runtime of the file computes with its default kernels
    """

    centred: Integers
    scale: float
    results: Results

    def table(self, source: QuantizedMap, output: QuantizedMap) -> Integers:
        """Return the results of one constant."""
        return self.results(source, output, self).reshape(-1)


def in_session(operator: str, values: QuantizedMap, integers: Integers) -> Operand:
    """Return constants as onnxruntime adds or multiplies them; integers, values: without sign."""
    computed = runtime_sum if operator == "Add" else runtime_product

    def results(source: QuantizedMap, output: QuantizedMap, _: Operand) -> Integers:
        low, high = source.span
        maps, present = (source.unsigned, values), (np.arange(low, high + 1), integers)
        return computed(maps, output.unsigned, present).T - output.offset

    return Operand(centred=integers - values.zero_point, scale=values.scale, results=results)


def whole(results: Integers, source: QuantizedMap) -> Integers:
    """Return results for a map's range as those for all its bits, the same beyond both ends."""
    first, last = source.span
    entries: Integers = results[np.arange(1 << source.bits).clip(first, last) - first]
    return entries


def inputs_of(source: QuantizedMap) -> Integers:
    """Return every integer that a map may have, minus its zero point."""
    return np.arange(source.low, source.high + 1) - source.zero_point


def clipped(steps: Integers, output: QuantizedMap) -> Integers:
    """Return steps behind the zero point of a map, inside its range."""
    moved: Integers = (steps + output.zero_point).clip(output.low, output.high)
    return moved


def sums(sign: int, constant_sign: int) -> Results:
    """Return what computes a sum; the signs are those of the map and of the constants."""

    def results(source: QuantizedMap, output: QuantizedMap, given: Operand) -> Integers:
        first, second = (f32(each / output.scale) for each in (source.scale, given.scale))
        one, other = floating_pair(first, second)
        moved = constant_sign * given.centred[:, np.newaxis] * other.multiplier
        total = sign * inputs_of(source) * one.multiplier + moved
        shift = min(one.shift, MOST_RIGHT)
        return clipped((total + (1 << shift - 1)) >> shift, output)

    return results


def products(source: QuantizedMap, output: QuantizedMap, given: Operand) -> Integers:
    """Return the products of a map and constants."""
    factor = f32(f32(source.scale * given.scale) / output.scale)
    return clipped(times(given.centred[:, np.newaxis] * inputs_of(source), factor), output)


def unchanged(source: QuantizedMap, output: QuantizedMap, _: Operand) -> Integers:
    """Return a map in the steps of another, as a PRELU has what is above zero."""
    factor = f32(source.scale / output.scale)
    return clipped(fixed_factor("reference", inputs_of(source), factor), output)[np.newaxis]


def slopes(source: QuantizedMap, output: QuantizedMap, given: Operand) -> Integers:
    """Return a map times slopes, as a PRELU has what is below zero."""
    factor = f32(f32(source.scale * given.scale) / output.scale)
    bent = given.centred[:, np.newaxis] * inputs_of(source)
    return clipped(fixed_factor("reference", bent, factor), output)


def times(integers: Integers, factor: float) -> Integers:
    """Return integers times a float32 number, rounded to even."""
    rounded: Integers = np.rint(integers.astype(np.float32) * np.float32(factor)).astype(np.int64)
    return rounded


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Weights of one pixel, their scales and biases; different: results that are not wanted."""

    weights: Integers
    scales: Real
    bias: Integers
    different: int


def fitted(
    source: QuantizedMap, output: QuantizedMap, wanted: Integers, factor: Real, offset: Real
) -> Fit:
    """Return the convolution of one weight a channel with the most results as wanted.

    wanted: (channels, integers of the map); factor, offset: real, (channels,)
    """
    found = [
        fitted_channel(source, output, *each) for each in zip(wanted, factor, offset, strict=True)
    ]
    weights, scales, bias, different = (np.array(each) for each in zip(*found, strict=True))
    return Fit(weights=weights, scales=scales, bias=bias, different=int(different.sum()))


def fitted_channel(
    source: QuantizedMap, output: QuantizedMap, wanted: Integers, factor: float, offset: float
) -> Channel:
    """Return weight, scale and bias of a channel, and how many of its results are not wanted."""
    best = None
    for stretch in STRETCHES:
        found = stretched_channel(source, output, wanted, factor * (1 + stretch), offset)
        if best is None or found[-1] < best[-1]:
            best = found
        if not best[-1]:
            break
    assert best is not None
    return best


def stretched_channel(
    source: QuantizedMap, output: QuantizedMap, wanted: Integers, factor: float, offset: float
) -> Channel:
    """Return the best of a channel for one real factor: all weights are tried, the finest first."""
    size = np.arange(FINEST_WEIGHT, 0, -1)
    scales = (abs(factor) if factor else source.scale) / size
    steps = scales.astype(np.float32) * np.float32(source.scale) / np.float32(output.scale)
    moves = np.array(sorted(range(-MOST_MOVES, MOST_MOVES + 1), key=abs))
    bias = np.rint(offset / (source.scale * scales))[:, np.newaxis] + moves
    weights = int(np.sign(factor)) * size
    total = weights[:, np.newaxis, np.newaxis] * inputs_of(source) + bias[:, :, np.newaxis]
    real = np.rint(total.astype(np.float32) * steps[:, np.newaxis, np.newaxis])
    wrong = ((real + output.zero_point).clip(output.low, output.high) != wanted).sum(axis=2)
    place, move = np.unravel_index(int(np.argmin(wrong)), wrong.shape)
    found = int(bias[place, move]), int(wrong[place, move])
    return int(weights[place]), float(scales[place]), *found
