"""Reference of `hwgen.dbpim.rtl.switch`: the selected inputs of a word stream, in groups."""

import numpy as np
from numpy.typing import NDArray


def switch(
    words: NDArray[np.uint8], masks: NDArray[np.bool_], *, group: int | None = None
) -> NDArray[np.uint8]:
    """Return the inputs whose mask bit is set, in order: (..., groups, C).

    words: (..., words, W), such as one position of each macro; masks: (words, W)
    group: C, inputs of a group; None: as many as a word has
    The last group is filled with zeros, which contribute nothing.
    """
    selected = words.reshape(*words.shape[:-2], masks.size)[..., masks.ravel()]
    size = group or masks.shape[1]
    missing = -selected.shape[-1] % size
    padded = np.pad(selected, [(0, 0)] * (selected.ndim - 1) + [(0, missing)])
    return padded.reshape(*selected.shape[:-1], padded.shape[-1] // size, size)
