"""Integer grids of maps inside float training, by smoothed min-max.

They act as the identity for gradients (straight-through), which end where a map clips.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hwgen.train.parallel import extremes


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


def straight_through(x: Tensor, value: Tensor) -> Tensor:
    """Return `value` with the gradient of `x`."""
    return value.detach() + (x - x.detach())


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
