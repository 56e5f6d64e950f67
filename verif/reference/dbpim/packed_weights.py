"""Reference of packed rows: from 19 bits to three weights.

Bits 0 to 8 are three octal digits, the first weight lowest. Bits 9 to 18 are three decimal digits,
densely packed (IEEE 754-2008, 3.5.2), the first weight last. The number of a weight is 8 * its
decimal digit + its octal digit. With two cell columns the numbers 0 to 59 are the weights of two
digits below position 7 by the upper, then the lower position, each with the signs (upper, lower)
++, +-, -+, --. 60 to 71 are 128 - 2**l and -128 + 2**l for l = 0 to 5; all others are 0. With one
cell column number n is the digit at position n div 2, negative if n is odd.
"""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.int16]


def two_digit_weights() -> list[int]:
    """Return the weight of each number below 80 in a filter of two cell columns."""
    found = []
    for upper in range(2, 7):
        for lower in range(upper - 1):
            for upper_sign in (1, -1):
                for lower_sign in (1, -1):
                    found.append(upper_sign * 2**upper + lower_sign * 2**lower)
    for lower in range(6):
        found += [128 - 2**lower, -128 + 2**lower]
    return found + [0] * (80 - len(found))


def one_digit_weights() -> list[int]:
    """Return the weight of each number below 16 in a filter of one cell column."""
    return [(-1) ** number * 2 ** (number // 2) for number in range(16)]


def decimal_digits(packed: int) -> tuple[int, int, int]:
    """Return hundreds, tens and ones of a densely packed decimal of 10 bits."""
    b = [packed >> place & 1 for place in range(10)]
    if not b[3]:
        return 4 * b[9] + 2 * b[8] + b[7], 4 * b[6] + 2 * b[5] + b[4], 4 * b[2] + 2 * b[1] + b[0]
    top = 4 * b[9] + 2 * b[8] + b[7], 4 * b[6] + 2 * b[5] + b[4]
    high, middle, low = 8 + b[7], 8 + b[4], 8 + b[0]
    moved_high, moved_middle = 4 * b[9] + 2 * b[8] + b[0], 4 * b[6] + 2 * b[5] + b[0]
    case = b[2], b[1]
    if case == (0, 0):
        return *top, low
    if case == (0, 1):
        return top[0], middle, moved_middle
    if case == (1, 0):
        return high, top[1], moved_high
    return {
        (0, 0): (high, middle, moved_high),
        (0, 1): (high, 4 * b[9] + 2 * b[8] + b[4], low),
        (1, 0): (top[0], middle, low),
        (1, 1): (high, middle, low),
    }[b[6], b[5]]


def numbers(triples: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the numbers (..., 3) of packed weights (...)."""
    table = np.array([decimal_digits(packed)[::-1] for packed in range(1024)])
    octal = triples[..., np.newaxis] >> np.array([0, 3, 6]) & 7
    found: NDArray[np.int64] = 8 * table[triples >> 9] + octal
    return found


def weights(triples: NDArray[np.integer], *, columns: int) -> Weights:
    """Return the weights (..., 3) of packed ones (...) in filters of 1 or 2 cell columns.

    With one cell column, a number above 15 is taken modulo 16.
    """
    found = numbers(triples)
    if columns == 1:
        return np.array(one_digit_weights(), np.int16)[found % 16]
    return np.array(two_digit_weights(), np.int16)[found]
