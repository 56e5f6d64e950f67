"""Reference of `hwgen.rtl.dbpim.activation_buffer`: where the words of a map lie.

A word holds `word_channels` channels of one pixel. Neighbours in x are in different banks, and so
are the pixels of a 2 x 2 patch: one word of each of several positions can be read in a cycle.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.dbpim.program import Region


def bank_of(y: int, x: int, *, banks: int) -> int:
    """Return (x + k * y) mod banks with k = banks / 2, at least 1."""
    return (x + max(1, banks // 2) * y) % banks


def address_of(y: int, x: int, channel_word: int, *, region: Region, banks: int) -> int:
    """Return the word address within the bank; neighbours in x share it, `banks` at a time."""
    column = x // banks * region.channel_words + channel_word
    return region.base + y * region.row_pitch + column


def place(
    image: NDArray[np.uint8], *, region: Region, word_channels: int, banks: int
) -> dict[tuple[int, int], tuple[int, ...]]:
    """Return (bank, address) -> bytes of the word, channel 0 first, for a map (y, x, channel).

    Bytes beyond the last channel are zero.
    """
    height, width, channels = image.shape
    missing = region.channel_words * word_channels - channels
    padded = np.pad(image, ((0, 0), (0, 0), (0, missing)))
    words = {}
    for y, x, word in np.ndindex(height, width, region.channel_words):
        address = address_of(y, x, word, region=region, banks=banks)
        content = padded[y, x, word * word_channels : (word + 1) * word_channels]
        words[bank_of(y, x, banks=banks), address] = tuple(content.tolist())
    return words
