"""Reference of `hwgen.mram.rtl.sense_amplifier`: ones of a column against references.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bits = NDArray[np.uint8]
ADDITION = frozenset({"or3", "maj", "and3"})
"""References that give the sum and the carry of three rows."""


def sense_amplifier(rows: ArrayLike, references: AbstractSet[str]) -> tuple[Bits, Bits]:
    """Return sense and carry of every column; rows: the active ones, 0 or 1, (rows, columns)."""
    ones = np.asarray(rows, np.int64).sum(axis=0)
    carry = ("maj" in references) & (ones >= 2)
    sense = np.zeros(ones.shape, bool)
    if "read" in references:
        sense |= ones >= 1
    if "and2" in references:
        sense |= ones >= 2
    if "or3" in references:
        sense |= (ones >= 1) & ~carry
    if "and3" in references:
        sense |= ones == 3
    return sense.astype(np.uint8), carry.astype(np.uint8)
