"""Block-wise pruning (seed 002, IV-C1): a block is one (kh, kw, c) position in 8 filters.

Where both of two neighbouring groups of 8 have at most one digit, it may be one in all 16.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from hwgen.network.sparsity import ALPHA
from hwgen.train.fake_quantization import WeightQuantizer
from hwgen.train.network import Masked, Network
from hwgen.train.recipe import Pruning, Recipe


def block_scores(weight: Tensor, sizes: Sequence[int] | None = None) -> Tensor:
    """Return norm / sqrt(filters) of each block, (groups, c, kh, kw).

    weight: (filters, c, kh, kw). A tail of fewer than 8 filters is thereby ranked as if it were
    whole. sizes: filters of each group, 8 by default
    """
    groups = weight.split(ALPHA) if sizes is None else weight.split(list(sizes))
    return torch.stack([group.square().mean(0).sqrt() for group in groups])


def block_mask(weight: Tensor, share: float, sizes: Sequence[int] | None = None) -> Tensor:
    """Return bool in the shape of `weight`, false in the weakest blocks of the layer.

    share: fraction of blocks to prune, rounded up to whole blocks, one of more than 8 filters
        counts as two; of equal blocks the first goes
    sizes: filters of each group, 8 by default
    """
    if sizes is None:
        sizes = [len(group) for group in weight.split(ALPHA)]
    scores = block_scores(weight, sizes)
    eights = torch.tensor([math.ceil(size / ALPHA) for size in sizes], device=weight.device)
    cost = eights.reshape(-1, 1, 1, 1).expand_as(scores).flatten()
    order = scores.flatten().argsort(stable=True)
    before = cost[order].cumsum(0) - cost[order]
    unpruned = torch.ones(len(order), dtype=torch.bool, device=weight.device)
    # The small number absorbs the rounding of fractions such as 0.1 * 30.
    unpruned[order[before < share * int(cost.sum()) - 1e-9]] = False
    groups = unpruned.reshape(scores.shape)
    return groups.repeat_interleave(torch.tensor(sizes, device=weight.device), dim=0)


def block_sizes(weight: Tensor, pruning: Pruning, rule: str) -> list[int]:
    """Return the filters of each group of blocks of a layer: 8, or 16 of at most one digit.

    rule: of the quantization, by which filters get their digits
    """
    sizes = [len(group) for group in weight.split(ALPHA)]
    if pruning.blocks == "eight" or rule == "int8":
        return sizes
    quantizer = WeightQuantizer(len(weight), rule=rule, common=False).to(weight.device)
    quantizer.renew(weight, torch.ones_like(weight, dtype=torch.bool))
    merged = []
    for pair, digits in zip(weight.split(2 * ALPHA), quantizer.phi.split(2 * ALPHA), strict=True):
        parts = [len(group) for group in pair.split(ALPHA)]
        merged += [len(pair)] if int(digits.max()) <= 1 else parts
    return merged


def prune(network: Network, recipe: Recipe) -> None:
    """Mask the weakest blocks of every layer of a plan that takes part."""
    layers = [network.layer(node.name) for node in network.plan.sparse]
    prune_layers(layers, recipe.pruning, rule=recipe.quantization.rule)


def prune_layers(layers: Sequence[Masked], pruning: Pruning, *, rule: str = "mode") -> None:
    """Mask the weakest blocks of layers, of which the first and the last may be left whole."""
    for layer in layers:
        first, head = layer is layers[0], layer is layers[-1]
        if (first and not pruning.first_layer) or (head and not pruning.head):
            continue
        weight = layer.weight.detach()
        layer.prune(block_mask(weight, pruning.share, block_sizes(weight, pruning, rule)))
