"""Pairs of filter groups of one digit: they share rows of weights, each in its own cell columns."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.blocks import walked_inputs
from hwgen.dbpim.compiler.codes import DIGITS, pair_codes
from hwgen.dbpim.compiler.groups import FilterGroup, coded_tile, group_beats, tile_cycles
from hwgen.dbpim.compiler.tiles import Piece, cut_tiles
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import CELL_BITS, NO_DIGIT, Coding
from hwgen.network.sparsity import ALPHA, PHI_LIMIT

NO_DIGITS = NO_DIGIT << CELL_BITS | NO_DIGIT
"""The code of a slot without an input."""

Mask = NDArray[np.bool_]
Pair = tuple[int, int]


def pair_groups(
    groups: Sequence[FilterGroup], words: NDArray[np.int8], blocks: Mask, arch: Arch
) -> list[FilterGroup]:
    """Return the groups of a layer with those of one digit in pairs, where a pair saves cycles.

    groups: each alone; words: (filters, words, C); blocks: (mask groups, words, C), True where a
    block is unpruned. A pair walks the inputs of both groups.
    """
    if not arch.pairs:
        return list(groups)
    weights = filter_weights(words, len(groups), arch)
    walked = walked_inputs(blocks)[np.arange(len(groups)) * arch.filters // ALPHA]
    single = np.flatnonzero((DIGITS[weights.view(np.uint8)] < PHI_LIMIT).all(axis=(1, 2)))
    found = dict(enumerate(groups))
    for first, second in nearest_pairs(single, walked):
        pieces = cut_tiles(walked[first] | walked[second], arch)
        alone = groups[first].cycles + groups[second].cycles
        if sum(tile_cycles(piece, arch) for piece in pieces) < alone:
            both = weights[first], weights[second]
            found[first] = pair_of(groups[first], groups[second], both, pieces, arch)
            del found[second]
    return list(found.values())


def filter_weights(words: NDArray[np.int8], groups: int, arch: Arch) -> NDArray[np.int8]:
    """Return the weights of each group, (groups, F, inputs); zeros in a filter that is absent."""
    missing = groups * arch.filters - len(words)
    padded = np.pad(words.reshape(len(words), -1), ((0, missing), (0, 0)))
    return padded.reshape(groups, arch.filters, -1)


def nearest_pairs(groups: NDArray[np.intp], walked: Mask) -> Iterator[Pair]:
    """Yield pairs, each group with the one that is left and gives the fewest inputs together.

    groups: numbers of groups that may be paired; walked: inputs of all groups, (groups, words, C)
    """
    inputs = walked.reshape(len(walked), -1)[groups].astype(np.float32)
    sizes = inputs.sum(axis=1)
    together = sizes[:, np.newaxis] + sizes - inputs @ inputs.T
    left = np.ones(len(groups), bool)
    for number in range(len(groups)):
        if not left[number]:
            continue
        left[number] = False
        if left.any():
            partner = int(np.where(left, together[number], np.inf).argmin())
            left[partner] = False
            yield int(groups[number]), int(groups[partner])


def pair_of(
    first: FilterGroup,
    second: FilterGroup,
    weights: tuple[NDArray[np.int8], NDArray[np.int8]],
    pieces: Sequence[Piece],
    arch: Arch,
) -> FilterGroup:
    """Return two groups as one; weights: (F, inputs) of each."""
    codes = pair_codes(*weights).T
    enable = sum(
        int(filters[number].any()) << PHI_LIMIT * number + place
        for place, filters in enumerate(weights)
        for number in range(arch.filters)
    )
    tiles = tuple(
        coded_tile(codes, piece, enable, arch, coding=Coding.FLAT, empty=NO_DIGITS)
        for piece in pieces
    )
    return FilterGroup(
        index=first.index,
        second=second.index,
        parameters=first.parameters + second.parameters,
        tiles=tiles,
        beats=group_beats(tiles, arch, double=True),
    )
