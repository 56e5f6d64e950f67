"""Weights and bias of a layer: integers and scales of a file, with what follows folded in.

Tests: `tests/importers/onnx/test_export.py`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import Weights
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.qdq.values import Constant, Reals

STEP_TOLERANCE = 1e-3
"""Relative difference of a bias scale from input times weight scale that is a rounding."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Weights as a file stores them.

    integers: (out, kernel height, kernel width, in / groups) or (out, places of the input)
    scales, zero_points: (out,); bits: of the type
    bias: real, (out,); bias_integers, bias_scales: of a bias that is stored as integers
    """

    integers: NDArray[Any]
    scales: Reals
    zero_points: NDArray[np.int64]
    bits: int
    bias: Reals
    bias_integers: NDArray[np.int64] | None = None
    bias_scales: Reals | None = None

    @property
    def bits_needed(self) -> int:
        """Bits of the integers minus their zero points."""
        return self.bits + 1 if self.zero_points.any() else self.bits


def stored_weights(weights: Constant | None, bias: Constant | None, gain: float = 1.0) -> Stored:
    """Return weights whose first axis is the output; RefusedError unless they are quantized."""
    if weights is None or weights.grid is None:
        given = "none" if weights is None else "real numbers"
        raise RefusedError("its weights", "integers behind a DequantizeLinear", given)
    grid, outputs = weights.grid, len(weights.array)
    scales = one_each(grid.scales, outputs)
    zeros = one_each(grid.zero_points, outputs)
    real, integers, steps = np.zeros(outputs), None, None
    if bias is not None:
        if bias.array.size not in (1, outputs):
            raise RefusedError("its bias", f"of {outputs} entries", list(bias.array.shape))
        real = np.broadcast_to(bias.array.astype(np.float64).reshape(-1), outputs)
        whole = bias.array.size == outputs
        if bias.grid is not None and whole and not bias.grid.zero_points.any():
            integers = bias.grid.integers.astype(np.int64).reshape(-1)
            steps = bias.grid.scales.reshape(-1)
    return Stored(
        integers=grid.integers,
        scales=scales * gain,
        zero_points=zeros,
        bits=grid.bits,
        bias=real,
        bias_integers=integers,
        bias_scales=steps,
    )


def one_each(values: NDArray[Any], outputs: int) -> NDArray[Any]:
    """Return the value of each filter; RefusedError where a filter has several."""
    rows = values.reshape(outputs, -1)
    if rows.shape[1] and (rows != rows[:, :1]).any():
        raise RefusedError("the scales of its weights", "one, or one a filter", "others")
    return rows[:, 0] if rows.shape[1] else np.ones(outputs)


def scaled_weights(
    stored: Stored, input_scale: float, factor: Reals, offset: Reals
) -> tuple[Weights, float]:
    """Return weights times a factor, with an offset in the bias, of each filter.

    A filter with a negative factor has its weights negated. Also returns the largest rounding of
    the bias, in steps of the sum. Where a factor stands between sums and their quantization, a
    runtime computes in real numbers, and the weights say what the rounding leaves.
    """
    integers, zeros = stored.integers, stored.zero_points
    negative = factor < 0
    if negative.any():
        sides = (-1, *(1,) * (integers.ndim - 1))
        signs = np.where(negative, -1, 1).reshape(sides)
        integers = (integers.astype(np.int64) - zeros.reshape(sides)) * signs
        zeros = np.zeros_like(zeros)
    if not factor.all():
        integers = integers * (factor != 0).reshape(-1, *(1,) * (integers.ndim - 1))
        zeros = zeros * (factor != 0)
    used = np.where(factor == 0, 1.0, np.abs(factor))
    scales = stored.scales * used
    steps = scales * input_scale
    exact = stored.bias_integers
    folded = (factor != 1).any() or offset.any()
    given = stored.bias_scales
    alike = given is not None and np.allclose(given, steps, rtol=STEP_TOLERANCE, atol=0)
    if exact is not None and alike and not folded:
        return made(integers, scales, zeros, exact, stored.bits), 0.0
    real = (stored.bias * factor + offset) / steps
    bias = np.rint(real)
    if not (np.abs(bias) < 2.0**47).all():
        raise RefusedError("its bias", "below 2^47 steps of its sums", "more")
    rounding = float(np.abs(bias - real).max(initial=0.0))
    weights = made(integers, scales, zeros, bias.astype(np.int64), stored.bits)
    if (factor != 1).any():
        weights = replace(weights, rest=real - bias)
    return weights, rounding


def made(
    integers: NDArray[Any],
    scales: Reals,
    zeros: NDArray[np.int64],
    bias: NDArray[np.int64],
    bits: int,
) -> Weights:
    """Return the weights of a node."""
    return Weights(integers=integers, scales=scales, zero_points=zeros, bias=bias, bits=bits)
