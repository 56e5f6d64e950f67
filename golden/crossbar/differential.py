"""Signed weights as pairs of cells, and products back from samples of their differences.

A weight w stands by its amount |w| in slices of q bits: cell slice k holds the bits from k*q on in
the positive cell of its pair if w > 0, in the negative one if w < 0; the other cell holds 0. The
pair of output column c stands in the columns 2c (positive) and 2c + 1 (negative) of one crossbar. A
bit step b feeds d bits of each input, and the converter takes the difference of both columns:

    code(b) = clip(sum of digit * (positive cell - negative cell), -2^(A-1), 2^(A-1) - 1),

signed, of A bits. The product of a row tile is the sum of code(b) * 2^(b*d + k*q). No weight has an
offset, so no sum of inputs is taken off, and no column is flipped. The difference of a column of
`side` rows is at most side * (2^q - 1) * (2^d - 1), of both signs.

Tests: `tests/golden/crossbar/test_differential.py`.
"""

import numpy as np

from golden.crossbar.encoding import Cells, Ints, digits_of


def encode_pairs(weights: Ints, *, weight_bits: int, cell_bits: int) -> Cells:
    """Return signed weights (rows, columns) of `weight_bits` as cells (slices, rows, 2 * columns).

    Positive and negative cells take turns. The most negative weight, -2^(weight_bits - 1), has a
    place, too. Flips are 0, of (slices, columns).
    """
    slices = -(-weight_bits // cell_bits)
    places = cell_bits * np.arange(slices)[:, np.newaxis, np.newaxis]
    digits = (np.abs(weights) >> places) % 2**cell_bits
    both = np.stack([digits * (weights > 0), digits * (weights < 0)], axis=-1)
    cells = both.reshape(slices, len(weights), -1)
    return Cells(cells, np.zeros((slices, weights.shape[1]), np.int64))


def code_range(adc_bits: int) -> tuple[int, int]:
    """Return the least and the greatest signed code of a converter; of 0 bits both are 0."""
    codes = 2**adc_bits
    return -(codes // 2), (codes + 1) // 2 - 1


def multiply_pairs(
    stored: Cells,
    inputs: Ints,
    *,
    input_bits: int,
    cell_bits: int,
    dac_bits: int,
    adc_bits: int,
    accumulator_bits: int,
) -> Ints:
    """Return the products (columns) of unsigned inputs (rows) as the chip computes them.

    A pair accumulates in two's complement of accumulator_bits.
    """
    digits = digits_of(inputs, input_bits=input_bits, dac_bits=dac_bits)
    least, most = code_range(adc_bits)
    half = 2 ** (accumulator_bits - 1)
    products = np.zeros(stored.flips.shape[1], np.int64)
    for k, cells in enumerate(stored.cells):
        total = np.zeros_like(products)
        for b, digit in enumerate(digits):
            sums = digit @ cells
            code = np.clip(sums[::2] - sums[1::2], least, most)
            total = (total + code * 2 ** (b * dac_bits) + half) % (2 * half) - half
        products += total << (k * cell_bits)
    return products
