"""What an MRAM chip wrote into banks and answer buffer: from the file `stores` of host.v."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.host_files import Ints, Writes, bits, bytes_of, number, read_nibbles
from hwgen.mram.facts.arch import Arch

FIELDS = {"start": 4, "cycle": 10, "place": 1, "row": 4}
"""Hexadecimal digits of each field of a line; mask and data follow."""

ANSWERS = 4
"""Number in the field of the place of a write to the answer buffer; others are banks."""


@dataclass(frozen=True, kw_only=True)
class Stores(Writes):
    """Writes in the order of their cycles; all arrays have one entry for each.

    start: number of starts before it; cycle: of the chip's counter, in which it is written
    place: bank, or `ANSWERS`; row: of the bank; of the answer buffer the number of a block
    mask: bool, (writes, elements of a row); data: uint8, (writes, bytes): a row, or a block of
        answers; elements that the mask leaves out are unchanged
    """

    place: Ints
    row: Ints
    mask: NDArray[np.bool_]
    data: NDArray[np.uint8]


def field_digits(arch: Arch) -> tuple[int, int]:
    """Return the hexadecimal digits of mask and data."""
    elements = arch.row_bytes // arch.element_bytes
    widest = max(arch.array.columns, arch.block * arch.answer_bits)
    return -(-elements // 4), -(-widest // 4)


def read_stores(path: Path, arch: Arch) -> Stores:
    """Return the writes of a file; raise SimulationError when it was cut off."""
    *found, mask, data = read_nibbles(path, [*FIELDS.values(), *field_digits(arch)])
    fields = dict(zip(FIELDS, map(number, found), strict=True))
    return Stores(
        **fields, mask=bits(mask, arch.row_bytes // arch.element_bytes), data=bytes_of(data)
    )
