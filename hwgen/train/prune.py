"""Block-wise pruning (seed 002, IV-C1): a block is one (kh, kw, c) position in 8 filters."""

import math

import torch
from torch import Tensor

from hwgen.spec.sparsity import ALPHA


def block_scores(weight: Tensor) -> Tensor:
    """Return norm / sqrt(filters) of each block, (groups, c, kh, kw).

    weight: (filters, c, kh, kw). A tail of fewer than 8 filters is thereby ranked as if it were
    whole.
    """
    return torch.stack([group.square().mean(0).sqrt() for group in weight.split(ALPHA)])


def block_mask(weight: Tensor, share: float) -> Tensor:
    """Return bool in the shape of `weight`, false in the weakest `share` of the layer's blocks.

    Of equal blocks the first is masked. A share of a block counts as a block.
    """
    scores = block_scores(weight).flatten()
    # The small number forgives binary fractions such as 0.1 * 30.
    pruned = math.ceil(share * len(scores) - 1e-9)
    kept = torch.ones(len(scores), dtype=torch.bool, device=weight.device)
    kept[scores.argsort(stable=True)[:pruned]] = False
    groups = kept.reshape(-1, *weight.shape[1:])
    return groups.repeat_interleave(ALPHA, dim=0)[: len(weight)]
