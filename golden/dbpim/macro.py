"""Reference of `hwgen.rtl.dbpim.macro`: what rows of cells make of groups of inputs."""

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.weight_decoder import Codes, decode


def macro(
    codes: Codes, groups: NDArray[np.uint8], *, columns: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return one sum for each filter: over all cells of value(cell) * input.

    codes: weight codes (rows, compartments, filters); groups: bytes (rows, compartments)
    columns: (filters, 2), whether a filter's first and second column count
    """
    cells = decode(codes).values.reshape(*codes.shape, 2)
    weights = (cells * columns).sum(axis=-1)
    return weigh(weights, groups)


def dense_macro(
    codes: Codes, groups: NDArray[np.uint8], *, columns: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the same for codes that are int8 weights; only columns[:, 0] is looked at."""
    weights = codes.view(np.int8).astype(np.int64) * columns[:, 0]
    return weigh(weights, groups)


def weigh(weights: NDArray[np.int64], groups: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the sum over rows and compartments of weight * input, for each filter."""
    total: NDArray[np.int64] = np.einsum("rcf,rc->f", weights, groups, dtype=np.int64)
    return total
