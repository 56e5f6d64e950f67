"""Real factors as the integers of the contract: a 16-bit multiplier and a shift."""

from dataclasses import dataclass

from hwgen.network.quantization import MULTIPLIER_LOW, SHIFT_HIGH, fixed_point

FACTOR_LIMIT = float(MULTIPLIER_LOW)
"""Factors are below this."""
SMALLEST_FACTOR = MULTIPLIER_LOW / 2**SHIFT_HIGH
"""A smaller factor becomes this one: sums below 2^31 round to zero either way."""


@dataclass(frozen=True, kw_only=True)
class Factor:
    """multiplier / 2^shift instead of a real factor; error: the difference of the two."""

    multiplier: int
    shift: int
    error: float


def factor_of(real: float) -> Factor:
    """Return the factor nearest to a real one from 0 to below 2^15."""
    if real < SMALLEST_FACTOR:
        # The smallest factor rounds the same sums to zero, so nothing differs.
        return Factor(multiplier=MULTIPLIER_LOW, shift=SHIFT_HIGH, error=0.0)
    multiplier, shift = fixed_point(real)
    return Factor(multiplier=multiplier, shift=shift, error=abs(multiplier / 2**shift - real))


def pair_of(first: float, second: float) -> tuple[Factor, Factor]:
    """Return two factors with one shift, which the larger factor decides."""
    larger = factor_of(max(first, second))
    smaller = min(first, second)
    multiplier = round(smaller * 2**larger.shift)
    other = Factor(
        multiplier=multiplier,
        shift=larger.shift,
        error=abs(multiplier / 2**larger.shift - smaller),
    )
    return (larger, other) if first >= second else (other, larger)
