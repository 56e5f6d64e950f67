"""Block-wise pruning (seed 002, IV-C1): a block is one (kh, kw, c) position in 8 filters.

Where both of two neighbouring groups of 8 have at most one digit, it may be one in all 16.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from hwgen.errors import ConfigError, with_near
from hwgen.network.pruning import WEAKEST, unpruned_by
from hwgen.network.sparsity import ALPHA
from hwgen.train.chip_weights import ROUNDED, FixedDigits
from hwgen.train.network import Masked
from hwgen.train.recipe import Pruning


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
    if pruning.blocks == "eight" or rule in ROUNDED:
        return sizes
    each = FixedDigits(weight, rule=rule).to(weight.device)
    each.renew(weight)
    merged = []
    for pair, digits in zip(weight.split(2 * ALPHA), each.phi.split(2 * ALPHA), strict=True):
        parts = [len(group) for group in pair.split(ALPHA)]
        merged += [len(pair)] if int(digits.max()) <= 1 else parts
    return merged


def grown(done: float) -> float:
    """Return how much of a share is reached: fast at first, as most blocks are weak.

    done: part of the time in which it grows
    """
    return 1 - (1 - min(1.0, done)) ** 3


def prune_layers(
    layers: Mapping[str, Masked], pruning: Pruning, *, rule: str = "mode", part: float = 1.0
) -> None:
    """Mask the weakest blocks of layers, of which the first and the last may be left whole.

    layers: by name, in order; rule: of the quantization; part: of the share that is reached.
    What is masked stays so. Raises ConfigError for a share of a layer that is not there.
    """
    names = list(layers)
    for name in pruning.layers:
        if name not in layers:
            raise ConfigError(
                field="pruning.layers",
                allowed="names of layers that are pruned",
                given=with_near(name, names),
                source="recipe",
            )
    left = {names[0]: not pruning.first_layer, names[-1]: not pruning.head}
    for name, layer in layers.items():
        if left.get(name) and name not in pruning.layers:
            continue
        share = pruning.layers.get(name, pruning.share) * part
        weight = layer.kept().detach()
        if pruning.rule == WEAKEST:
            layer.chip.prune(block_mask(weight, share, block_sizes(weight, pruning, rule)))
        else:
            layer.chip.prune(mask_by(pruning.rule, weight, share))
        layer.chip.pruned |= part < 1  # more is to come, or read from a checkpoint


def mask_by(rule: str, weight: Tensor, share: float) -> Tensor:
    """Return the mask of a layer, in the shape of `weight`, by the rule of an installed package."""
    filters, channels, height, width = weight.shape
    scores = block_scores(weight).permute(0, 2, 3, 1)
    flat = scores.reshape(len(scores), -1).cpu().numpy().astype(np.float64)
    groups = torch.from_numpy(unpruned_by(rule, flat, share)).to(weight.device)
    mask = groups.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
    return mask.repeat_interleave(ALPHA, dim=0)[:filters].contiguous()
