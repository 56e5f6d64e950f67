"""The order in which a chip walks the inputs of a filter: kernel row, kernel column, channel word.

A word is C channels of one input pixel (C = compartments); the last word of a pixel may have lanes
without a channel. Input k is lane k mod C of word k div C.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.dbpim.addressing import channel_words
from hwgen.spec.dbpim.arch import Arch


def weight_words(weights: NDArray[np.int8], arch: Arch) -> NDArray[np.int8]:
    """Return (filters, words, C) from (filters, kh, kw, channels), 0 where no channel is."""
    compartments = arch.macro.compartments
    filters, _, _, channels = weights.shape
    missing = channel_words(channels, arch) * compartments - channels
    padded = np.pad(weights, ((0, 0), (0, 0), (0, 0), (0, missing)))
    return padded.reshape(filters, -1, compartments)


def real_lanes(shape: tuple[int, int, int], arch: Arch) -> NDArray[np.bool_]:
    """Return (words, C): True where a window of (kh, kw, channels) has an input."""
    height, width, channels = shape
    lanes = channel_words(channels, arch) * arch.macro.compartments
    pixel = (np.arange(lanes) < channels).reshape(-1, arch.macro.compartments)
    return np.tile(pixel, (height * width, 1))
