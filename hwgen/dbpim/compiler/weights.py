"""The filter groups of each layer, encoded once for all its steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.blocks import real_inputs, unpruned_blocks, weight_words
from hwgen.dbpim.compiler.groups import FilterGroup, filter_groups
from hwgen.dbpim.compiler.ops import Lowered
from hwgen.dbpim.compiler.pairs import pair_groups
from hwgen.dbpim.facts.arch import Arch
from hwgen.network import QuantizedNetwork


@dataclass(frozen=True, kw_only=True)
class LayerWeights:
    """The filter groups of a layer.

    paired: the same in which groups of one digit share rows, where that may take fewer cycles
    k: inputs of an output; kept: fraction of blocks that are unpruned; filters: output channels
    """

    groups: tuple[FilterGroup, ...]
    paired: tuple[FilterGroup, ...]
    k: int
    kept: float
    filters: int


def layer_weights(
    lowered: Lowered, network: QuantizedNetwork, arch: Arch
) -> dict[str, LayerWeights]:
    """Return the weights of each pass of the macros, by its name."""
    found = {}
    for name, filters in lowered.filters.items():
        words, real, blocks = encoded_filters(filters, arch)
        groups = filter_groups(words, blocks, network.parameters[name], arch)
        paired = pair_groups(groups, words, blocks, arch)
        found[name] = LayerWeights(
            groups=tuple(groups),
            paired=tuple(paired) if len(paired) < len(groups) else (),
            k=int(real.sum()),
            kept=float((blocks & real).sum() / (len(blocks) * real.sum())),
            filters=len(filters),
        )
    return found


def encoded_filters(
    filters: NDArray[np.int8], arch: Arch
) -> tuple[NDArray[np.int8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return words of filters, which of their inputs are real, and which blocks are unpruned."""
    words, real = weight_words(filters, arch), real_inputs(filters.shape[1:], arch)
    # Without a switch whole words are walked: what fills up the last one of a pixel weighs 0.
    walked = real if arch.sparse_parts else np.ones_like(real)
    return words, real, unpruned_blocks(words, walked, weight_values=arch.sparsity.weight_values)
