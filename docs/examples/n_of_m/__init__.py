"""N:4 pruning common to 8 filters: of each 4 inputs the blocks that are worth most stay."""

import math

import numpy as np
from numpy.typing import NDArray

M = 4


def n_of_4(scores: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Return where a block stays, (groups, inputs): at most N of each 4 neighbouring inputs.

    scores: what each block is worth; share: 0.25, 0.5 and 0.75 leave 3, 2 and 1 of 4
    """
    n = M - math.ceil(share * M - 1e-9)
    unpruned = np.zeros(scores.shape, np.bool_)
    for first in range(0, scores.shape[1], M):
        best = np.argsort(-scores[:, first : first + M], axis=1, kind="stable")[:, :n]
        np.put_along_axis(unpruned, first + best, True, axis=1)
    return unpruned
