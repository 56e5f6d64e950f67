"""Reference of `hwgen.dbpim.rtl.macro`: the sums of rows of cells over groups of inputs."""

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.dbmu import weight_of
from golden.dbpim.weight_decoder import Codes, decode, pair_values


def macro(
    codes: Codes, groups: NDArray[np.uint8], *, filter_enable: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return one sum for each filter: over all weights of weight * input.

    codes: weight codes (rows, compartments, filters); groups: bytes (rows, compartments)
    filter_enable: (filters, 2), whether a filter's first and second cell column count
    """
    cells = decode(codes).values.reshape(*codes.shape, 2)
    return weigh(weight_of(cells * filter_enable), groups)


def pair_macro(
    codes: Codes, groups: NDArray[np.uint8], *, filter_enable: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the sums of two filter groups that share rows, those of the first one first."""
    weights = pair_values(codes).reshape(*codes.shape, 2) * filter_enable
    return np.concatenate([weigh(weights[..., group], groups) for group in (0, 1)])


def dense_macro(
    codes: Codes, groups: NDArray[np.uint8], *, filter_enable: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the same for codes that are int8 weights; only filter_enable[:, 0] is read."""
    weights = codes.view(np.int8).astype(np.int64) * filter_enable[:, 0]
    return weigh(weights, groups)


def weigh(weights: NDArray[np.int64], groups: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the sum over rows and compartments of weight * input, for each filter."""
    total: NDArray[np.int64] = np.einsum("rcf,rc->f", weights, groups, dtype=np.int64)
    return total
