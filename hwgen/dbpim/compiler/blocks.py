"""Weights in the order in which a chip walks them, and the blocks that survive pruning.

The order is kernel row, kernel column, channel word. A word is W channels of one input pixel
(W = `Arch.word`). The last word of a pixel is padded where its channels run out. Input k is
mask bit k mod W of word k div W.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.arch import Arch
from hwgen.network.sparsity import ALPHA

Mask = NDArray[np.bool_]


def weight_words(weights: NDArray[np.int8], arch: Arch) -> NDArray[np.int8]:
    """Return (filters, words, W) from (filters, kh, kw, channels); padding is 0."""
    width = arch.word
    filters, _, _, channels = weights.shape
    missing = channel_words(channels, arch) * width - channels
    padded = np.pad(weights, ((0, 0), (0, 0), (0, 0), (0, missing)))
    return padded.reshape(filters, -1, width)


def real_inputs(shape: tuple[int, int, int], arch: Arch) -> Mask:
    """Return (words, W): True for an input of the window (kh, kw, channels), False for padding."""
    height, width, channels = shape
    padded = channel_words(channels, arch) * arch.word
    pixel = (np.arange(padded) < channels).reshape(-1, arch.word)
    return np.tile(pixel, (height * width, 1))


def unpruned_blocks(words: NDArray[np.int8], real: Mask, *, weight_values: bool) -> Mask:
    """Return (mask groups, words, W): True where a block of 8 filters x one input is computed.

    words: (filters, words, W); real: (words, W)
    weight_values: whether the chip skips pruned blocks, those whose weights are all zero (seed
        002, IV-C1); a chip that does not computes every block
    """
    firsts = range(0, len(words), ALPHA)
    if not weight_values:
        return np.array([real for _ in firsts])
    return np.array([words[first : first + ALPHA].any(axis=0) for first in firsts])


def walked_inputs(blocks: Mask) -> Mask:
    """Return the blocks; a group without any walks its first input, because a tile needs a row."""
    walked = blocks.copy()
    walked[~blocks.any(axis=(1, 2)), 0, 0] = True
    return walked
