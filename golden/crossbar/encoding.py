"""Weights as cells, and products back from the samples of ADCs.

Cell slice k of a weight w of W bits holds q bits of u = w + 2^(W-1) >= 0, from bit k*q on.
A column whose cells sum to more than half of the most possible is flipped: it holds
(2^q - 1) - cell, and one bit says so. A bit step b feeds d bits of each input x. With code(b) the
sample of a column and Xsum the digital sum of the inputs, a column accumulates

    (2^q - 1) * Xsum - sum of code(b) * 2^(b*d)    if it is flipped,
                       sum of code(b) * 2^(b*d)    if not,

and the product of a row tile is sum of column(k) * 2^(k*q) - Xsum * 2^(W-1).

Source: an offset encoding after ISAAC (Shafiee et al., ISCA 2016, section V), with a digital sum of
the inputs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Cells(NamedTuple):
    """A row tile of one copy as it stands in its crossbars.

    cells: (slices, rows, columns), each 0 .. 2^cell_bits - 1
    flips: (slices, columns), 1 where a column is flipped
    """

    cells: Ints
    flips: Ints


def encode(weights: Ints, *, weight_bits: int, cell_bits: int) -> Cells:
    """Return signed weights (rows, columns) of `weight_bits` as cells."""
    most = 2**cell_bits - 1
    unsigned = weights + 2 ** (weight_bits - 1)
    slices = -(-weight_bits // cell_bits)
    cells = np.stack([(unsigned >> (k * cell_bits)) & most for k in range(slices)])
    flips = (2 * cells.sum(axis=1) > most * len(weights)).astype(np.int64)
    return Cells(np.where(flips[:, None, :] == 1, most - cells, cells), flips)


def digits_of(inputs: Ints, *, input_bits: int, dac_bits: int) -> Ints:
    """Return unsigned inputs (rows) as what the DACs take: (bit steps, rows), low bits first."""
    steps = -(-input_bits // dac_bits)
    return np.stack([(inputs >> (b * dac_bits)) & (2**dac_bits - 1) for b in range(steps)])


def sample(sums: Ints, *, adc_bits: int) -> Ints:
    """Return what an ADC makes of the sums of columns: a sum above its range is its last code."""
    most = np.int64(2**adc_bits - 1)
    return np.minimum(sums, most)


def multiply(
    stored: Cells,
    inputs: Ints,
    *,
    weight_bits: int,
    input_bits: int,
    cell_bits: int,
    dac_bits: int,
    adc_bits: int,
    accumulator_bits: int,
) -> Ints:
    """Return the products (columns) of unsigned inputs (rows) as the chip computes them.

    A column accumulates modulo 2^accumulator_bits; its sum is not negative.
    """
    digits = digits_of(inputs, input_bits=input_bits, dac_bits=dac_bits)
    input_sum = int(inputs.sum())
    products = np.zeros(stored.cells.shape[2], np.int64)
    for k, (cells, flips) in enumerate(zip(stored.cells, stored.flips, strict=True)):
        total = flips * (2**cell_bits - 1) * input_sum
        for b, digit in enumerate(digits):
            code = sample(digit @ cells, adc_bits=adc_bits)
            total = total + np.where(flips == 1, -code, code) * 2 ** (b * dac_bits)
            total %= 2**accumulator_bits
        products += total << (k * cell_bits)
    return products - (input_sum << (weight_bits - 1))
