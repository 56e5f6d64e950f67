"""Noise of a training: what cells of a crossbar that vary do to weights on the integer grid.

A crossbar holds u = w + 128 in slices of q bits, a cell each, and a column whose cells sum to more
than half of the most possible flipped (`golden.crossbar.encoding`). A cell c holds c * f, with f
lognormal; so the weight that the chip multiplies by is w + e, with

    e = sum over slices k of s * 2^(q*k) * c * (f - 1),    s = -1 in a flipped column, else 1.

A weight of 0 has the error of u = 128, too: errors do not shrink with the weights.

Tests: `tests/train/test_cell_noise.py`.
"""

import torch
from torch import Tensor
from torch.nn import functional

from hwgen.train.recipe import Noise

WEIGHT_BITS = 8


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
    places = torch.arange(len(held), device=weights.device) * noise.cell_bits
    errors = (held * factors.to(held.device) * signs * (2.0**places)[:, None, None]).sum(0)
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
