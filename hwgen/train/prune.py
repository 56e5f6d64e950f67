"""Block-wise pruning (seed 002, IV-C1): a block is one (kh, kw, c) position in 8 filters."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from hwgen.network.sparsity import ALPHA
from hwgen.train.network import Masked, Network
from hwgen.train.recipe import Pruning, Recipe


def block_scores(weight: Tensor) -> Tensor:
    """Return norm / sqrt(filters) of each block, (groups, c, kh, kw).

    weight: (filters, c, kh, kw). A tail of fewer than 8 filters is thereby ranked as if it were
    whole.
    """
    return torch.stack([group.square().mean(0).sqrt() for group in weight.split(ALPHA)])


def block_mask(weight: Tensor, share: float) -> Tensor:
    """Return bool in the shape of `weight`, false in the weakest blocks of the layer.

    share: fraction of blocks to prune, rounded up to whole blocks; of equal blocks the first goes
    """
    scores = block_scores(weight).flatten()
    # The small number absorbs the rounding of fractions such as 0.1 * 30.
    pruned = math.ceil(share * len(scores) - 1e-9)
    unpruned = torch.ones(len(scores), dtype=torch.bool, device=weight.device)
    unpruned[scores.argsort(stable=True)[:pruned]] = False
    groups = unpruned.reshape(-1, *weight.shape[1:])
    return groups.repeat_interleave(ALPHA, dim=0)[: len(weight)]


def prune(network: Network, recipe: Recipe) -> None:
    """Mask the weakest blocks of every layer of a plan that takes part."""
    prune_layers([network.layer(node.name) for node in network.plan.sparse], recipe.pruning)


def prune_layers(layers: Sequence[Masked], pruning: Pruning) -> None:
    """Mask the weakest blocks of layers, of which the first and the last may be left whole."""
    for layer in layers:
        first, head = layer is layers[0], layer is layers[-1]
        if (first and not pruning.first_layer) or (head and not pruning.head):
            continue
        layer.prune(block_mask(layer.weight.detach(), pruning.share))
