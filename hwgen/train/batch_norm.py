"""Batch norm over the whole batch, also where several processes share it.

Tests: `tests/train/adaptive/test_order.py`.
"""

import torch
from torch import Tensor, nn

from hwgen.train.parallel import active, size, total_with_gradient


class BatchNorm(nn.BatchNorm2d):
    """`BatchNorm2d` whose mean and variance are those of the batches of all processes together."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized map (n, c, h, w); all processes have the same n."""
        if not (self.training and active()):
            return super().forward(input)
        x = input.float()
        count = x.numel() // x.shape[1] * size()
        mean = total_with_gradient(x.sum((0, 2, 3))) / count
        centred = x - mean.reshape(-1, 1, 1)
        variance = total_with_gradient(centred.square().sum((0, 2, 3))) / count
        self.follow(mean.detach(), variance.detach() * (count / (count - 1)))
        scaled = centred * torch.rsqrt(variance + self.eps).reshape(-1, 1, 1)
        normalized = scaled * self.weight.reshape(-1, 1, 1) + self.bias.reshape(-1, 1, 1)
        return normalized.to(input.dtype)

    @torch.no_grad()
    def follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of one batch."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.momentum is not None and self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1
