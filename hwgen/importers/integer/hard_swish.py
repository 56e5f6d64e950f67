"""HARD_SWISH as LiteRT computes it: in integers of 16 bits, each step of which rounds.

x * relu6(x + 3) / 6 is x times (a number of 0 to 1), which a saturating product with the factor
scale / 128 / (3 / 2**15) gives: saturation is the clip. With either kernels it is the same.

Tests: `tests/importers/tflite/test_refusals.py`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.arithmetic import MOST_RIGHT
from hwgen.importers.integer.constants import clipped, inputs_of
from hwgen.importers.integer.maps import QuantizedMap

Integers = NDArray[np.int64]

FINER = 7
"""Bits by which the integers of the map are shifted to the left."""
STEP = 3 / 2**15
"""Of the number of 0 to 1 before it is halved."""
BITS = 15
LOW, HIGH = -(1 << BITS), (1 << BITS) - 1


def hard_swish_steps(source: QuantizedMap, output: QuantizedMap) -> Integers:
    """Return integers of the output for every integer that a map of a byte may have."""
    fine = np.float32(source.scale) * np.float32(2.0**-FINER)
    x = inputs_of(source) << FINER
    multiplier, exponent = factor_of_16_bits(float(fine / np.float32(output.scale)))
    scaled = high_product(x, multiplier)
    gate = gate_of(x, *factor_of_16_bits(float(fine / np.float32(STEP))))
    product = np.clip(truncated(gate * scaled, 1 << BITS), LOW, HIGH)
    steps = shifted_right(product, -exponent) if exponent <= 0 else product << exponent
    return clipped(steps, output)


def gate_of(x: Integers, multiplier: int, exponent: int) -> Integers:
    """Return relu6(x + 3) / 6 in steps of 2**-15."""
    gate = x
    if exponent > 0:
        gate = np.clip(gate << (exponent - 1), LOW, HIGH)
    gate = high_product(gate, multiplier)
    if exponent > 0:
        gate = np.clip(gate << 1, LOW, HIGH)
    elif exponent < 0:
        gate = shifted_right(gate, -exponent)
    return (gate + (1 << BITS)) >> 1


def factor_of_16_bits(real: float) -> tuple[int, int]:
    """Return multiplier and exponent of a positive factor: multiplier * 2**(exponent - 15)."""
    part, exponent = math.frexp(real)
    wide = math.floor(part * 2**31 + 0.5)
    if wide == 1 << 31:
        wide, exponent = wide // 2, exponent + 1
    rounded = (wide + (1 << BITS)) >> 16
    return min(rounded, HIGH), exponent


def high_product(values: Integers, multiplier: int) -> Integers:
    """Return values * multiplier / 2**15, halves up below zero and above, in 16 bits."""
    product = values * multiplier
    nudge = np.where(product >= 0, 1 << (BITS - 1), 1 - (1 << (BITS - 1)))
    return np.clip(truncated(product + nudge, 1 << BITS), LOW, HIGH)


def truncated(values: Integers, divisor: int) -> Integers:
    """Return quotients, rounded towards zero."""
    quotients: Integers = np.sign(values) * (np.abs(values) // divisor)
    return quotients


def shifted_right(values: Integers, places: int) -> Integers:
    """Return values / 2**places, halves away from zero."""
    places = min(places, MOST_RIGHT)
    half = 1 << places >> 1
    rounded: Integers = np.sign(values) * ((np.abs(values) + half) >> places)
    return rounded
