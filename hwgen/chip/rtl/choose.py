"""Multiplexers over a list of values, without an unreachable default case.

Tests: `tests/verif/common/test_register_file.py`.
"""

from collections.abc import Sequence

from amaranth.hdl import Array, Value


def choose(values: Sequence[Value], index: Value) -> Value:
    """Return ``values[index mod count]``; the count is a power of two."""
    bits = (len(values) - 1).bit_length()
    return Value.cast(Array(values)[index[:bits]]) if bits else values[0]


def choose_below(values: Sequence[Value], index: Value) -> Value:
    """Return ``values[index]`` for an index below the count, which is any number."""
    padding = (1 << (len(values) - 1).bit_length()) - len(values)
    return choose([*values, *([values[-1]] * padding)], index)
