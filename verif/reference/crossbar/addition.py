"""Sums of channels: slices and row tiles added up, the offset of weights taken off."""

from collections.abc import Sequence

import numpy as np

from golden.crossbar.encoding import Cells, Ints, sample
from verif.reference.crossbar.bank import column_sums
from verif.reference.crossbar.lane import column_totals


def channel_sums(
    tiles: Sequence[tuple[Cells, Ints]],
    *,
    weight_bits: int,
    input_bits: int,
    cell_bits: int,
    dac_bits: int,
    adc_bits: int,
) -> Ints:
    """Return the sums (columns) of row tiles, each with its cells and its unsigned inputs (rows).

    With an ADC that loses nothing it is ``inputs @ weights`` of all tiles together.
    """
    sums = np.zeros(tiles[0][0].cells.shape[2], np.int64)
    for stored, inputs in tiles:
        codes = sample(
            column_sums(stored, inputs, input_bits=input_bits, dac_bits=dac_bits),
            adc_bits=adc_bits,
        )
        totals = column_totals(
            codes,
            stored.flips,
            input_sum=int(inputs.sum()),
            cell_bits=cell_bits,
            dac_bits=dac_bits,
        )
        for cell_slice, total in enumerate(totals):
            sums += total << (cell_slice * cell_bits)
        sums -= int(inputs.sum()) << (weight_bits - 1)
    return sums
