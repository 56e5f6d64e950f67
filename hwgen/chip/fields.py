"""Tables of bit fields: packets, records and headers that software writes and chips decode.

Fields are packed from the lowest bit upwards in the order of their table; remaining bits are zero.

Tests: `tests/mram/facts/test_records.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """Some bits of a packet: unsigned unless the meaning says otherwise."""

    name: str
    bits: int
    meaning: str


def total_bits(fields: Iterable[Field]) -> int:
    """Return the bits of all fields."""
    return sum(field.bits for field in fields)


def encode(fields: Sequence[Field], values: Mapping[str, int]) -> int:
    """Return the fields as one integer; every field must be given and fit."""
    if set(values) != {field.name for field in fields}:
        missing = sorted(set(values) ^ {field.name for field in fields})
        raise ValueError(f"fields must be those of the table, differing: {', '.join(missing)}")
    word = position = 0
    for field in fields:
        value = values[field.name]
        if not 0 <= value < 1 << field.bits:
            raise ValueError(f"{field.name} must fit {field.bits} bits, got {value}")
        word |= value << position
        position += field.bits
    return word


def decode(fields: Sequence[Field], word: int) -> dict[str, int]:
    """Return the value of each field of an encoded packet."""
    values = {}
    for field in fields:
        values[field.name] = word & ((1 << field.bits) - 1)
        word >>= field.bits
    return values
