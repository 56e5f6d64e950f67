"""Random int8 filters with a chosen share of masked blocks and chosen digits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwgen.network.sparsity import ALPHA
from verif.reference.dbpim.csd import values_of_phi


def draw_phis(rng: np.random.Generator, *, filters: int, max_digits: int) -> NDArray[np.int64]:
    """Return a phi for each filter; 0 is rare, one filter of the most digits is always there."""
    share = np.array([0.1, *[0.9 / max_digits] * max_digits])
    phis = rng.choice(max_digits + 1, filters, p=share)
    phis[rng.integers(filters)] = max_digits
    return phis


def draw_weights(
    rng: np.random.Generator,
    *,
    phis: Sequence[int] | NDArray[np.int64],
    k: int,
    pruned_share: float = 0.0,
    loose_share: float = 0.0,
) -> NDArray[np.int8]:
    """Return int8 weights, (filters, k), one filter for each of `phis`.

    Every weight in an unpruned block has exactly phi digits, as after FTA; in a `loose_share` of
    the filters at most phi, as in an imported network. `pruned_share` of the layer's blocks
    (8 filters x one k position) is masked, unevenly among groups.
    """
    groups = -(-len(phis) // ALPHA)
    order = rng.permutation(groups * k).reshape(groups, k)
    unpruned = order >= round(pruned_share * groups * k)
    filters = []
    for index, phi in enumerate(phis):
        members = values_of_phi(int(phi))
        if rng.random() < loose_share:
            members = np.concatenate([values_of_phi(digits) for digits in range(int(phi) + 1)])
        filters.append(np.where(unpruned[index // ALPHA], rng.choice(members, k), 0))
    return np.array(filters, np.int8)
