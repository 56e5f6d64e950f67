"""Digits of a weight from its two cells: which are set, and which of them are negative.

Tests: `tests/verif/dbpim/test_chip_bench.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Member

from hwgen.dbpim.facts.arch import Arch
from hwgen.network.csd import DIGITS


class Digits(NamedTuple):
    """`set`: bit p: the weight has a digit of 2^p; `negative`: bit p: that digit is -1."""

    set: Value
    negative: Value


def digits_of(cells: Value, meta: Sequence[data.View], enable: Value) -> Digits:
    """Return the digits of the sum of two cells.

    cells: two bits, q of each cell; meta: its sign and block index; enable: two bits, the cell
    counts. A cell is one digit, at 2 * index + q. Two cells at one position are a digit at the next
    one if their signs are the same (1 + 1 = 2), else none (1 - 1 = 0). A digit of 2^8 is lost: no
    int8 weight has one.
    """
    first, second = digits_of_cells(cells, meta, enable)
    return Digits(first.set | second.set, first.negative | second.negative)


def pair_digits(
    cells: Value, meta: Sequence[data.View], enable: Value, double: Value
) -> tuple[Digits, Digits]:
    """Return the digits of two weights.

    With `double` each cell is a weight of its own, and 2^7 is none: see ``NO_DIGIT``. Without, the
    first weight is the sum of both cells as in ``digits_of``, and the second one has no digit.
    """
    first, second = digits_of_cells(cells, meta, enable, double)
    alone = double.replicate(DIGITS)
    return (
        Digits(first.set | second.set & ~alone, first.negative | second.negative & ~alone),
        Digits(second.set & alone, second.negative & alone),
    )


def digits_of_cells(
    cells: Value, meta: Sequence[data.View], enable: Value, double: Value | None = None
) -> list[Digits]:
    """Return the digits of each cell; those of two at one position are both of the first one."""
    places = [Cat(cells[index], meta[index].index) for index in range(2)]
    signs = [entry.negative for entry in meta]
    same = (places[0] == places[1]) & enable.all()
    if double is not None:
        same &= ~double
    opposite = signs[0] ^ signs[1]
    first = (enable[0] & ~(same & opposite)) << (places[0] + (same & ~opposite))
    second = (enable[1] & ~same) << places[1]
    each = [first[:DIGITS], second[:DIGITS]]
    if double is not None:
        lower = [digit[: DIGITS - 1] for digit in each]
        upper = [digit[-1] & (sign | ~double) for digit, sign in zip(each, signs, strict=True)]
        each = [Cat(*parts) for parts in zip(lower, upper, strict=True)]
    negative = [digit & sign.replicate(DIGITS) for digit, sign in zip(each, signs, strict=True)]
    return [Digits(*found) for found in zip(each, negative, strict=True)]


def pair_port(arch: Arch) -> dict[str, Member]:
    """Return the port that says that a row is of two filter groups, where a chip has such rows."""
    return {"pair": In(1)} if arch.pairs else {}
