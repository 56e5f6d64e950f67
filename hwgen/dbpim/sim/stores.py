"""The words that a chip stored, as arrays: from the file `stores` of host.v."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.host_files import Ints, Writes, bits, bytes_of, number, read_nibbles

FIELDS = {"start": 4, "cycle": 10, "core": 2, "kind": 1, "row": 3, "column": 3, "word": 3}
FIELDS |= {"index": 4}
"""Hexadecimal digits of each field of a line; enable and data follow."""

BUS = 0xFF
"""Number in the field of the core of a word on the write bus."""

RAW, TO_MEMORY = 1, 2
"""Bits of the field `kind`."""


@dataclass(frozen=True, kw_only=True)
class Stores(Writes):
    """Stored words, in the order of their cycles; all arrays have one entry for each.

    start: number of starts before it; cycle: of the chip's counter, in which it is stored
    core: that stores a private word; `BUS`: a word on the write bus
    kind: of `RAW` and `TO_MEMORY`; index: int32 of the logit buffer, of such a word
    row, column: as stored; word: channel word
    enable: bool, (words, C); data: uint8, (words, C); of a raw word zeros
    """

    core: Ints
    kind: Ints
    row: Ints
    column: Ints
    word: Ints
    index: Ints
    enable: NDArray[np.bool_]
    data: NDArray[np.uint8]


def read_stores(path: Path, word_bytes: int) -> Stores:
    """Return the words of a file; raise SimulationError when it was cut off."""
    *found, enable, data = read_nibbles(path, [*FIELDS.values(), word_bytes // 4, 2 * word_bytes])
    fields = dict(zip(FIELDS, map(number, found), strict=True))
    return Stores(**fields, enable=bits(enable, word_bytes), data=bytes_of(data))
