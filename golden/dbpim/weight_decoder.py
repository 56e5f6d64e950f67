"""Reference of `hwgen.dbpim.rtl.weight_decoder`: from a weight code to cells.

A code is a byte. With `weight_bits` it is two nibbles {q (bit 3), negative (bit 2), index (bits 1
and 0)}, the lower one for the filter's first cell column. Without, it is the int8 weight, and bit b
goes to the filter's cell column b; of a weight of four bits that holds for its lower half.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.dbmu import negative_digits

Codes = NDArray[np.uint8]
Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Cells:
    """Cells with their metadata, each (..., cell columns): Q, sign and block index."""

    q: Bits
    negative: Bits
    index: NDArray[np.uint8]

    @property
    def values(self) -> NDArray[np.int64]:
        """What a cell adds for an input bit of one: sign * (1 + q) * 4**index."""
        magnitude = (1 + self.q.astype(np.int64)) << (2 * self.index)
        return np.where(self.negative, -magnitude, magnitude)


def decode(codes: Codes) -> Cells:
    """Return the cells of codes (..., filters): two cell columns for each filter."""
    nibbles = np.stack([codes & 15, codes >> 4], axis=-1).reshape(*codes.shape[:-1], -1)
    q, negative, index = nibbles >> 3, nibbles >> 2 & 1, nibbles & 3
    return Cells(q.astype(np.uint8), negative.astype(np.uint8), index.astype(np.uint8))


def pair_values(codes: Codes) -> NDArray[np.int64]:
    """Return what each cell of a row of two filter groups adds: (..., 2 * filters).

    A group has one cell of a code, the first group the lower one; 128 stands for no weight.
    """
    values = decode(codes).values
    return np.where(values == 128, 0, values)


def pair_constants(codes: Codes, filter_enable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return minus the negative digits of each filter of both groups, (2, filters).

    A cell is one digit: what it has of negative digits is minus its own value, if that is below 0.
    """
    values = pair_values(codes).reshape(*codes.shape, 2) * filter_enable
    total: NDArray[np.int64] = np.minimum(values, 0).sum(axis=0)
    return total.T


def constants(codes: Codes, filter_enable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return minus the negative digits of each filter of a row.

    codes: (compartments, filters); filter_enable: (filters, 2), cells that count
    """
    values = decode(codes).values.reshape(*codes.shape, 2) * filter_enable
    total: NDArray[np.int64] = -negative_digits(values).sum(axis=0)
    return total


def decode_dense(codes: Codes, *, bits: int = 8) -> Bits:
    """Return the cells of codes (..., filters): one cell column for each bit of a weight."""
    cells = (codes[..., np.newaxis] >> np.arange(bits, dtype=np.uint8) & 1).astype(np.uint8)
    return cells.reshape(*codes.shape[:-1], -1)
