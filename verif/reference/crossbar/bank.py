"""Columns of crossbars: what each gives to its ADC in a bit step."""

import numpy as np

from golden.crossbar.encoding import Cells, Ints, digits_of


def column_sums(stored: Cells, inputs: Ints, *, input_bits: int, dac_bits: int) -> Ints:
    """Return the sums (bit steps, slices, columns) of a row tile for unsigned inputs (rows)."""
    digits = digits_of(inputs, input_bits=input_bits, dac_bits=dac_bits)
    sums: Ints = np.einsum("br,src->bsc", digits, stored.cells)
    return sums
