"""Pairs of filter groups of one digit: they share rows of weights, each in its own cell columns."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.blocks import walked_inputs
from hwgen.dbpim.compiler.codes import DIGITS, pair_codes
from hwgen.dbpim.compiler.groups import (
    FilterGroup,
    Walk,
    WeightTile,
    coded_tile,
    group_beats,
    layer_walks,
    tile_cycles,
    walk_tiles,
)
from hwgen.dbpim.compiler.tiles import Piece, cut_tiles, cut_together
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import CELL_BITS, NO_DIGIT, Coding
from hwgen.network.sparsity import ALPHA, PHI_LIMIT

NO_DIGITS = NO_DIGIT << CELL_BITS | NO_DIGIT
"""The code of a slot without an input."""

PAIR = 2
"""Groups of a pair."""

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
    single = np.flatnonzero((DIGITS[weights.view(np.uint8)] < PHI_LIMIT).all(axis=(1, 2)))
    if arch.shares_stream:
        return pair_in_waves(groups, single, layer_walks(words, blocks, arch), arch)
    walked = walked_inputs(blocks)[np.arange(len(groups)) * arch.filters // ALPHA]
    found = dict(enumerate(groups))
    for first, second in nearest_pairs(single, walked):
        pieces = cut_tiles(walked[first] | walked[second], arch)
        alone = groups[first].cycles + groups[second].cycles
        if sum(tile_cycles(piece, arch) for piece in pieces) < alone:
            tiles = pair_tiles(weights[first], weights[second], pieces, arch)
            found[first] = pair_of(groups[first], groups[second], tuple(tiles), arch)
            del found[second]
    return list(found.values())


def pair_in_waves(
    groups: Sequence[FilterGroup], single: NDArray[np.intp], walks: Sequence[Walk], arch: Arch
) -> list[FilterGroup]:
    """Return the groups of a layer for cores that meet one stream, as few in pairs as save a wave.

    A wave is one group, or one pair, of each core. All of them meet the same words in their first
    tile, in their second one, and so on: what is in a pair, and what is not, is cut together again.

    groups: each alone; single: numbers of those that may be paired; walks: of the layer
    """
    pairs = pairs_for_waves(single, walks[0].walked, arch.cores)
    if not pairs:
        return list(groups)
    second = dict(pairs)
    alone = set(range(len(groups))) - set(second.values())
    members = [(first, second.get(first)) for first in sorted(alone)]
    tiles: list[list[WeightTile]] = [[] for _ in members]
    for walk in walks:
        values = filter_weights(walk.words, len(groups), arch)
        together = np.array(
            [
                walk.walked[first] if other is None else walk.walked[first] | walk.walked[other]
                for first, other in members
            ]
        )
        cuts = cut_together(together, arch)
        for own, (first, other), pieces in zip(tiles, members, cuts, strict=True):
            own.extend(
                walk_tiles(walk, first, pieces, arch)
                if other is None
                else pair_tiles(values[first], values[other], pieces, arch)
            )
    return [
        replace(groups[first], tiles=tuple(own), beats=group_beats(own, arch))
        if other is None
        else pair_of(groups[first], groups[other], tuple(own), arch)
        for (first, other), own in zip(members, tiles, strict=True)
    ]


def pairs_for_waves(single: NDArray[np.intp], walked: Mask, cores: int) -> list[Pair]:
    """Return the pairs with which a layer takes the fewest waves of one group or pair a core.

    No more than that takes, those that walk the fewest inputs; none where that saves no wave.
    single: numbers of groups that may be paired; walked: inputs of all groups, (groups, words, C)
    """
    count = len(walked)
    waves = -(-(count - len(single) // PAIR) // cores)
    found = sorted(
        nearest_pairs(single, walked),
        key=lambda pair: int((walked[pair[0]] | walked[pair[1]]).sum()),
    )
    return found[: max(0, count - waves * cores)]


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


def pair_tiles(
    first: NDArray[np.int8], second: NDArray[np.int8], pieces: Sequence[Piece], arch: Arch
) -> Iterator[WeightTile]:
    """Yield the tiles of two groups in one walk; weights: (F, inputs) of each."""
    codes = pair_codes(first, second).T
    enable = sum(
        int(filters[number].any()) << PHI_LIMIT * number + place
        for place, filters in enumerate((first, second))
        for number in range(arch.filters)
    )
    for piece in pieces:
        yield coded_tile(codes, piece, enable, arch, coding=Coding.FLAT, empty=NO_DIGITS)


def pair_of(
    first: FilterGroup, second: FilterGroup, tiles: tuple[WeightTile, ...], arch: Arch
) -> FilterGroup:
    """Return two groups as one that has these tiles."""
    return FilterGroup(
        index=first.index,
        second=second.index,
        parameters=first.parameters + second.parameters,
        tiles=tiles,
        beats=group_beats(tiles, arch, double=True),
    )
