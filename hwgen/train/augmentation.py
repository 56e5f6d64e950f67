"""Augmentation: training images are shifted and mirrored at random."""

import torch
from torch import Tensor
from torch.nn import functional

from hwgen.train.parallel import part_of, size
from hwgen.train.recipe import Common


def augment(x: Tensor, recipe: Common, random: torch.Generator) -> Tensor:
    """Return images (n, c, h, w) shifted by whole pixels and mirrored, each image at random.

    x: this process's part of a batch; `random` draws for the whole batch
    """
    _, _, height, width = x.shape
    n = len(x) * size()
    if recipe.shift_pixels:
        reach = recipe.shift_pixels
        padded = functional.pad(x, [reach] * 4)
        moves = torch.randint(0, 2 * reach + 1, (2, n, 1), generator=random)
        moves = part_of(moves, dim=1).to(x.device)
        rows = moves[0] + torch.arange(height, device=x.device)
        columns = moves[1] + torch.arange(width, device=x.device)
        image = torch.arange(len(x), device=x.device).reshape(-1, 1, 1)
        # The advanced indices come first: (n, h, w, c).
        x = padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    if recipe.flip:
        mirrored = part_of(torch.rand(n, generator=random) < 0.5).to(x.device)
        x = torch.where(mirrored.reshape(-1, 1, 1, 1), x.flip(3), x)
    return x
