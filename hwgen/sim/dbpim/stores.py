"""The words that a chip stored, as arrays: from the file `stores` of host.v."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import SimulationError

FIELDS = {"start": 4, "cycle": 10, "core": 2, "kind": 1, "row": 3, "column": 3, "word": 3}
FIELDS |= {"index": 4}
"""Hexadecimal digits of each field of a line; enable and data follow."""

BUS = 0xFF
"""Number in the field of the core of a word on the write bus."""

RAW, TO_MEMORY = 1, 2
"""Bits of the field `kind`."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Stored words, in the order of their cycles; all arrays have one entry for each.

    start: number of starts before it; cycle: of the chip's counter, in which it is stored
    core: that stores a private word; `BUS`: a word on the write bus
    kind: of `RAW` and `TO_MEMORY`; index: int32 of the logit buffer, of such a word
    row, column: as stored; word: channel word
    enable: bool, (words, C); data: uint8, (words, C); of a raw word zeros
    """

    start: Ints
    cycle: Ints
    core: Ints
    kind: Ints
    row: Ints
    column: Ints
    word: Ints
    index: Ints
    enable: NDArray[np.bool_]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.cycle)

    def of_start(self, number: int) -> "Stores":
        """Return the words after the start with this number, the first being 1."""
        return self.part(self.start == number)

    def part(self, which: NDArray[np.bool_] | slice) -> "Stores":
        """Return some of the words."""
        return Stores(**{name: values[which] for name, values in vars(self).items()})


def read_stores(path: Path, word_bytes: int) -> Stores:
    """Return the words of a file; raise SimulationError when it was cut off."""
    digits = [*FIELDS.values(), word_bytes // 4, 2 * word_bytes]
    size = sum(digits) + 1
    text = np.fromfile(path, np.uint8)
    if len(text) % size:
        raise SimulationError(
            f"the stores of a simulation must be lines of {size} bytes, got {len(text):,} bytes:"
            f" is the disk full? ({path})"
        )
    nibbles = digit_values()[text.reshape(-1, size)]
    fields, position = {}, 0
    for name, count in FIELDS.items():
        fields[name] = number(nibbles[:, position : position + count])
        position += count
    enable = nibbles[:, position : position + digits[-2]]
    data = nibbles[:, position + digits[-2] : -1]
    # The highest digit comes first: byte 0 is the last one.
    bits = np.unpackbits(enable[:, ::-1, None], axis=2, bitorder="little")[:, :, :4]
    pairs = data.reshape(len(data), word_bytes, 2)
    return Stores(
        **fields,
        enable=bits.reshape(len(data), word_bytes).astype(bool),
        data=(pairs[:, ::-1, 0] << 4 | pairs[:, ::-1, 1]).astype(np.uint8),
    )


def digit_values() -> NDArray[np.uint8]:
    """Return the value of each character that is a hexadecimal digit, 0 for the others."""
    values = np.zeros(256, np.uint8)
    for value, digit in enumerate(b"0123456789abcdef"):
        values[digit] = value
    return values


def number(nibbles: NDArray[np.uint8]) -> Ints:
    """Return the numbers that digits stand for, the highest one first."""
    found = np.zeros(len(nibbles), np.int64)
    for column in nibbles.T:
        found = found << 4 | column
    return found
