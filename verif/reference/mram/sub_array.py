"""Reference of `hwgen.mram.rtl.sub_array`: rows of cells on the bit lines, and what is sensed.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from verif.reference.mram.sense_amplifier import Bits, sense_amplifier


def sub_array(cells: Bits, rows: Sequence[int], references: AbstractSet[str]) -> tuple[Bits, Bits]:
    """Return sense and carry of every column; cells: (rows, columns); rows: the active ones."""
    return sense_amplifier(cells[list(rows)], references)
