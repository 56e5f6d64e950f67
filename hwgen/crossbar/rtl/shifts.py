"""Shifts and masks of words by elements: a shifter each, not a multiplexer for each element.

What simulators and compilers make of a word of 128 elements is as short as for one of two. And the
OR of many terms, whose depth is the logarithm of their number.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from collections.abc import Sequence

from amaranth.hdl import Const, Mux, Value
from amaranth.utils import exact_log2


def moved_up(value: Value, places: Value, *, unit: int) -> Value:
    """Return ``value << (places * unit)``, as wide as it may become.

    unit: bits of an element, a power of two
    """
    return value << places.shift_left(exact_log2(unit))


def moved_down(value: Value, places: Value, *, unit: int, keep: int) -> Value:
    """Return the lowest `keep` bits of ``value >> (places * unit)``; see `moved_up`."""
    return (value >> places.shift_left(exact_log2(unit)))[:keep]


def below(count: Value, elements: int, *, unit: int = 1) -> Value:
    """Return ones in the place of each of the `elements` of a word whose number is below `count`.

    count: may be above `elements`; unit: see `moved_up`
    """
    missing = Mux(count < elements, elements - count, 0)[: elements.bit_length()]
    return Const((1 << elements * unit) - 1) >> missing.shift_left(exact_log2(unit))


def any_of(terms: Sequence[Value]) -> Value:
    """Return the OR of terms, 0 of none; in halves, as Amaranth follows chains by recursion."""
    if len(terms) < 2:
        return Value.cast(terms[0] if terms else 0)
    middle = len(terms) // 2
    return any_of(terms[:middle]) | any_of(terms[middle:])
