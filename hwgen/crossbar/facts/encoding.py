"""How wide the numbers are on the way from the ADCs to a whole sum.

Weights are stored with an offset in flipped columns, beside a digital sum of the inputs: with
that the ADC bits of a point lose nothing (docs/crossbar-rules.md).
"""

import math

from hwgen.errors import ConfigError

PARTIAL_SUM_BITS = (32, 48, 64)
"""Widths in which partial sums travel."""


def column_sum_most(side: int, cell_bits: int, dac_bits: int) -> int:
    """Return the greatest sum that a column gives to its ADC in a bit step."""
    digit_most = (1 << dac_bits) - 1
    return side * ((1 << cell_bits) - 1) // 2 * digit_most


def column_accumulator_bits(side: int, cell_bits: int, input_bits: int) -> int:
    """Return the bits in which a column accumulates all bit steps, modulo their range."""
    return int(math.log2(side)) + cell_bits + input_bits


def input_sum_bits(side: int, input_bits: int) -> int:
    """Return the bits of the sum of the inputs of a row tile, unsigned."""
    return int(math.log2(side)) + input_bits


def partial_sum_bits(rows: int, weight_bits: int, input_bits: int) -> int:
    """Return the least width in which a signed sum over `rows` products travels."""
    least = weight_bits + input_bits + (rows - 1).bit_length()
    for bits in PARTIAL_SUM_BITS:
        if least <= bits:
            return bits
    raise ConfigError(
        field="rows of a layer",
        allowed=f"so few that a sum has at most {PARTIAL_SUM_BITS[-1]} bits",
        given=f"{rows} rows of {weight_bits} x {input_bits} bits, {least} bits",
        source="partial sums",
    )
