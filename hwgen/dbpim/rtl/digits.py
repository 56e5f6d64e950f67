"""Digits of a weight from its two cells: which are set, and which of them are negative."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, Value
from amaranth.lib import data

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
    places = [Cat(cells[index], meta[index].index) for index in range(2)]
    signs = [entry.negative for entry in meta]
    same = (places[0] == places[1]) & enable.all()
    opposite = signs[0] ^ signs[1]
    first = (enable[0] & ~(same & opposite)) << (places[0] + (same & ~opposite))
    second = (enable[1] & ~same) << places[1]
    each = [first[:DIGITS], second[:DIGITS]]
    negative = [digit & sign.replicate(DIGITS) for digit, sign in zip(each, signs, strict=True)]
    return Digits(each[0] | each[1], negative[0] | negative[1])
