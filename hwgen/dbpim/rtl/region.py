"""Address of a channel word in the activation buffers (`hwgen.dbpim.facts.addressing`).

Tests: `tests/verif/dbpim/test_write_port.py`.
"""

from typing import NamedTuple

from amaranth.hdl import Value

from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch


class Region(NamedTuple):
    """A map in the buffers of a core; it occupies the same addresses in every bank.

    first: the first stored row that the core holds, which is at `base`
    """

    base: Value
    row_pitch: Value
    channel_words: Value
    first: Value


def bank_of(arch: Arch, *, row: Value, column: Value) -> Value:
    """Return the bank of a stored row and column: (column + bank_skew * row) mod banks."""
    skewed = column + arch.bank_skew * row
    return (skewed & (arch.banks - 1))[: bits_for_index(arch.banks)]


def address_of(arch: Arch, region: Region, *, row: Value, column: Value, word: Value) -> Value:
    """Return base + (row - first) * row_pitch + (column // banks) * channel_words + word.

    All terms are modulo the words of a bank, which the sum of a word of the map is below.
    """
    bits = arch.bank_address_bits
    across = column[arch.banks.bit_length() - 1 :][:bits]
    down = (row - region.first)[:bits]
    in_row = across * region.channel_words[:bits] + word[:bits]
    return (region.base[:bits] + down * region.row_pitch[:bits] + in_row)[:bits]
