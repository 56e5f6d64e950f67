"""Fixed-threshold approximation (seed 002, IV-C2, Alg. 1), by trying every candidate."""

import numpy as np
from numpy.typing import NDArray

from hwgen.network.sparsity import PHI_LIMIT
from verif.reference.dbpim.csd import phi, values_of_phi


def threshold(weights: NDArray[np.int8], mask: NDArray[np.bool_]) -> int:
    """Return phi_th of one filter: the mode over unmasked weights, clipped to 0 to 2.

    Of two counts that are equally frequent the larger one is the mode; a filter without an
    unmasked weight has phi_th 0.
    """
    counts = phi(weights[mask]).tolist()
    mode = max(range(5), key=lambda count: (counts.count(count), count)) if counts else 0
    return min(mode, PHI_LIMIT)


def fta(
    weights: NDArray[np.int8],
    mask: NDArray[np.bool_],
    sign: NDArray[np.int8] | None = None,
) -> NDArray[np.int8]:
    """Return one filter with every unmasked weight moved to the nearest member of T(phi_th).

    weights, mask, sign: (k,); masked weights (False) become 0
    sign: -1 or 1, the sign that a zero had before rounding; plus if not given

    Of two members at the same distance the smaller magnitude wins; a zero follows its sign.
    """
    members = values_of_phi(threshold(weights, mask)).tolist()
    signs = np.ones_like(weights) if sign is None else sign
    moved = np.zeros_like(weights)
    for k in np.flatnonzero(mask):
        weight, toward = int(weights[k]), int(signs[k])
        moved[k] = min(members, key=lambda t: (abs(t - weight), abs(t), -t * toward))
    return moved
