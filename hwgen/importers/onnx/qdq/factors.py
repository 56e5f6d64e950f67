"""Scales that give a requantization its multiplier and shift back.

Tests: `tests/importers/onnx/test_export.py`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Requantization
from hwgen.network.quantization import fixed_point, shared_fixed_point

Float32s = NDArray[np.float32]


def weight_scales(
    given: Float32s,
    multipliers: Sequence[int],
    shifts: Sequence[int],
    *,
    input_scale: float,
    output_scale: float,
) -> Float32s:
    """Return scales of filters such that input * filter / output becomes multiplier and shift.

    given: the scales that the network names; each is taken where it does that
    """
    scales = given.copy()
    for i, (multiplier, shift) in enumerate(zip(multipliers, shifts, strict=True)):
        wanted = (int(multiplier), int(shift))
        if fixed_of(input_scale * float(given[i]) / output_scale) != wanted:
            scales[i] = multiplier * 2.0 ** -int(shift) * output_scale / input_scale
    return scales


def fixed_of(factor: float) -> tuple[int, int] | None:
    """Return multiplier and shift of a factor; None if it has none."""
    try:
        return fixed_point(factor)
    except ValueError:
        return None


def operand_gains(
    wanted: Requantization, scales: Sequence[float], *, output_scale: float
) -> list[float]:
    """Return what each operand is multiplied by, so that its multiplier is the wanted one.

    scales: of the operands; 1.0 for each where the scales alone give the multipliers
    """
    factors = [scale / output_scale for scale in scales]
    try:
        if shared_fixed_point(factors) == (wanted.multipliers, wanted.shift):
            return [1.0] * len(factors)
    except ValueError:
        pass
    return [
        multiplier * 2.0**-wanted.shift / factor
        for multiplier, factor in zip(wanted.multipliers, factors, strict=True)
    ]
