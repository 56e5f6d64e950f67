"""Reference of `hwgen.rtl.dbpim.switch`: the kept inputs of a word stream, in groups."""

import numpy as np
from numpy.typing import NDArray


def switch(words: NDArray[np.uint8], masks: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the inputs whose mask bit is set, in order: (..., groups, lanes).

    words: (..., words, lanes), such as one position of each macro; masks: (words, lanes)
    The last group is filled with zeros, which contribute nothing.
    """
    kept = words.reshape(*words.shape[:-2], masks.size)[..., masks.ravel()]
    lanes = masks.shape[1]
    missing = -kept.shape[-1] % lanes
    padded = np.pad(kept, [(0, 0)] * (kept.ndim - 1) + [(0, missing)])
    return padded.reshape(*kept.shape[:-1], padded.shape[-1] // lanes, lanes)
