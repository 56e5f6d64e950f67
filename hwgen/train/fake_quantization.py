"""Integer grids inside float training: maps by smoothed min-max, weights by FTA.

Both act as the identity for gradients (straight-through); a map's gradient ends where it clips.
"""

import torch
from torch import Tensor, nn

from hwgen.train.fta import project, thresholds
from hwgen.train.parallel import extremes

WEIGHT_HIGH = 127


class MapRange(nn.Module):
    """Unsigned integers with zero point; lowest and highest value are smoothed over the batches.

    momentum: weight of the old range in the new one, 0 to 1
    bits: of an integer, 1 to 16
    """

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self, momentum: float, *, bits: int = 8) -> None:
        super().__init__()
        self.momentum = momentum
        self.largest = (1 << bits) - 1
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` on the grid."""
        if self.training:
            self.observe(x.detach().float())
        scale, zero_point = self.grid()
        return torch.fake_quantize_per_tensor_affine(x, scale, zero_point, 0, self.largest)

    def observe(self, x: Tensor) -> None:
        """Move the range towards that of one batch; it always holds zero."""
        low, high = extremes(x)
        self.move(low.clamp(max=0), high.clamp(min=0))

    def move(self, low: Tensor, high: Tensor) -> None:
        """Move the range towards another one; the first is taken as it is."""
        weight = 1 - self.momentum if self.seen else 1.0
        self.low.lerp_(low, weight)
        self.high.lerp_(high, weight)
        self.seen.fill_(True)

    def grid(self) -> tuple[Tensor, Tensor]:
        """Return scale (float32) and zero point (int32): real = scale * (integer - zero_point)."""
        span = self.high - self.low
        # A map that is always zero gets any scale that fixed point can hold.
        scale = torch.where(span > 1e-6, span, 1.0) / self.largest
        return scale, (-self.low / scale).round().clamp(0, self.largest).int()


class WeightQuantizer(nn.Module):
    """int8 per output channel, symmetric, approximated by FTA; thresholds change once an epoch.

    rule: how a filter's digit count is chosen; `int8`: weights are rounded and keep all digits
    common: all filters have one step; logits need that, as no requantization aligns them
    """

    phi: Tensor

    def __init__(self, filters: int, *, rule: str, common: bool) -> None:
        super().__init__()
        self.rule, self.common = rule, common
        self.register_buffer("phi", torch.zeros(filters, dtype=torch.int64))

    def scale(self, weight: Tensor) -> Tensor:
        """Return the step of each filter (filters,): its largest weight becomes 127."""
        largest = weight.detach().abs().flatten(1).amax(1)
        if self.common:
            largest = largest.amax().expand_as(largest)
        # A filter without weights still needs a step that fixed point can hold.
        floor = largest.amax() * 1e-3 if largest.any() else largest.new_tensor(1.0)
        return largest.clamp(min=floor) / WEIGHT_HIGH

    def round(self, weight: Tensor, scale: Tensor) -> Tensor:
        """Return int64 before FTA."""
        steps = weight.detach() / scale.reshape(-1, 1, 1, 1)
        return steps.round().clamp(-WEIGHT_HIGH, WEIGHT_HIGH).long()

    def renew(self, weight: Tensor, mask: Tensor) -> None:
        """Recompute the thresholds from the present weights."""
        self.phi.copy_(thresholds(self.round(weight, self.scale(weight)), mask))

    def integers(self, weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return int64 weights that obey the rule, and the step of each filter."""
        scale = self.scale(weight)
        q = self.round(weight, scale)
        if self.rule == "int8":
            return torch.where(mask, q, 0), scale
        return project(q, mask, weight.detach().sign(), self.phi), scale

    def forward(self, weight: Tensor, mask: Tensor) -> Tensor:
        """Return the real values of the integers."""
        q, scale = self.integers(weight, mask)
        return q * scale.reshape(-1, 1, 1, 1)
