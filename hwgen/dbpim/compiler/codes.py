"""Weight codes: the cells of a filter, and which of its cell columns are enabled."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.fields import encode
from hwgen.dbpim.facts.instructions import CELL, CELL_BITS
from hwgen.network.csd import Block, cells, phi
from hwgen.network.sparsity import ALPHA, PHI_LIMIT

ENABLE_OF_PHI = (0b00, 0b01, 0b11)
"""Filter enable for phi_th 0, 1 and 2: no cell column counts, the first, both."""

BYTES = [*range(128), *range(-128, 0)]
"""The int8 value of each byte."""

DIGITS = np.array([phi(value) for value in BYTES], np.uint8)
"""Non-zero digits of a weight, by its byte."""


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


def filter_phis(words: NDArray[np.int8], blocks: NDArray[np.bool_]) -> list[int]:
    """Return the cell columns that each filter needs, over the weights of its unpruned blocks.

    words: (filters, words, C); blocks: (mask groups, words, C)
    0: all weights are zero. 1: each has exactly one non-zero digit. Otherwise the most digits of
    any weight, at least 2: two cells also represent a value of one digit or none.
    """
    phis = []
    for first in range(0, len(words), ALPHA):
        digits = DIGITS[words[first : first + ALPHA].view(np.uint8)]
        most = digits.max(axis=(1, 2))
        empty = ((digits == 0) & blocks[first // ALPHA]).any(axis=(1, 2))
        phis += np.where((most == 1) & empty, 2, most).tolist()
    return phis


def csd_codes(weights: NDArray[np.int8], phis: Sequence[int]) -> NDArray[np.uint8]:
    """Return the codes of (filters, inputs), one phi for each filter."""
    codes: NDArray[np.uint8] = CODES[np.array(phis)[:, np.newaxis], weights.view(np.uint8)]
    return codes


def plain_codes(weights: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return the codes of a design without `weight_bits`: the weights themselves."""
    return weights.view(np.uint8)
