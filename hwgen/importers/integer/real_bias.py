"""Biases of real numbers: integers that quantize every sum as the real numbers do.

Where a factor stands between the sums of a layer and their quantization, as a BatchNormalization
does, a runtime adds a real bias. Rounded to steps of the sums it moves elements beside a half, the
more the fewer bits the weights have. So a filter of few bits is held times a power of two: its
signed digits move, none is added, and the steps become as much smaller. Then bias and factor move
together until each element begins at the sum at which it begins in real numbers.

Tests: `tests/importers/integer/test_real_bias.py`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.constants import FINEST_WEIGHT
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import Weights

Integers = NDArray[np.int64]
Real = NDArray[np.float64]

MOST_SUM = (1 << 31) - 1
MOVES = 4
"""Biases that are tried on each side of the nearest."""
MARGIN = 1e-6
"""Relative distance of a factor from the ends of its range, above what float32 rounds."""


def with_real_bias(
    weights: Weights, source: QuantizedMap, output: QuantizedMap
) -> tuple[Weights, float]:
    """Return weights that quantize as with their rest, and how far a bias is off, in steps.

    Of the output; zero if each filter gives every element that real numbers give.
    """
    rest = weights.rest
    assert rest is not None
    shift = np.where(rest == 0, 0, room_of(weights, source))
    moved = rest * 2.0**shift
    bias = (weights.bias << shift) + np.rint(moved).astype(np.int64)
    sides = (-1, *(1,) * (weights.integers.ndim - 1))
    finer = replace(
        weights,
        integers=weights.centred << shift.reshape(sides),
        scales=weights.scales / 2.0**shift,
        zero_points=np.zeros_like(weights.zero_points),
        bias=bias,
        rest=None,
    )
    left = np.abs(moved - np.rint(moved)) * finer.scales * source.scale / output.scale
    found_bias, factors = fitted(weights, shift, bias, source, output)
    fits = factors > 0
    scales = np.where(fits, factors * output.scale / source.scale, finer.scales)
    finer = replace(finer, bias=np.where(fits, found_bias, bias), scales=scales)
    return finer, float(left[~fits].max(initial=0.0))


def room_of(weights: Weights, source: QuantizedMap) -> Integers:
    """Return by how many places each filter can be shifted: weights in bytes, sums in 32 bits."""
    rows = np.abs(weights.centred).reshape(len(weights.bias), -1)
    sums = rows.sum(axis=1) * ((1 << source.bits) - 1) + np.abs(weights.bias) + MOVES
    room = np.minimum(FINEST_WEIGHT // rows.max(axis=1, initial=1), MOST_SUM // sums)
    shifts: Integers = np.log2(np.maximum(room, 1)).astype(np.int64)
    return shifts


def fitted(
    weights: Weights, shift: Integers, bias: Integers, source: QuantizedMap, output: QuantizedMap
) -> tuple[Integers, Real]:
    """Return a bias and a factor of each filter, (out,), which begin each element where it should.

    bias: the nearest, in steps of shifted sums. A factor is 0 where none is found.
    """
    real = weights.scales * source.scale / output.scale
    apart = steps_between(weights)
    ends, begins = beginnings(weights, apart, source, output)
    above, step = begins << shift[:, np.newaxis], (apart << shift)[:, np.newaxis]
    known, wanted = begins != UNREACHED, real / 2.0**shift
    factors, chosen = np.zeros(len(bias)), bias.copy()
    for move in sorted(range(-MOVES, MOVES + 1), key=abs):
        sums = above + (bias + move)[:, np.newaxis]
        least, most = factor_ranges(sums, sums - step, ends, known)
        least, most = least * (1 + MARGIN), most * (1 - MARGIN)
        found = (factors == 0) & (least <= most) & np.isfinite(least)
        factors[found] = np.clip(wanted, least, most)[found]
        chosen[found] += move
    return chosen, factors


UNREACHED = np.iinfo(np.int64).min
"""In place of the first sum of an element that no image, or every image, is above."""


def steps_between(weights: Weights) -> Integers:
    """Return the power of two, (out,), of which all sums of a filter are multiples."""
    rows = np.abs(weights.centred).reshape(len(weights.bias), -1)
    bits: Integers = np.bitwise_or.reduce(rows, axis=1, initial=0)
    lowest: Integers = np.maximum(bits & -bits, 1)
    return lowest


def beginnings(
    weights: Weights, apart: Integers, source: QuantizedMap, output: QuantizedMap
) -> tuple[Real, Integers]:
    """Return where each element but the lowest begins: real, (elements,), and as its first sum.

    The sums, (out, elements), are those of weights and centred inputs, without the bias; apart: by
    how much they differ at least, (out,).
    """
    rest = weights.rest
    assert rest is not None
    real, step = weights.scales * source.scale / output.scale, apart[:, np.newaxis]
    steps = np.arange(output.low + 1, output.high + 1) - output.zero_point
    ends = steps.astype(np.float64) - 0.5
    exact = ends / real[:, np.newaxis] - rest[:, np.newaxis] - weights.bias[:, np.newaxis]
    firsts = np.ceil(exact / step) * step
    firsts += step * ((firsts == exact) & (steps % 2 != 0))  # a half goes to the even step
    rows = weights.centred.reshape(len(real), -1)
    inputs = np.array([source.low, source.high]) - source.zero_point
    products = rows[..., np.newaxis] * inputs
    least, most = products.min(axis=2).sum(axis=1), products.max(axis=2).sum(axis=1)
    reached = (firsts > least[:, np.newaxis]) & (firsts <= most[:, np.newaxis])
    return ends, np.where(reached, firsts, UNREACHED).astype(np.int64)


def factor_ranges(
    above: Integers, below: Integers, ends: Real, known: NDArray[np.bool_]
) -> tuple[Real, Real]:
    """Return the least and the largest factor with which each element begins at its first sum.

    above, below: (out, elements), that sum and the one before it, with the bias; known: of which
    ends: (elements,), where elements begin in steps; the least is above the largest if none does
    """
    positive = ends > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        first, last = ends / above, ends / below
    wrong = known & np.where(positive, above <= 0, below >= 0)
    lower = np.where(positive, first, last)
    upper = np.where(
        positive, np.where(below > 0, last, np.inf), np.where(above < 0, first, np.inf)
    )
    least = np.where(known, np.where(wrong, np.inf, lower), 0.0).max(axis=1, initial=0.0)
    most = np.where(known, upper, np.inf).min(axis=1, initial=np.inf)
    return least, most
