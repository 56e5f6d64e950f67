"""onnxruntime's sums and products of two maps, for all pairs of elements, and what comes near.

Its kernels compute in float32 with the zero point of the result inside:

    sum      rne(fma(a, ra, fma(b, rb, fix)))    ra = sa / so, rb = sb / so,
                                                 fix = zo - fma(ra, za, rb * zb)
    product  rne((a - za) * (b - zb) * (sa * sb / so) + zo)

Two maps of bytes have 65,536 pairs, fewer where one is a constant, so that all are tried: which
factors of an addition give the same integers, and how many pairs differ where none do.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.maps import QuantizedMap
from hwgen.network.quantization import HALF_UP, Rounding

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]

Present = Sequence[Integers | None]
"""Of each operand the integers that a constant has, as the file stores them; None: every one."""
ALL: Present = (None, None)

FACTOR_BITS = 22
"""Of the larger factor of a sum: the most that chips have."""
MOST_FACTOR = (1 << FACTOR_BITS) - 1
NEIGHBOURS = 16
"""Factors tried on each side of the nearest."""
ROUNDINGS: tuple[Rounding, ...] = ("float32", HALF_UP)
"""Those that an addition may have, in order of preference."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Factors of a sum with one shift; different: of all pairs, those not as onnxruntime's."""

    multipliers: tuple[int, int]
    shift: int
    rounding: Rounding
    different: int


def fused(x: Floats, factor: np.float32, addend: Floats) -> Floats:
    """Return x * factor + addend, rounded once; x: integers of a byte."""
    exact = x.astype(np.float64) * np.float64(factor) + addend.astype(np.float64)
    return exact.astype(np.float32)


def elements(values: QuantizedMap, present: Integers | None = None) -> Floats:
    """Return every integer of a map as the file has them; present: those of a constant."""
    every = np.arange(1 << values.bits) - values.offset if present is None else present
    return every.astype(np.float32)


def runtime_sum(
    sources: Sequence[QuantizedMap], output: QuantizedMap, present: Present = ALL
) -> Integers:
    """Return the integers of the file that onnxruntime's QLinearAdd gives: (all a, all b)."""
    one, other = sources
    scale = np.float32(output.scale)
    first, second = np.float32(one.scale) / scale, np.float32(other.scale) / scale
    zero = np.array([one.zero_point], np.float32)
    shifted = fused(zero, first, np.array([second * np.float32(other.zero_point)], np.float32))
    fix = np.float32(output.zero_point) - shifted
    behind = fused(elements(other, present[1]), second, fix)
    return clipped(fused(elements(one, present[0])[:, np.newaxis], first, behind), output)


def runtime_product(
    sources: Sequence[QuantizedMap], output: QuantizedMap, present: Present = ALL
) -> Integers:
    """Return the integers of the file that onnxruntime's QLinearMul gives: (all a, all b)."""
    one, other = centred(sources, present)
    scale = np.float32(sources[0].scale) * np.float32(sources[1].scale) / np.float32(output.scale)
    real = one[:, np.newaxis] * other * scale + np.float32(output.zero_point)
    return clipped(real, output)


def centred(sources: Sequence[QuantizedMap], present: Present) -> Iterator[Floats]:
    """Yield the integers of two maps without their zero points."""
    for each, integers in zip(sources, present, strict=True):
        yield elements(each, integers) - np.float32(each.zero_point)


def clipped(real: Floats, output: QuantizedMap) -> Integers:
    """Return steps of a map, halves to even, inside its range."""
    return np.rint(real).clip(output.low, output.high).astype(np.int64)


def scaled(sums: Integers, shift: int, rounding: Rounding) -> Integers:
    """Return sums over 2**shift, rounded as an addition of the network file rounds."""
    steps: Integers
    if rounding == HALF_UP:
        steps = (sums + (1 << shift - 1)) >> shift
    else:
        steps = np.rint(sums.astype(np.float32) / np.float32(2.0**shift)).astype(np.int64)
    return steps


def best_sum(sources: Sequence[QuantizedMap], output: QuantizedMap, present: Present = ALL) -> Sum:
    """Return factors with which the most pairs are onnxruntime's; of equals those nearest."""
    real = [float(np.float32(each.scale) / np.float32(output.scale)) for each in sources]
    shift = FACTOR_BITS - math.frexp(max(real))[1]
    nearest = np.array([round(each * 2**shift) for each in real])
    one, other = (each.astype(np.int64) for each in centred(sources, present))
    # Only pairs beside a half change with the factors that are tried.
    exact = np.add.outer(one * real[0], other * real[1])
    reach = (NEIGHBOURS + 1) * (np.abs(one).max() + np.abs(other).max()) / 2**shift
    near = np.nonzero(np.abs(exact - np.floor(exact) - 0.5) <= reach)
    wanted = runtime_sum(sources, output, present)[near]
    a, b = one[near[0]], other[near[1]]
    best: tuple[tuple[int, int], Sum] | None = None
    moves = sorted(range(-NEIGHBOURS, NEIGHBOURS + 1), key=abs)
    seconds = (nearest[1] + np.array(moves)).clip(0, MOST_FACTOR)
    for rounding, move in itertools.product(ROUNDINGS, moves):
        first = int((nearest[0] + move).clip(0, MOST_FACTOR))
        sums = a * first + np.multiply.outer(seconds, b)
        steps = scaled(sums, shift, rounding) + output.zero_point
        wrong = (steps.clip(output.low, output.high) != wanted).sum(axis=1)
        place = int(np.argmin(wrong))
        rank = int(wrong[place]), abs(move) + abs(moves[place])
        if best is None or rank < best[0]:
            factors = first, int(seconds[place])
            found = Sum(multipliers=factors, shift=shift, rounding=rounding, different=rank[0])
            best = rank, found
    assert best is not None
    return best[1]


def different_products(
    scale: float,
    sources: Sequence[QuantizedMap],
    output: QuantizedMap,
    present: Present = ALL,
) -> int:
    """Return how many pairs a product scaled by a float32 number has unlike onnxruntime's."""
    one, other = centred(sources, present)
    steps = np.rint(one[:, np.newaxis] * other * np.float32(scale)) + output.zero_point
    wanted = runtime_product(sources, output, present)
    return int((steps.clip(output.low, output.high) != wanted).sum())
