"""Canonical signed digits and dyadic blocks of int8 weights (seed 002, IV-A and IV-B)."""

from dataclasses import dataclass

DIGITS = 8
"""CSD digits of an int8 value."""

BLOCKS = DIGITS // 2
"""Dyadic blocks of two digits each; block i weighs 4**i."""


@dataclass(frozen=True)
class Block:
    """A non-zero dyadic block: one 6T cell and its metadata.

    q: 1 when the upper digit of the block is set (10), 0 when the lower one is (01)
    negative: 1 when the digit is -1
    index: position of the block, 0 to 3
    """

    q: int
    negative: int
    index: int

    @property
    def value(self) -> int:
        """What the cell adds for an input bit of one."""
        magnitude = (1 + self.q) << (2 * self.index)
        return -magnitude if self.negative else magnitude


def csd_digits(value: int) -> tuple[int, ...]:
    """Return the CSD digits of an int8 value, each -1, 0 or 1, the lowest first.

    Reitwiesner's rule: an odd remainder r takes the digit 2 - (r mod 4), so that the next digit
    is zero.
    """
    if not -128 <= value <= 127:
        raise ValueError(f"value must be from -128 to 127, got {value}")
    value = int(value)  # numpy's integers would overflow at 127 + 1
    digits = []
    for _ in range(DIGITS):
        digit = 2 - value % 4 if value % 2 else 0
        digits.append(digit)
        value = (value - digit) // 2
    return tuple(digits)


def phi(value: int) -> int:
    """Return the number of non-zero CSD digits of an int8 value."""
    return sum(digit != 0 for digit in csd_digits(value))


def blocks(value: int) -> tuple[Block, ...]:
    """Return the non-zero dyadic blocks of an int8 value, the lowest first."""
    digits = csd_digits(value)
    found = []
    for index in range(BLOCKS):
        low, high = digits[2 * index], digits[2 * index + 1]
        if low or high:
            found.append(Block(q=int(high != 0), negative=int(low + high < 0), index=index))
    return tuple(found)


def cells(value: int, *, columns: int) -> tuple[Block, ...]:
    """Return exactly `columns` blocks (1 or 2) that add up to `value`.

    A cell always contributes, because it holds Q and its complement. With two cells a value of one
    digit is split (1 = 2 - 1, 2d = d + d) and zero is 1 - 1, so a filter may mix values of up to
    two digits. With one cell the value must have exactly one digit.
    """
    exact = blocks(value)
    if len(exact) == columns:
        return exact
    if columns == 2 and len(exact) == 0:
        return Block(0, 0, 0), Block(0, 1, 0)
    if columns == 2 and len(exact) == 1:
        (block,) = exact
        if block.q:
            half = Block(0, block.negative, block.index)
            return half, half
        if block.index:
            half = Block(1, block.negative, block.index - 1)
            return half, half
        return Block(1, block.negative, 0), Block(0, 1 - block.negative, 0)
    raise ValueError(f"{value} has {len(exact)} non-zero digits and does not fit {columns} cells")
