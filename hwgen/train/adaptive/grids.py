"""Integer grids of 1 to 16 bits for shared weights and for maps.

Weights of up to 4 bits lie on DoReFa's odd grid, wider ones on symmetric integers. The range of a
map of up to 4 bits follows its spread, as its extremes would leave most of it on one integer; that
of a wider one is from the lowest to the highest value. Grids act as the identity for gradients
(straight-through).
"""

from typing import Literal

import torch
from torch import Tensor

from hwgen.train.fake_quantization import MapRange, straight_through, with_floor
from hwgen.train.parallel import extremes, size, total

ODD_GRID_BITS = 4
"""Weights of at most this many bits lie on the odd grid."""
SPREAD_BITS = 4
"""The range of maps of at most this many bits follows their spread."""

NORMAL_STEP = {1: 1.5958, 2: 0.9957, 3: 0.5860, 4: 0.3352, 5: 0.1881}
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
    return with_floor(scale)


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
        value = q * scale.reshape(-1, *[1] * (weight.dim() - 1))
    return straight_through(weight, value)


class SpreadRange(MapRange):
    """The range of the best uniform quantizer of a map, taken for normal or half of a normal."""

    def observe(self, x: Tensor) -> None:
        """Move the range towards that of one batch; it always holds zero."""
        count = x.numel() * size()  # all processes have as many
        bits = self.largest.bit_length()
        signed = extremes(x)[0] < 0
        mean = torch.where(signed, total(x.sum()) / count, 0.0)
        spread = (total((x - mean).square().sum()) / count).sqrt()
        half = spread * NORMAL_STEP[bits] * self.largest / 2
        # Without its negative half the spread of a normal is smaller by the root of 2.
        high = spread * 2**0.5 * NORMAL_STEP[bits + 1] * self.largest
        self.move(
            torch.where(signed, mean - half, 0.0).clamp(max=0),
            torch.where(signed, mean + half, high).clamp(min=0),
        )


def map_range(bits: int, momentum: float) -> MapRange:
    """Return the range of a map of `bits` bits."""
    kind = SpreadRange if bits <= SPREAD_BITS else MapRange
    return kind(momentum, bits=bits)
