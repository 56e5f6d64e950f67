"""Filter groups: the filters that a core computes at a time, cut into tiles of weight codes.

Tests: `tests/dbpim/compiler/test_unstored.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.blocks import walked_inputs
from hwgen.dbpim.compiler.codes import (
    ENABLE_OF_PHI,
    csd_codes,
    digit_passes,
    filter_phis,
    plain_codes,
)
from hwgen.dbpim.compiler.tiles import Piece, cut_tiles, cut_together
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, LIKELY_BIT_PLANES, Arch
from hwgen.dbpim.facts.instructions import Coding
from hwgen.dbpim.facts.packing import best_coding, encode_rows
from hwgen.dbpim.facts.stream import (
    FilterParameters,
    encode_masks,
    encode_parameters,
    pad,
    tile_beats,
)
from hwgen.network import Parameters
from hwgen.network.sparsity import ALPHA

ABSENT = FilterParameters(bias=0, multiplier=0, shift=1)
"""Parameters of a filter that a tail group lacks: its bytes are the zero point, never read."""


@dataclass(frozen=True, kw_only=True)
class WeightTile:
    """A tile of one filter group.

    piece: the inputs that it walks; rows: of weights; filter_enable: as in the tile's header
    codes: uint8, (rows, C, F); codes without an input meet inputs of 0
    coding: of `row_bytes`, the part of a tile packet that holds the rows
    cycles: the estimated cycles for one position vector, activations unknown: the switch takes one
        for each word and for each `switch_rate` of its selected inputs, the macros one for each
        row and likely bit plane; the slower of the two decides
    """

    piece: Piece
    filter_enable: int
    codes: NDArray[np.uint8]
    coding: Coding
    row_bytes: bytes
    cycles: int

    @property
    def rows(self) -> int:
        """Rows of weights."""
        return len(self.codes)

    def mask_bytes(self, arch: Arch) -> bytes:
        """Return the part of a tile packet that holds the masks."""
        return pad(encode_masks(self.piece.masks, arch), arch)


@dataclass(frozen=True, kw_only=True)
class FilterGroup:
    """F neighbouring output channels, or twice as many that share rows.

    second: the group of the second cell columns, of a pair; parameters are those of both
    tiles: of the first walk, then of a second one, if weights have more digits than cells
    beats: of all tiles, each sent once
    """

    index: int
    parameters: tuple[FilterParameters, ...]
    tiles: tuple[WeightTile, ...]
    beats: int
    second: int | None = None

    @property
    def double(self) -> bool:
        """Whether it is a pair of groups."""
        return self.second is not None

    @property
    def results(self) -> int:
        """Results of each position: one for each filter group."""
        return 1 + self.double

    @cached_property
    def rows(self) -> int:
        """Rows of weights of all tiles."""
        return sum(tile.rows for tile in self.tiles)

    @cached_property
    def cycles(self) -> int:
        """Estimated cycles of all tiles for one position vector."""
        return sum(tile.cycles for tile in self.tiles)

    def parameter_bytes(self, arch: Arch) -> bytes:
        """Return the part of a tile packet that holds the parameters."""
        return pad(b"".join(encode_parameters(entry) for entry in self.parameters), arch)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """One walk of all filters of a layer over inputs.

    words: int8, (filters, words, C), what it adds of the weights
    phis: cell columns of each filter; empty on a chip without `weight_bits`
    walked: bool, (filter groups, words, C), the inputs of each
    cuts: pieces of each filter group, none where nothing is left to add
    """

    words: NDArray[np.int8]
    phis: Sequence[int]
    walked: NDArray[np.bool_]
    cuts: Sequence[Sequence[Piece]]


def filter_groups(
    words: NDArray[np.int8], blocks: NDArray[np.bool_], parameters: Parameters, arch: Arch
) -> list[FilterGroup]:
    """Return the groups of a layer.

    words: (filters, words, C); blocks: (mask groups, words, C), True where a block is unpruned
    """
    walks = layer_walks(words, blocks, arch)
    entries = layer_parameters(parameters)
    groups = []
    for index, first in enumerate(range(0, len(words), arch.filters)):
        chosen = entries[first : first + arch.filters]
        tiles = tuple(
            tile for walk in walks for tile in walk_tiles(walk, index, walk.cuts[index], arch)
        )
        groups.append(
            FilterGroup(
                index=index,
                parameters=(*chosen, *[ABSENT] * (arch.filters - len(chosen))),
                tiles=tiles,
                beats=group_beats(tiles, arch),
            )
        )
    return groups


def layer_walks(words: NDArray[np.int8], blocks: NDArray[np.bool_], arch: Arch) -> list[Walk]:
    """Return the walks of a layer over its inputs: one, or two of weights of 3 or 4 digits.

    A filter has two cells for a weight, with `weight_bits`. Digits 3 and 4 are weights of their
    own, over the inputs that have some in the filter group: partial sums go on from tile to tile.
    """
    firsts = range(0, len(words), arch.filters)
    blocks = blocks_of_groups(blocks, arch)
    size = max(arch.filters, ALPHA)
    of_blocks = walked_inputs(blocks)
    pieces = cut_groups(of_blocks, arch)
    block = [first // size for first in firsts]
    cuts, walked = [pieces[each] for each in block], of_blocks[block]
    if not arch.sparsity.weight_bits:
        return [Walk(words=words, phis=(), walked=walked, cuts=cuts)]
    highest, *rest = digit_passes(words)
    phis = filter_phis(highest, blocks, filters=size)
    walks = [Walk(words=highest, phis=phis, walked=walked, cuts=cuts)]
    for left in rest:
        some = np.array([left[first : first + arch.filters].any(axis=0) for first in firsts])
        phis = filter_phis(left, some, filters=arch.filters)
        walks.append(Walk(words=left, phis=phis, walked=some, cuts=cut_groups(some, arch)))
    return walks


def blocks_of_groups(blocks: NDArray[np.bool_], arch: Arch) -> NDArray[np.bool_]:
    """Return the blocks that each group walks, (groups, words, C), where it has several of 8.

    Its filters share rows, so it walks the inputs of all its blocks; smaller groups share a block.
    """
    several = max(1, arch.filters // ALPHA)
    return np.array(
        [blocks[first : first + several].any(axis=0) for first in range(0, len(blocks), several)]
    )


def cut_groups(walked: NDArray[np.bool_], arch: Arch) -> list[list[Piece]]:
    """Return the pieces of each group of filters that walks the inputs (groups, words, C)."""
    if arch.shares_stream:
        return cut_together(walked, arch)
    return [cut_tiles(each, arch) if each.any() else [] for each in walked]


def walk_tiles(walk: Walk, index: int, pieces: Sequence[Piece], arch: Arch) -> Iterator[WeightTile]:
    """Yield the tiles of a filter group in a walk, one for each piece of the inputs."""
    chosen = slice(index * arch.filters, (index + 1) * arch.filters)
    if not pieces:
        return
    weights = walk.words[chosen].reshape(len(walk.words[chosen]), -1)
    phis = walk.phis[chosen] if walk.phis else None
    codes = group_codes(weights, phis, arch)
    enables = [ENABLE_OF_PHI[phi] for phi in phis or [-1] * len(weights)]
    enable = sum(bits << 2 * place for place, bits in enumerate(enables))
    for piece in pieces:
        yield weight_tile(codes, piece, enable, arch)


def tile_cycles(piece: Piece, arch: Arch) -> int:
    """Return the estimated cycles of a tile for one position vector."""
    bit_planes = LIKELY_BIT_PLANES if arch.sparsity.input_bits else ACTIVATION_BITS
    if not arch.sparse_parts:
        return piece.rows * bit_planes
    selected = piece.masks.sum(axis=1)
    switch = int((-(-selected // arch.switch_rate)).clip(min=1).sum())
    return max(switch, piece.rows * bit_planes)


def group_beats(tiles: Sequence[WeightTile], arch: Arch, *, double: bool = False) -> int:
    """Return the beats of all tiles of a group, each sent once; double: of a pair of groups."""
    return sum(
        sum(
            tile_beats(
                arch,
                mask_words=len(tile.piece.masks),
                parameters=number == 0,
                rows=tile.rows,
                coding=tile.coding,
                double=double,
            )
        )
        for number, tile in enumerate(tiles)
    )


def layer_parameters(parameters: Parameters) -> list[FilterParameters]:
    """Return the output parameters of each filter; the head has a bias only."""
    bias = parameters.bias[0].tolist()
    scales = list(zip(parameters.multiplier[0].tolist(), parameters.shift[0].tolist(), strict=True))
    return [
        FilterParameters(offset, *scale)
        for offset, scale in zip(bias, scales or [ABSENT[1:]] * len(bias), strict=True)
    ]


def group_codes(
    weights: NDArray[np.int8], phis: Sequence[int] | None, arch: Arch
) -> NDArray[np.uint8]:
    """Return the codes of a group, (inputs, F); weights: (filters that exist, inputs)."""
    codes = plain_codes(weights) if phis is None else csd_codes(weights, phis)
    whole = np.zeros((weights.shape[1], arch.filters), np.uint8)
    whole[:, : len(codes)] = codes.T
    return whole


def weight_tile(
    codes: NDArray[np.uint8], piece: Piece, filter_enable: int, arch: Arch
) -> WeightTile:
    """Return a tile from the codes (inputs, F) of its group; as short as all weights allow."""
    coding = best_coding(codes[piece.inputs], filter_enable, arch)
    return coded_tile(codes, piece, filter_enable, arch, coding=coding)


def coded_tile(
    codes: NDArray[np.uint8],
    piece: Piece,
    filter_enable: int,
    arch: Arch,
    *,
    coding: Coding,
    empty: int = 0,
) -> WeightTile:
    """Return a tile from the codes (inputs, F) of its group; empty: the code without an input."""
    chosen = codes[piece.inputs]
    compartments = arch.macro.compartments
    padded = np.full((piece.rows * compartments, arch.filters), empty, np.uint8)
    padded[: len(chosen)] = chosen
    shaped = padded.reshape(piece.rows, compartments, arch.filters)
    return WeightTile(
        piece=piece,
        filter_enable=filter_enable,
        codes=shaped,
        coding=coding,
        row_bytes=encode_rows(shaped, filter_enable, arch, coding),
        cycles=tile_cycles(piece, arch),
    )
