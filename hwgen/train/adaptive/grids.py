"""Integer grids of 1 to 16 bits for shared weights and for maps.

Weights of up to 4 bits lie on DoReFa's odd grid, wider ones on symmetric integers. The grid acts
as the identity for gradients (straight-through).
"""

from typing import Literal

import torch
from torch import Tensor

ODD_GRID_BITS = 4
"""Weights of at most this many bits lie on the odd grid."""

NORMAL_STEP = {1: 1.5958, 2: 0.9957, 3: 0.5860, 4: 0.3352}
"""Step of the best uniform quantizer of 2**bits levels for a normal distribution, in standard
deviations (J. Max, Quantizing for minimum distortion, IRE Trans. Inf. Theory, 1960, table II)."""


def weight_grid(bits: int) -> Literal["odd", "integer"]:
    """Return `odd` or `integer`."""
    return "odd" if bits <= ODD_GRID_BITS else "integer"


def weight_scale(weight: Tensor, bits: int, *, common: bool) -> Tensor:
    """Return the step of each filter (filters,), of the widest mode for all modes.

    common: all filters have one step
    """
    flat = weight.detach().flatten(1)
    if bits <= ODD_GRID_BITS:
        spread = flat.square().mean(1).sqrt()
        scale = spread * (NORMAL_STEP[bits] / 2)
    else:
        scale = flat.abs().amax(1) / ((1 << (bits - 1)) - 1)
    if common:
        scale = scale.amax().expand_as(scale)
    # A filter without weights still needs a step that fixed point can hold.
    floor = scale.amax() * 1e-3 if scale.any() else scale.new_tensor(1.0)
    return scale.clamp(min=floor)


def weight_integers(weight: Tensor, scale: Tensor, bits: int) -> Tensor:
    """Return the weights (filters, ...) in steps of their filter, float32 whole numbers."""
    steps = weight / scale.reshape(-1, *[1] * (weight.dim() - 1))
    if bits <= ODD_GRID_BITS:
        highest = (1 << bits) - 1
        return (((steps + highest) / 2).round() * 2 - highest).clamp(-highest, highest)
    highest = (1 << (bits - 1)) - 1
    return steps.round().clamp(-highest, highest)


def on_weight_grid(weight: Tensor, bits: int, *, common: bool) -> Tensor:
    """Return the real values of the integers, with the gradient of the identity."""
    with torch.no_grad():
        scale = weight_scale(weight, bits, common=common)
        q = weight_integers(weight, scale, bits)
        error = q * scale.reshape(-1, *[1] * (weight.dim() - 1)) - weight
    return weight + error
