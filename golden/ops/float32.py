"""Arithmetic of float32 (IEEE 754, ties to even) in integers: add, multiply, fma, divide, root.

A number is its 32 bits, uint32; arrays broadcast. Zeros, subnormal numbers and overflow to
infinity are those of the standard. What is no number is refused as an operand, and so are
infinities but as a dividend and where an integer is made, which saturates.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.ops.requantize import Integers, lengths_of, to_even

Bits = NDArray[np.uint32]

FRACTION, SIGNIFICANT = 23, 24
"""Bits behind the point of a significand, and of the whole significand."""
LEAST = -149
"""Exponent of the last bit of a subnormal number."""
INFINITE = 0xFF
"""Biased exponent of infinities and of what is no number."""
TOP = 61
"""Place of the leading bit of the larger of two summands; the sum needs one place more."""


class Parts(NamedTuple):
    """Numbers: (-1)**negative * significand * 2**exponent; significand: from 0, below 2**63."""

    negative: NDArray[np.bool_]
    significand: Integers
    exponent: Integers


def parts_of(bits: ArrayLike) -> Parts:
    """Return finite numbers as integers; raise ValueError for others."""
    given = np.asarray(bits)
    if given.dtype != np.uint32:
        raise ValueError(f"bits of float32 must be uint32, got {given.dtype}")
    wide = given.astype(np.int64)
    biased = wide >> FRACTION & INFINITE
    if (biased == INFINITE).any():
        raise ValueError("operands must be finite, got an infinity or no number")
    hidden = np.where(biased > 0, np.int64(1) << FRACTION, 0)
    significand = wide & ((1 << FRACTION) - 1) | hidden
    return Parts(wide >> 31 == 1, significand, np.maximum(biased, 1) + LEAST - 1)


def add(a: ArrayLike, b: ArrayLike) -> Bits:
    """Return a + b."""
    return rounded(sum_of(parts_of(a), parts_of(b)))


def subtract(a: ArrayLike, b: ArrayLike) -> Bits:
    """Return a - b."""
    return add(a, np.asarray(b) ^ np.uint32(1 << 31))


def multiply(a: ArrayLike, b: ArrayLike) -> Bits:
    """Return a * b."""
    return rounded(product_of(parts_of(a), parts_of(b)))


def fma(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> Bits:
    """Return a * b + c, rounded once."""
    return rounded(sum_of(product_of(parts_of(a), parts_of(b)), parts_of(c)))


def divide(a: ArrayLike, b: ArrayLike) -> Bits:
    """Return a / b; raise ValueError where b is zero. An infinite a stays one."""
    endless, finite = apart(a)
    one, other = parts_of(finite), normal(parts_of(b))
    if not other.significand.all():
        raise ValueError("a divisor must not be zero")
    # 24 bits more than both significands have: a quotient of at least 25 bits, then a rest.
    shift = 2 * SIGNIFICANT - FRACTION + 13
    dividend = normal(one)
    whole, rest = np.divmod(dividend.significand << shift, other.significand)
    exponent = dividend.exponent - other.exponent - shift - 1
    return rounded(
        Parts(
            one.negative ^ other.negative,
            np.where(endless, 1, whole << 1 | (rest > 0)),
            np.where(endless, INFINITE, exponent),
        )
    )


def root(a: ArrayLike) -> Bits:
    """Return the square root; raise ValueError below zero."""
    given = normal(parts_of(a))
    if (given.negative & (given.significand > 0)).any():
        raise ValueError("the operand of a root must not be negative")
    # An even exponent is left, and a radicand of 61 or 62 bits: a root of 31.
    shift = 38 - (given.exponent & 1)
    radicand = given.significand << shift
    whole = integer_root(radicand)
    rest = radicand - whole * whole
    halved = (given.exponent - shift) >> 1
    return rounded(Parts(given.negative, whole << 1 | (rest > 0), halved - 1))


def integer_root(values: Integers) -> Integers:
    """Return floor(sqrt(values)), a bit at a time; values: from 0, below 2**62."""
    found = np.zeros_like(values)
    for place in range(30, -1, -1):
        tried = found | (1 << place)
        found = np.where(tried * tried <= values, tried, found)
    return found


def from_integers(values: ArrayLike) -> Bits:
    """Return the nearest float32 of integers; |values| below 2**62."""
    given = np.asarray(values, np.int64)
    return rounded(Parts(given < 0, np.abs(given), np.zeros_like(given)))


def apart(a: ArrayLike) -> tuple[NDArray[np.bool_], Bits]:
    """Return which numbers are infinite, and all with zeros of their sign in place of those."""
    given = np.asarray(a)
    endless = given & np.uint32((1 << 31) - 1) == np.uint32(INFINITE << FRACTION)
    return endless, np.where(endless, given & np.uint32(1 << 31), given)


def to_integers(bits: ArrayLike) -> Integers:
    """Return the nearest integers, of two the even one; from 2**62 on, infinities too, 2**62."""
    endless, finite = apart(bits)
    negative, significand, exponent = parts_of(finite)
    left = np.clip(exponent, 0, 62 - SIGNIFICANT)
    magnitude = to_even(significand << left, np.clip(-exponent, 0, 62))
    magnitude = np.where(endless | (exponent > 62 - SIGNIFICANT), np.int64(1) << 62, magnitude)
    signed: Integers = np.where(negative, -magnitude, magnitude)
    return signed


def exact_sum(bits: NDArray[np.uint32], axis: int) -> Parts:
    """Return sums along an axis without rounding; raise ValueError where 62 bits are too few."""
    negative, significand, exponent = parts_of(bits)
    least = int(np.where(significand > 0, exponent, exponent.max(initial=0)).min(initial=0))
    shift = np.where(significand > 0, exponent - least, 0)
    room = 62 - SIGNIFICANT - int(bits.shape[axis]).bit_length()
    if shift.max(initial=0) > room:
        raise ValueError(f"exponents must lie within {room} of each other")
    aligned = significand << shift
    total: Integers = np.where(negative, -aligned, aligned).sum(axis=axis)
    return Parts(total < 0, np.abs(total), np.full_like(total, least))


def quotient(total: Parts, count: int) -> Bits:
    """Return exact sums over a count, rounded once; count: below 2**20."""
    given = normal(total, TOP)
    whole, rest = np.divmod(given.significand, np.int64(count))
    return rounded(Parts(total.negative, whole << 1 | (rest > 0), given.exponent - 1))


def product_of(a: Parts, b: Parts) -> Parts:
    """Return the exact product of significands of up to 24 bits."""
    return Parts(a.negative ^ b.negative, a.significand * b.significand, a.exponent + b.exponent)


def sum_of(a: Parts, b: Parts) -> Parts:
    """Return a sum of which rounding to 24 bits gives the rounded sum; what is lost leaves a 1."""
    a, b = normal(a, TOP), normal(b, TOP)
    # A zero is as small as can be, so that it never shifts the other out.
    high = np.maximum(
        *(np.where(each.significand > 0, each.exponent, -(1 << 20)) for each in (a, b))
    )
    first, second = (sticky(each.significand, high - each.exponent) for each in (a, b))
    total = np.where(a.negative, -first, first) + np.where(b.negative, -second, second)
    negative = (total < 0) | ((total == 0) & a.negative & b.negative)
    return Parts(negative, np.abs(total), np.where(total == 0, 0, high))


def sticky(significand: Integers, shift: Integers) -> Integers:
    """Return significands shifted to the right, the last bit set where bits were lost."""
    places = np.clip(shift, 0, 62)
    kept = significand >> places
    marked: Integers = kept | (kept << places != significand)
    return marked


def normal(given: Parts, top: int = FRACTION) -> Parts:
    """Return numbers whose leading bit is at a place; zeros stay; `top` loses no bit."""
    lengths = lengths_of(given.significand)
    shift = np.where(given.significand > 0, top + 1 - lengths, 0)
    return Parts(given.negative, given.significand << shift, given.exponent - shift)


def rounded(given: Parts) -> Bits:
    """Return the nearest float32, of two the even one; beyond the largest an infinity."""
    negative, significand, exponent = given
    lengths = lengths_of(significand)
    last = np.maximum(exponent + lengths - SIGNIFICANT, LEAST)
    shift = last - exponent
    kept = np.where(
        shift >= 0,
        to_even(sticky(significand, shift - 62), np.clip(shift, 0, 62)),
        significand << np.clip(-shift, 0, 62),
    )
    # Rounded up to the next power of two: one bit less, or the first normal number.
    carried = kept >> SIGNIFICANT == 1
    kept, last = np.where(carried, kept >> 1, kept), last + carried
    biased = np.where(kept >> FRACTION == 1, last - LEAST + 1, 0)
    magnitude = np.where(
        biased >= INFINITE,
        np.int64(INFINITE) << FRACTION,
        biased << FRACTION | kept & ((1 << FRACTION) - 1),
    )
    bits: Any = magnitude | negative.astype(np.int64) << 31
    return np.asarray(bits, np.uint32)
