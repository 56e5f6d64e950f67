"""Column accumulators after all bit steps, as numbers without end."""

import numpy as np

from golden.crossbar.encoding import Ints


def column_totals(
    codes: Ints, flips: Ints, *, input_sum: int, cell_bits: int, dac_bits: int
) -> Ints:
    """Return the sum of cell * input of each column, before anybody flipped it: (slices, columns).

    codes: (bit steps, slices, columns), what ADCs gave; flips: (slices, columns)
    """
    weights = np.int64(1) << (dac_bits * np.arange(len(codes), dtype=np.int64))
    sampled = np.tensordot(weights, codes, axes=1)
    whole = input_sum * (2**cell_bits - 1)
    totals: Ints = np.where(flips == 1, whole - sampled, sampled)
    return totals
