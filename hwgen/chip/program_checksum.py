"""The checksum of a program: the CRC-32 over what a chip reads of it, in the order read, is 0.

Four bytes of a program's header make it so. A chip with `checksum` ends no run or load with `done`
where it is another one.

Tests: `tests/chip/test_program_checksum.py`.
"""

from collections.abc import Iterable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0xEDB88320
"""x^32 + x^26 + x^23 + ... + 1 of IEEE 802.3, the coefficient of x^31 lowest, x^32 left out."""

CHECKSUM_BYTES = 4
MEANING = "makes the CRC-32 over all beats read at the address of the program 0"


def sealed(
    image: NDArray[np.uint8], place: int, parts: Iterable[slice] = (slice(None),)
) -> NDArray[np.uint8]:
    """Return a program whose checksum fits; place: its byte, which is read once, in whole beats.

    parts: the bytes that the chip reads, in the order read, of which one has the checksum
    """
    found, whole, behind = np.array(image), 0, 0
    found[place : place + CHECKSUM_BYTES] = 0
    for part in parts:
        start, stop, _ = part.indices(len(found))
        whole = crc32(found[part].tobytes(), whole)
        behind = stop - place if start <= place < stop else behind + stop - start
    # To append a zero byte multiplies by x^8; x has the order 2^32 - 1.
    word = times(whole, power(-8 * behind % ((1 << 32) - 1)))
    found[place : place + CHECKSUM_BYTES] = np.frombuffer(word.to_bytes(4, "little"), np.uint8)
    return found


def power(exponent: int) -> int:
    """Return x^exponent modulo the polynomial, the coefficient of x^31 lowest."""
    found, square = 1 << 31, 1 << 30
    while exponent:
        found = times(found, square) if exponent & 1 else found
        square, exponent = times(square, square), exponent >> 1
    return found


def times(one: int, other: int) -> int:
    """Return the product of two polynomials modulo the polynomial."""
    found = 0
    for bit in reversed(range(32)):
        found ^= other if one >> bit & 1 else 0
        other = other >> 1 ^ (POLYNOMIAL if other & 1 else 0)
    return found
