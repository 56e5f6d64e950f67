"""Reference of `hwgen.dbpim.rtl.dbmu`: one input bit times one weight, as a term without a sign."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]

LOST = 256
"""Two cells of 128 with one sign: no int8 weight, and no digit of a term."""


def weight_of(cells: ArrayLike) -> Ints:
    """Return the weight of two cells, (..., 2) values of which a disabled one is 0."""
    total = np.asarray(cells, np.int64).sum(axis=-1)
    return np.where(np.abs(total) == LOST, 0, total)


def negative_digits(cells: ArrayLike) -> Ints:
    """Return what the negative digits of a weight of two cells, (..., 2), add up to, unsigned.

    Equal cells are one digit of twice the weight, opposite ones none.
    """
    values = np.asarray(cells, np.int64)
    merged = np.abs(values[..., 0]) == np.abs(values[..., 1])
    return np.where(merged, -np.minimum(weight_of(values), 0), -np.minimum(values, 0).sum(axis=-1))


def dbmu(x: ArrayLike, cells: ArrayLike) -> Ints:
    """Return x * weight + its negative digits; x: 0 or 1, cells: (..., 2)."""
    return np.asarray(x, np.int64) * weight_of(cells) + negative_digits(cells)


def pair_dbmu(x: ArrayLike, cells: ArrayLike) -> Ints:
    """Return for each cell by itself x * weight + its negative digits; cells: what each adds."""
    values = np.asarray(cells, np.int64)
    return np.asarray(x, np.int64) * values - np.minimum(values, 0)


def dense_dbmu(x: ArrayLike, weight: ArrayLike, *, bits: int = 8) -> Ints:
    """Return x * weight less the lowest weight of so many bits; a disabled weight is 0."""
    term: Ints = np.asarray(x, np.int64) * np.asarray(weight, np.int64) + (1 << bits - 1)
    return term
