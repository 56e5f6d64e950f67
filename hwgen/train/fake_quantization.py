"""Integer grids inside float training: maps by smoothed min-max, weights by FTA.

Both act as the identity for gradients (straight-through); a map's gradient ends where it clips.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hwgen.train.fta import project, thresholds
from hwgen.train.parallel import extremes

ROUNDED = {"int8": 8, "int4": 4}
"""Rules that round weights and keep all digits, with the bits of a weight."""
WEIGHT_BITS = 8
"""Of a weight of all other rules."""
STEPS_IN_AN_OCTAVE = 16
"""Steps that are tried for a filter: up to nearly twice as long, with weights of four bits down to
nearly half."""


class OnGrid(torch.autograd.Function):
    """Elements on the integers of a grid; the gradient ends where they clip.

    The bits of `torch.fake_quantize_per_tensor_affine` in a third of its time on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, low: int, high: int) -> Tensor:
        """Return scale * clip(round(x / scale), low, high)."""
        steps = x.mul(float(scale.reciprocal())).round_()
        ctx.save_for_backward(steps)
        ctx.low, ctx.high = low, high
        return steps.clamp(low, high).mul_(float(scale))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the elements inside."""
        (steps,) = ctx.saved_tensors
        # Whole numbers from low to high lie inside these open bounds.
        inside = torch.ops.aten.hardtanh_backward(gradient, steps, ctx.low - 0.5, ctx.high + 0.5)
        return inside, None, None, None


def on_grid(x: Tensor, scale: Tensor, zero_point: Tensor, largest: int) -> Tensor:
    """Return `x` on the integers 0 to `largest` of a grid."""
    if x.is_cuda:
        # One kernel, and the grid stays on the device.
        return torch.fake_quantize_per_tensor_affine(x, scale, zero_point, 0, largest)
    zero = int(zero_point)
    return cast(Tensor, OnGrid.apply(x, scale, -zero, largest - zero))  # type: ignore[no-untyped-call]


class StraightThrough(torch.autograd.Function):
    """Another value, with the gradient of the identity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, value: Tensor) -> Tensor:
        """Return `value`."""
        return value.view_as(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient as it is."""
        return gradient, None


def straight_through(x: Tensor, value: Tensor) -> Tensor:
    """Return `value` with the gradient of `x`."""
    return cast(Tensor, StraightThrough.apply(x, value))  # type: ignore[no-untyped-call]


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
        return on_grid(x, scale, zero_point, self.largest)

    def observe(self, x: Tensor) -> None:
        """Move the range towards that of one batch; it always holds zero."""
        low, high = extremes(x)
        self.move(low.clamp(max=0), high.clamp(min=0))

    def move(self, low: Tensor, high: Tensor) -> None:
        """Move the range towards another one; the first is taken as it is."""
        weight = torch.where(self.seen, 1 - self.momentum, 1.0)
        self.low.lerp_(low, weight)
        self.high.lerp_(high, weight)
        self.seen.fill_(True)

    def grid(self) -> tuple[Tensor, Tensor]:
        """Return scale (float32) and zero point (int32): real = scale * (integer - zero_point)."""
        span = self.high - self.low
        # A map that is always zero gets any scale that fixed point can hold.
        scale = torch.where(span > 1e-6, span, 1.0) / self.largest
        return scale, (-self.low / scale).round().clamp(0, self.largest).int()


def with_floor(largest: Tensor) -> Tensor:
    """Return the largest weight of each filter, at least a thousandth of the largest of all.

    A filter without weights still needs a step that fixed point can hold.
    """
    most = largest.amax()
    return largest.clamp(min=torch.where(most > 0, most * 1e-3, 1.0))


class WeightQuantizer(nn.Module):
    """Whole steps per output channel, approximated by FTA; thresholds change once an epoch.

    Weights of eight bits are symmetric, -127 to 127; those of four bits are -8 to 7.

    rule, step: how a filter's digit count and its step are chosen, as `Quantization` of a recipe
        has them
    common: all filters have one step; logits need that, as no requantization aligns them
    """

    phi: Tensor
    stretch: Tensor

    def __init__(self, filters: int, *, rule: str, common: bool, step: str = "largest") -> None:
        super().__init__()
        self.rule, self.common, self.step = rule, common, step
        self.bits = ROUNDED.get(rule, WEIGHT_BITS)
        self.high = (1 << self.bits - 1) - 1
        self.low = -self.high if self.bits == WEIGHT_BITS else -self.high - 1
        self.register_buffer("phi", torch.zeros(filters, dtype=torch.int64))
        # Zero: not chosen yet. Checkpoints hold it only where it is chosen.
        self.register_buffer("stretch", torch.zeros(filters), persistent=step == "least_error")

    def scale(self, weight: Tensor) -> Tensor:
        """Return the step of each filter (filters,): its largest over `high`, times `stretch`."""
        low, high = weight.detach().flatten(1).aminmax(dim=1)
        largest = torch.maximum(-low, high)
        if self.common:
            largest = largest.amax().expand_as(largest)
        stretch = torch.where(self.stretch > 0, self.stretch, 1.0)
        return with_floor(largest) / self.high * stretch

    def round(self, weight: Tensor, scale: Tensor) -> Tensor:
        """Return float32 whole numbers before FTA."""
        steps = weight.detach() / scale.reshape(-1, 1, 1, 1)
        return steps.round_().clamp_(self.low, self.high)

    def renew(self, weight: Tensor, mask: Tensor) -> None:
        """Recompute the thresholds; with `least_error` choose the steps, once.

        Steps that changed from epoch to epoch would move weights that a small learning rate does
        not move back. For the same reason a filter then keeps its digit, however many zeros it has.
        """
        found = thresholds(self.round(weight, self.scale(weight)), mask)
        if self.step == "least_error":
            found = torch.where(mask.flatten(1).any(1), found.clamp(min=1), 0)
        self.phi.copy_(found.clamp(max=1) if self.rule == "one" else found)
        if self.step == "least_error" and not self.stretch.any():
            self.stretch.copy_(self.best_stretch(weight, mask))

    def best_stretch(self, weight: Tensor, mask: Tensor) -> Tensor:
        """Return the factor of each filter's step, of least square error.

        1 to 2, where a longer step brings weights nearer to digits; 1/2 to 1, where a shorter one
        clips the largest weights and rounds all others less.
        """
        exponents = torch.arange(STEPS_IN_AN_OCTAVE, device=weight.device) / STEPS_IN_AN_OCTAVE
        factors, errors = 2.0 ** (exponents if self.bits == WEIGHT_BITS else -exponents), []
        for factor in factors:
            self.stretch.fill_(factor)
            q, scale = self.integers(weight, mask)
            change = q * scale.reshape(-1, 1, 1, 1) - weight.detach()
            errors.append(change.square().flatten(1).sum(1))
        error = torch.stack(errors)
        if self.common:
            error = error.sum(1, keepdim=True)
        return factors[error.argmin(0)].expand_as(self.stretch)

    @torch.no_grad()
    def integers(self, weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights that obey the rule, float32 whole numbers, and the step of each filter."""
        scale = self.scale(weight)
        q = self.round(weight, scale)
        if self.rule in ROUNDED:
            return q * mask.to(q.dtype), scale
        return project(q, mask, weight.detach(), self.phi), scale

    def forward(self, weight: Tensor, mask: Tensor) -> Tensor:
        """Return the real values of the integers, with the gradient of the identity."""
        q, scale = self.integers(weight, mask)
        return straight_through(weight, q.mul_(scale.reshape(-1, 1, 1, 1)))
