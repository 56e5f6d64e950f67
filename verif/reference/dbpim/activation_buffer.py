"""Reference of `hwgen.dbpim.rtl.activation_buffer`: where the words of a map lie.

A word holds `word_channels` channels of one pixel. Neighbours in x are in different banks, and so
are the pixels of a 2 x 2 patch: one word of each of several positions can be read in a cycle.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.program import Placement

Place = tuple[int, int]
"""Bank and address of a word."""


def bank_of(row: int, column: int, *, banks: int) -> int:
    """Return (column + k * row) mod banks with k = banks / 2, at least 1."""
    return (column + max(1, banks // 2) * row) % banks


def address_of(
    row: int, column: int, word: int, *, placement: Placement, core: int, banks: int
) -> int:
    """Return the word address within the bank of a stored row and column, in a core's slice.

    Neighbouring columns share it, `banks` at a time.
    """
    in_row = column // banks * placement.channel_words + word
    return placement.base + (row - placement.first[core]) * placement.row_pitch + in_row


def place(
    maps: NDArray[np.uint8], *, placement: Placement, core: int, word_channels: int, banks: int
) -> dict[Place, tuple[int, ...]]:
    """Return the words of a core's slice of maps (image, y, x, channel), channel 0 first.

    Bytes beyond the last channel are zero.
    """
    images, height, width, channels = maps.shape
    missing = placement.channel_words * word_channels - channels
    padded = np.pad(maps, ((0, 0), (0, 0), (0, 0), (0, missing)))
    kept = range(placement.first[core], placement.first[core] + placement.rows[core])
    words = {}
    for image, y, x, word in np.ndindex(images, height, width, placement.channel_words):
        row, column = image * placement.image_rows + y, image * placement.image_columns + x
        if row in kept:
            address = address_of(row, column, word, placement=placement, core=core, banks=banks)
            content = padded[image, y, x, word * word_channels : (word + 1) * word_channels]
            words[bank_of(row, column, banks=banks), address] = tuple(content.tolist())
    return words
