"""Weights of few digits, rounded from real numbers: what `prepare` gives a layer.

Tests: `tests/train/test_prepared.py`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hwgen.network.csd import DIGITS, phi
from hwgen.network.pruning import WEAKEST
from hwgen.network.sparsity import ALPHA, PHI_LIMIT
from hwgen.train.cell_noise import weight_errors
from hwgen.train.chip_weights import ChipWeights, column
from hwgen.train.fake_quantization import straight_through
from hwgen.train.fta import thresholds
from hwgen.train.prune import block_mask, mask_by
from hwgen.train.recipe import Noise

ALL_DIGITS = DIGITS // 2
"""Most signed digits that a weight of eight bits has."""
MODE = "mode"
"""A count of digits for each filter: that of most of its weights, 1 or 2 (seed 002, IV-C2)."""
LEAST_STRETCH, MOST_STRETCH, STRETCHES = 0.5, 1.35, 35
"""Steps that are tried for a filter, of that which makes its largest weight the largest integer."""


def members(digits: int, bits: int) -> Tensor:
    """Return the integers that a weight may be, sorted, float32.

    With one digit zero is none of them: one cell always adds something.
    """
    most = (1 << bits - 1) - 1
    counts = {value: phi(value) for value in range(-most, most + 1)}
    allowed = [v for v, n in counts.items() if (n == 1 if digits == 1 else n <= digits)]
    return torch.tensor(allowed, dtype=torch.float32)


def nearest(x: Tensor, values: Tensor) -> Tensor:
    """Return the nearest of sorted values."""
    return values[torch.bucketize(x.contiguous(), (values[1:] + values[:-1]) / 2)]


class FewDigits(ChipWeights):
    """Weights, blocks of which are zero and the rest integers of few digits times a step a filter.

    weight: (filters, inputs of a group, ...), real numbers
    digits: of a weight at most, 1 to 4, or `mode`
    bits: of a weight, 4 or 8; groups: of a grouped convolution
    rule: which blocks are pruned; noise: cells of crossbars that err while training
    """

    counts: Tensor
    stretch: Tensor
    values: Tensor
    of_one_digit: Tensor

    def __init__(
        self,
        weight: Tensor,
        *,
        digits: int | str,
        bits: int = 8,
        groups: int = 1,
        rule: str = WEAKEST,
        noise: Noise | None = None,
    ) -> None:
        super().__init__(weight)
        # Masks may be loaded at any time.
        self.pruned = self.on_grid = True
        self.digits, self.bits, self.groups, self.rule = digits, bits, groups, rule
        self.noise = noise
        filters, device = len(weight), weight.device
        self.register_buffer("counts", torch.full((filters,), ALL_DIGITS, device=device))
        self.register_buffer("stretch", torch.ones(filters, device=device))
        most = PHI_LIMIT if isinstance(digits, str) else digits
        for name, allowed in (("values", most), ("of_one_digit", 1)):
            self.register_buffer(name, members(allowed, bits).to(device), persistent=False)

    @torch.no_grad()
    def renew(self, weight: Tensor, share: float) -> None:
        """Choose blocks, digits and steps anew; what is masked stays so while the share grows."""
        weight = weight.detach().float() * self.mask
        self.mask.copy_(self.blocks(as_kernels(weight), share).reshape(weight.shape))
        weight = weight * self.mask
        if self.digits == MODE:
            step = largest(weight) / self.values[-1]
            rounded = (weight / column(step, weight)).round()
            self.counts.copy_(thresholds(rounded, self.mask).clamp(1, PHI_LIMIT))
        else:
            self.counts.fill_(int(self.digits))
        self.stretch.copy_(self.best_stretch(weight))

    def blocks(self, kernels: Tensor, share: float) -> Tensor:
        """Return where weights stay; kernels: (filters, inputs of a group, rows, columns)."""
        each = len(kernels) // self.groups
        if self.rule == WEAKEST:
            sizes = [min(ALPHA, each - first) for first in range(0, each, ALPHA)] * self.groups
            return block_mask(kernels, share, sizes)
        return torch.cat([mask_by(self.rule, part, share) for part in kernels.split(each)])

    def best_stretch(self, weight: Tensor) -> Tensor:
        """Return the factor of each filter's step of least square error.

        Those alone at which the largest weight stays the largest integer.
        """
        factors = torch.linspace(LEAST_STRETCH, MOST_STRETCH, STRETCHES, device=weight.device)
        factors = torch.cat([torch.ones(1, device=weight.device), factors])
        errors = []
        for factor in factors:
            self.stretch.fill_(factor)
            q, error = self.error(weight)
            whole = q.abs().flatten(1).amax(1) >= self.tops()
            errors.append(torch.where(whole | (factor == 1), error, torch.inf))
        return factors[torch.stack(errors).argmin(0)]

    def tops(self) -> Tensor:
        """Return the largest integer of each filter."""
        return torch.where(self.counts == 1, self.of_one_digit[-1], self.values[-1])

    def integers(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nearest whole numbers of few digits, float32, and the step of each filter."""
        weight = weight.detach().float()
        step = largest(weight) / self.tops() * self.stretch
        real = weight / column(step, weight)
        q = nearest(real, self.values)
        if isinstance(self.digits, str):
            q = torch.where(column(self.counts == 1, weight), nearest(real, self.of_one_digit), q)
        return q * self.mask, step

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weights of a chip, with other errors of its cells each time while training."""
        kept, noise = self.kept(weight), self.noise
        q, step = self.integers(kept)
        if noise is not None and self.training:
            kernels = as_kernels(q)
            q = q + weight_errors(kernels, noise, torch.default_generator).reshape(q.shape)
        return straight_through(kept, (q * column(step, q)).to(weight.dtype))


def largest(weight: Tensor) -> Tensor:
    """Return the largest magnitude of each filter, more than zero."""
    return weight.flatten(1).abs().amax(1).clamp_min(1e-12)


def as_kernels(weight: Tensor) -> Tensor:
    """Return weights as (filters, inputs, rows, columns)."""
    shape: Sequence[int] = weight.shape
    return weight.reshape(*shape, *[1] * (4 - len(shape)))
