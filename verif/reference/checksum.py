"""CRC-32 of IEEE 802.3, a bit at a time."""

TAPS = (32, 26, 23, 22, 16, 12, 11, 10, 8, 7, 5, 4, 2, 1, 0)
"""Exponents of the polynomial."""


def checksum(content: bytes) -> int:
    """Return the CRC-32: long division of the message, each byte's lowest bit first.

    The first 32 bits are inverted; the remainder is inverted and read with its bits reversed.
    """
    bits = [byte >> place & 1 for byte in content for place in range(8)] + [0] * 32
    bits[:32] = [1 - bit for bit in bits[:32]]
    for first in range(8 * len(content)):
        if bits[first]:
            for tap in TAPS:
                bits[first + 32 - tap] ^= 1
    return sum((1 - bit) << place for place, bit in enumerate(bits[-32:]))
