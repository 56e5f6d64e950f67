"""Which inputs a group of 8 filters keeps (seed 002, IV-C1), derived from the integers alone."""

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.sparsity import ALPHA

Mask = NDArray[np.bool_]


def kept_blocks(words: NDArray[np.int8], real: Mask, *, weight_values: bool) -> Mask:
    """Return (mask groups, words, C): True where a block of 8 filters x one input is computed.

    words: (filters, words, C); real: (words, C)
    weight_values: a block lives when any of its weights is not zero; without, every block does
    """
    firsts = range(0, len(words), ALPHA)
    if not weight_values:
        return np.array([real for _ in firsts])
    return np.array([words[first : first + ALPHA].any(axis=0) for first in firsts])


def walked_inputs(blocks: Mask) -> Mask:
    """Return the blocks, or the first input alone where a group has none: a row needs one."""
    walked = blocks.copy()
    walked[~blocks.any(axis=(1, 2)), 0, 0] = True
    return walked
