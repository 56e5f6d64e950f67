"""Noise of a training: what cells of a crossbar that vary do to weights on the integer grid.

A crossbar holds u = w + 128 in slices of q bits, a cell each, and a column whose cells sum to more
than half of the most possible flipped (`golden.crossbar.encoding`). A cell c holds c * f, with f
lognormal; so the weight that the chip multiplies by is w + e, with

    e = sum over slices k of s * 2^(q*k) * c * (f - 1),    s = -1 in a flipped column, else 1.

A weight of 0 has the error of u = 128, too: errors do not shrink with the weights. Crossbars take
inputs as they are stored, so that e meets the zero point of a map, too, and its padding.

A layer with many copies has other cells for each pixel and its neighbours. Such noise is drawn by
pixel, as a normal sum with the mean and the variance that cells give it. Which layers have it the
recipe says, or leaves to the pixels of their maps.

Tests: `tests/train/test_cell_noise.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hwgen.train.plans.plan import Plan
from hwgen.train.recipe import Noise

WEIGHT_BITS = 8


@dataclass(frozen=True)
class ErringCells:
    """Cells of all layers, drawn anew for each batch.

    random: of the processor; the same state gives the same errors
    """

    noise: Noise
    random: torch.Generator

    def errors(self, weights: Tensor) -> Tensor:
        """Return errors of weights that all pixels share, as `weight_errors` does."""
        return weight_errors(weights, self.noise, self.random)

    def sums(
        self, inputs: Tensor, weights: Tensor, convolve: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        """Return what cells of each pixel add to the sums of a layer, in steps of its weights.

        inputs: (images, channels, height, width), not negative, with their padding
        weights: (filters, channels, kernel rows, kernel columns), whole numbers -128 to 127
        convolve: inputs and weights to sums
        """
        mean, variance = error_moments(weights, self.noise)
        deviation = convolve(inputs.square(), variance).clamp(min=0).sqrt()
        drawn = torch.randn(deviation.shape, generator=self.random).to(deviation.device)
        return convolve(inputs, mean) + drawn * deviation


def layers_by_pixel(plan: Plan, noise: Noise) -> list[str]:
    """Return the layers with weights whose pixels have cells of their own, in order."""
    pixels = {node.name: math.prod(plan.shapes[node.name][:2]) for node in plan.weighted}
    return [name for name, count in pixels.items() if noise.is_by_pixel(count)]


def error_moments(weights: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the errors of weights, in their steps and the square of them."""
    filters, channels, *kernel = weights.shape
    held, signs = cells_of(weights.permute(0, 2, 3, 1).reshape(filters, -1), noise)
    values = held * place_values(len(held), noise).to(held.device)
    square = noise.variation**2
    mean = (values * signs).sum(0) * (math.exp(square / 2) - 1)
    variance = values.square().sum(0) * (math.exp(square) * (math.exp(square) - 1))
    shape = filters, *kernel, channels
    return mean.reshape(shape).permute(0, 3, 1, 2), variance.reshape(shape).permute(0, 3, 1, 2)


def place_values(slices: int, noise: Noise) -> Tensor:
    """Return the weight of a cell of each slice, (slices, 1, 1)."""
    return (2.0 ** (torch.arange(slices) * noise.cell_bits))[:, None, None]


def weight_errors(weights: Tensor, noise: Noise, random: torch.Generator) -> Tensor:
    """Return the errors of weights, in their steps, float32 of the same shape.

    weights: (filters, channels, kernel rows, kernel columns), whole numbers -128 to 127
    random: of the processor; the same state gives the same errors
    """
    filters, channels, *kernel = weights.shape
    # Rows of a crossbar: kernel row, kernel column, channel.
    rows = weights.permute(0, 2, 3, 1).reshape(filters, -1)
    held, signs = cells_of(rows, noise)
    factors = torch.randn(held.shape, generator=random).mul_(noise.variation).exp_().sub_(1)
    values = held * place_values(len(held), noise).to(held.device)
    errors = (values * factors.to(held.device) * signs).sum(0)
    return errors.reshape(filters, *kernel, channels).permute(0, 3, 1, 2)


def cells_of(rows: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
    """Return what the cells hold, and -1 where a column is flipped: (slices, filters, rows).

    rows: (filters, rows of all row tiles), whole numbers -128 to 127
    """
    most, inputs = 2**noise.cell_bits - 1, rows.shape[1]
    unsigned = rows.to(torch.int32) + 2 ** (WEIGHT_BITS - 1)
    places = range(0, WEIGHT_BITS, noise.cell_bits)
    cells = torch.stack([(unsigned >> place) & most for place in places])
    tiles = functional.pad(cells, (0, -inputs % noise.side)).unflatten(2, (-1, noise.side))
    used = functional.pad(torch.ones(inputs), (0, -inputs % noise.side)).reshape(-1, noise.side)
    full = 2 * tiles.sum(3) > most * used.sum(1).to(tiles)
    flipped = full.repeat_interleave(noise.side, dim=2)[..., :inputs]
    held = torch.where(flipped, most - cells, cells)
    return held.to(torch.float32), 1.0 - 2.0 * flipped
