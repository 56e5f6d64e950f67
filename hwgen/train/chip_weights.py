"""The weights of a layer as a chip holds them: parametrizations for any module of torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hwgen.network.whole_weights import whole_weights
from hwgen.train.fake_quantization import straight_through, with_floor
from hwgen.train.fta import project, thresholds

ROUNDED = {"int8": 8, "int4": 4}
"""Rules that round weights and keep all digits, with the bits of a weight."""
WEIGHT_BITS = 8
"""Of a weight of all other rules."""
TWO_DIGITS = "two"
"""A rule: each weight has two digits, or is zero."""
LEAST = 3
"""The smallest integer of two digits, 4 - 1."""
STEPS_IN_AN_OCTAVE = 16
"""Steps that are tried for a filter: up to nearly twice as long, with weights of four bits down to
nearly half."""


class ChipWeights(nn.Module):
    """Weights of a layer, zero where `mask` is false; once `on_grid`, integers times a step.

    Gradients pass as if nothing had been rounded, but not to masked weights.

    weight: (filters, inputs of a group, ...), real numbers
    """

    mask: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones_like(weight, dtype=torch.bool))
        self.pruned = self.on_grid = False

    def prune(self, mask: Tensor) -> None:
        """Take the weights out where `mask` is false."""
        self.mask.copy_(mask)
        self.pruned = not bool(mask.all())

    def kept(self, weight: Tensor) -> Tensor:
        """Return the weights, zero where pruned."""
        # A product of float and bool takes three times as long.
        return weight * self.mask.to(weight.dtype) if self.pruned else weight

    def integers(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return whole numbers in the shape of kept weights, float32, and the step of each filter.

        The steps are float32, (filters,).
        """
        raise NotImplementedError

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weights that a chip computes with, in the shape and type of the weights."""
        kept = self.kept(weight)
        if not self.on_grid:
            return kept
        q, step = self.integers(kept)
        return straight_through(kept, (q * column(step, q)).to(weight.dtype))

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Return what is trained where a weight is given: the weight."""
        return weight

    def on_chip(self, weight: Tensor) -> NDArray[np.int8]:
        """Return the integers as a network file holds them, in the shape of the weights."""
        q = self.integers(self.kept(weight))[0].cpu().numpy()
        found = whole_weights(q.reshape(len(q), -1))
        assert found is not None  # they are whole
        return found.reshape(q.shape)

    def error(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the integers of kept weights, and the square error of each filter."""
        q, step = self.integers(weight)
        return q, (q * column(step, q) - weight.detach()).square().flatten(1).sum(1)


class FixedDigits(ChipWeights):
    """Weights in whole steps, approximated by FTA: a filter's have a digit count, chosen anew.

    Weights of eight bits are symmetric, -127 to 127; those of four bits are -8 to 7.

    rule, step: how a filter's digit count and its step are chosen, as `Quantization` of a recipe
        has them; the rule `two`: each weight has exactly two digits, or is zero
    common: all filters have one step; logits need that, as no requantization aligns them
    """

    phi: Tensor
    stretch: Tensor

    def __init__(
        self, weight: Tensor, *, rule: str, common: bool = False, step: str = "largest"
    ) -> None:
        super().__init__(weight)
        self.rule, self.common, self.step = rule, common, step
        self.bits = ROUNDED.get(rule, WEIGHT_BITS)
        self.high = (1 << self.bits - 1) - 1
        self.low = -self.high if self.bits == WEIGHT_BITS else -self.high - 1
        self.register_buffer("phi", torch.zeros(len(weight), dtype=torch.int64))
        # Zero: not chosen yet. Checkpoints hold it only where it is chosen.
        stretch = torch.zeros(len(weight))
        self.register_buffer("stretch", stretch, persistent=step == "least_error")

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
        steps = weight.detach() / column(scale, weight)
        return steps.round_().clamp_(self.low, self.high)

    @torch.no_grad()
    def renew(self, weight: Tensor) -> None:
        """Recompute the thresholds of weights; with `least_error` choose the steps, once.

        Steps that changed from epoch to epoch would move weights that a small learning rate does
        not move back. For the same reason a filter then keeps its digit, however many zeros it has.
        """
        weight = self.kept(weight)
        found = thresholds(self.round(weight, self.scale(weight)), self.mask)
        if self.step == "least_error":
            found = torch.where(self.mask.flatten(1).any(1), found.clamp(min=1), 0)
        if self.rule == TWO_DIGITS:
            self.phi.fill_(2)
        else:
            self.phi.copy_(found.clamp(max=1) if self.rule == "one" else found)
        if self.step == "least_error" and not self.stretch.any():
            self.stretch.copy_(self.best_stretch(weight))

    def best_stretch(self, weight: Tensor) -> Tensor:
        """Return the factor of each filter's step, of least square error.

        1 to 2, where a longer step brings weights nearer to digits; 1/2 to 1, where a shorter one
        clips the largest weights and rounds all others less.
        """
        exponents = torch.arange(STEPS_IN_AN_OCTAVE, device=weight.device) / STEPS_IN_AN_OCTAVE
        factors = 2.0 ** (exponents if self.bits == WEIGHT_BITS else -exponents)
        errors = []
        for factor in factors:
            self.stretch.fill_(factor)
            errors.append(self.error(weight)[1])
        error = torch.stack(errors)
        if self.common:
            error = error.sum(1, keepdim=True)
        return factors[error.argmin(0)].expand_as(self.stretch)

    @torch.no_grad()
    def integers(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights that obey the rule, float32 whole numbers, and the step of each filter."""
        scale, mask = self.scale(weight), self.mask
        q = self.round(weight, scale)
        if self.rule in ROUNDED:
            return q * mask.to(q.dtype), scale
        if self.rule == TWO_DIGITS:
            # The halfway to the smallest member lies between 1 and 2.
            mask = mask & (q.abs() * 2 > LEAST)
        return project(q, mask, weight.detach(), self.phi), scale


def column(values: Tensor, weight: Tensor) -> Tensor:
    """Return a value a filter in a shape that meets the weights."""
    return values.reshape(-1, *[1] * (weight.dim() - 1))
