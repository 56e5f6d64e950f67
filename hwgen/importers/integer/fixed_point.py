"""Functions that LiteRT computes in integers of 32 bits: 1 / sqrt(x), and exponentials.

Fixed-point numbers of 32 bits, as gemmlowp has them: a product is rounded to its upper half, a
division by a power of two rounds halves away from zero.

Tests: `tests/importers/tflite/test_tokens.py`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.arithmetic import f32
from hwgen.importers.integer.constants import clipped, inputs_of
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.network.maps import BYTE_BITS

Integers = NDArray[np.int64]

BITS = 31
LOW, HIGH = -(1 << BITS), (1 << BITS) - 1

ROOT_BITS = 20
"""Fraction of an inverse root between its two scalings."""
HALF_ROOT_OF_2 = 1518500250
"""sqrt(2) / 2 in steps of 2**-31."""
NEWTON_STEPS = 5

SCALED_BITS = 5
"""Before the point of the argument of an exponential."""
QUARTER = 1 << (BITS - SCALED_BITS - 2)
EIGHTH, THIRD, EXP_OF_EIGHTH = 1 << (BITS - 3), 715827883, 1895147668
"""1 / 8, 1 / 3 and exp(-1 / 8) in steps of 2**-31."""
EXPONENTIALS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2**k) for k = -2 .. 4 in steps of 2**-31."""


def high(a: Integers | int, b: Integers | int) -> Integers:
    """Return a * b / 2**31, ties up, in 32 bits."""
    product = (np.asarray(a, np.int64) * b + (1 << (BITS - 1))) >> BITS
    limited: Integers = np.clip(product, LOW, HIGH)
    return limited


def divided(values: Integers, places: int) -> Integers:
    """Return values / 2**places, halves away from zero."""
    half = 1 << places >> 1
    rounded: Integers = np.sign(values) * ((np.abs(values) + half) >> places)
    return rounded


def scaled(values: Integers, multiplier: int, exponent: int) -> Integers:
    """Return values * multiplier * 2**(exponent - 31), rounded twice to the right."""
    return divided(high(values << max(exponent, 0), multiplier), min(max(-exponent, 0), BITS))


def factor_of(real: float) -> tuple[int, int]:
    """Return multiplier and exponent of a positive factor: multiplier * 2**(exponent - 31)."""
    part, exponent = math.frexp(real)
    multiplier = math.floor(part * 2**BITS + 0.5)
    return (multiplier // 2, exponent + 1) if multiplier == 1 << BITS else (multiplier, exponent)


def inverse_root_steps(source: QuantizedMap, output: QuantizedMap) -> Integers:
    """Return 1 / sqrt of every integer of a map as LiteRT does; what is not above zero is highest.

    LiteRT stops at an integer below the zero point.
    """
    multiplier, exponent = factor_of(1 / (math.sqrt(f32(source.scale)) * output.scale))
    x = inputs_of(source)
    found = np.full(len(x), output.high, np.int64)
    for value in range(1, int(x.max(initial=0)) + 1):
        root, places = inverse_root(value)
        fine = scaled(np.array([1]), root, ROOT_BITS - places)
        steps = scaled(fine, multiplier, exponent - ROOT_BITS)
        found[x == value] = clipped(steps, output)
    return found


def inverse_root(value: int) -> tuple[int, int]:
    """Return 1 / sqrt of a number from 1 as multiplier * 2**(-31 - places), by Newton's steps."""
    if value == 1:
        return HIGH, 0
    pairs = (BITS - value.bit_length()) // 2 - 1
    x = np.array([value << 2 * pairs >> 1])
    half = divided(x, 1)
    y = np.array([1 << (BITS - 3)])
    for _ in range(NEWTON_STEPS):
        cube = np.clip(high(high(y, y), y) << 6, LOW, HIGH)
        three_halves = (1 << (BITS - 3)) + (1 << (BITS - 4))
        y = np.clip(high(three_halves, y) - high(half, cube) << 3, LOW, HIGH)
    root, places = int(high(y, HALF_ROOT_OF_2)[0]), 11 - pairs
    return (root, places) if places >= 0 else (root << -places, 0)


def fixed_exponentials(source: QuantizedMap) -> Integers:
    """Return exp(-d * scale) for d = 0 .. 255 in steps of 2**-31; what is too small is zero."""
    real = min(source.scale * (1 << (BITS - SCALED_BITS)), HIGH)
    multiplier, left = factor_of(real)
    most = math.floor(((1 << SCALED_BITS) - 1) * (1 << (BITS - SCALED_BITS)) / (1 << left))
    distances = np.arange(1 << BYTE_BITS)
    arguments = high(-np.minimum(distances, most) << left, multiplier)
    return np.where(distances <= most, exponential(arguments), 0)


def exponential(x: Integers) -> Integers:
    """Return exp(x) in steps of 2**-31; x: from 0 down, in steps of 2**-26."""
    within = (x & (QUARTER - 1)) - QUARTER
    rest, y = within - x, exponential_of_quarter(within << SCALED_BITS)
    for place, factor in enumerate(EXPONENTIALS):
        y = np.where(rest & (QUARTER << place), high(y, factor), y)
    return np.where(x == 0, HIGH, y)


def exponential_of_quarter(x: Integers) -> Integers:
    """Return exp(x) by five terms around -1 / 8; x: from -1 / 4 to 0, in steps of 2**-31."""
    x = x + EIGHTH
    square = high(x, x)
    cube, fourth = high(square, x), high(square, square)
    terms = divided(high(divided(fourth, 2) + cube, THIRD) + square, 1)
    return EXP_OF_EIGHTH + high(EXP_OF_EIGHTH, x + terms)
