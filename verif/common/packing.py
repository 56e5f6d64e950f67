"""Packing of small fields into the words of ports."""

from collections.abc import Iterable


def pack(values: Iterable[int], *, bits: int) -> int:
    """Return the values side by side, each in two's complement, the first one lowest."""
    word = 0
    for place, value in enumerate(values):
        word |= (int(value) & ((1 << bits) - 1)) << (place * bits)
    return word


def unpack(word: int, *, bits: int, count: int) -> list[int]:
    """Return `count` unsigned fields of a word, the lowest one first."""
    return [word >> (place * bits) & ((1 << bits) - 1) for place in range(count)]


def unpack_signed(word: int, *, bits: int, count: int) -> list[int]:
    """Return the same fields in two's complement."""
    half = 1 << (bits - 1)
    return [(value ^ half) - half for value in unpack(word, bits=bits, count=count)]
