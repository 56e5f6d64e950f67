"""Weight codes: the cells of a filter, and which of its cell columns are enabled."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.instructions import CELL, CELL_BITS, NO_DIGIT
from hwgen.network.csd import Block, cells, csd_digits, phi
from hwgen.network.sparsity import ALPHA, PHI_LIMIT

ENABLE_OF_PHI = (0b00, 0b01, 0b11)
"""Filter enable for phi_th 0, 1 and 2: no cell column counts, the first, both."""

BYTES = [*range(128), *range(-128, 0)]
"""The int8 value of each byte."""

DIGITS = np.array([phi(value) for value in BYTES], np.uint8)
"""Non-zero digits of a weight, by its byte."""


def highest_digits(value: int) -> int:
    """Return the sum of the highest PHI_LIMIT non-zero CSD digits of an int8 value."""
    digits = [digit << place for place, digit in enumerate(csd_digits(value)) if digit]
    return sum(digits[-PHI_LIMIT:])


HIGHEST = np.array([highest_digits(value) for value in BYTES], np.int8)
"""What the first walk of a filter adds of a weight, by its byte; a second one adds the rest, which
has at most PHI_LIMIT digits, too: an int8 has four."""


def nibble(block: Block) -> int:
    """Return one cell as its fields in a weight code."""
    return encode(CELL, asdict(block))


def code(value: int, columns: int) -> int:
    """Return the code of a weight in `columns` cells, the first in the low nibble.

    0 where the filter needs no cell or cannot have the value.
    """
    if not 0 < columns <= PHI_LIMIT or phi(value) > columns or (columns == 1 and value == 0):
        return 0
    return sum(
        nibble(block) << CELL_BITS * place
        for place, block in enumerate(cells(value, columns=columns))
    )


CODES = np.array([[code(v, columns) for v in BYTES] for columns in range(PHI_LIMIT + 1)], np.uint8)
"""Codes, (enabled cell columns, byte of the weight); 0 where a filter cannot have the value."""

PAIR_CELLS = np.where(DIGITS == 1, CODES[1], NO_DIGIT).astype(np.uint8)
"""Cell of a weight of at most one digit in a pair tile, by its byte."""


def digit_passes(words: NDArray[np.int8]) -> list[NDArray[np.int8]]:
    """Return what each walk over the inputs adds of the weights, int8 of the same shape.

    One walk if no weight has more than PHI_LIMIT non-zero CSD digits, else two: the highest
    PHI_LIMIT digits of each weight, then those that are left.
    """
    first = HIGHEST[words.view(np.uint8)]
    rest = words - first
    return [first, rest] if rest.any() else [first]


def filter_phis(
    words: NDArray[np.int8], blocks: NDArray[np.bool_], *, filters: int = ALPHA
) -> list[int]:
    """Return the cell columns that each filter needs, over the weights of its unpruned blocks.

    words: (filters, words, C), of one walk: at most PHI_LIMIT digits in each weight
    blocks: (groups of `filters` filters, words, C)
    0: all weights are zero. 1: each has exactly one non-zero digit. Otherwise 2: two cells also
    represent a value of one digit or none.
    """
    phis = []
    for first in range(0, len(words), filters):
        digits = DIGITS[words[first : first + filters].view(np.uint8)]
        most = digits.max(axis=(1, 2))
        empty = ((digits == 0) & blocks[first // filters]).any(axis=(1, 2))
        phis += np.where((most == 1) & empty, 2, most).tolist()
    return phis


def csd_codes(weights: NDArray[np.int8], phis: Sequence[int]) -> NDArray[np.uint8]:
    """Return the codes of (filters, inputs), one phi for each filter."""
    codes: NDArray[np.uint8] = CODES[np.array(phis)[:, np.newaxis], weights.view(np.uint8)]
    return codes


def pair_codes(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return the codes of two filter groups of one digit: a cell of each; shapes are equal."""
    low, high = (PAIR_CELLS[each.view(np.uint8)] for each in (first, second))
    return (low | high << CELL_BITS).astype(np.uint8)


def plain_codes(weights: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return the codes of a design without `weight_bits`: the int8 weights themselves."""
    return weights.view(np.uint8)
