"""Reference of a load in a sub-array: integer products, which Eq. 5 computes from bit planes.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]


def from_planes(planes: ArrayLike, *, signed: bool) -> Integers:
    """Return integers of planes (planes, ...), the lowest first; signed: two's complement."""
    bits = np.asarray(planes, np.int64)
    weights = 1 << np.arange(len(bits), dtype=np.int64)
    if signed:
        weights[-1] = -weights[-1]
    return np.tensordot(weights, bits, axes=1)


def bit_convolution(
    weights: Integers,
    inputs: Integers,
    *,
    active: ArrayLike,
    join: Sequence[int],
    accumulate: Sequence[int],
    segment_columns: int,
) -> list[int | None]:
    """Return each accumulator after a load; None for one that does not work.

    weights, inputs: (row sets, columns of all segments), one integer a column
    active: (row sets, segments); join, accumulate: one bit a segment
    """
    row_sets, segments = np.shape(active)
    products = (weights * inputs).reshape(row_sets, segments, segment_columns)
    of_segments = (products.sum(axis=2) * np.asarray(active)).sum(axis=0)
    found: list[int | None] = []
    for end in range(segments):
        begin = end
        while begin > 0 and join[begin - 1]:
            begin -= 1
        found.append(int(of_segments[begin : end + 1].sum()) if accumulate[end] else None)
    return found
