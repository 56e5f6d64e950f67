"""Filter groups: the filters that a core computes at a time, cut into tiles of weight codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.blocks import walked_inputs
from hwgen.dbpim.compiler.codes import ENABLE_OF_PHI, csd_codes, filter_phis, plain_codes
from hwgen.dbpim.compiler.tiles import Piece, cut_tiles, cut_together
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, LIKELY_BIT_PLANES, Arch
from hwgen.dbpim.facts.packing import encode_rows, packable
from hwgen.dbpim.facts.stream import (
    FilterParameters,
    encode_parameters,
    pad,
    tile_beats,
)
from hwgen.errors import CompileError
from hwgen.network import Parameters
from hwgen.network.sparsity import ALPHA, PHI_LIMIT

ABSENT = FilterParameters(bias=0, multiplier=0, shift=1)
"""Parameters of a filter that a tail group lacks: its bytes are the zero point, never read."""


@dataclass(frozen=True, kw_only=True)
class WeightTile:
    """A tile of one filter group.

    piece: the inputs that it walks; rows: of weights
    codes: uint8, (rows, C, F); cells without an input hold 0 and meet inputs of 0
    packed: whether `row_bytes`, the part of a tile packet that holds the rows, is packed
    cycles: the estimated cycles for one position vector, activations unknown: the switch takes one
        for each word and for each `switch_rate` of its selected inputs, the macros one for each
        row and likely bit plane; the slower of the two decides
    """

    piece: Piece
    codes: NDArray[np.uint8]
    packed: bool
    row_bytes: bytes
    cycles: int

    @property
    def rows(self) -> int:
        """Rows of weights."""
        return len(self.codes)

    def mask_bytes(self, arch: Arch) -> bytes:
        """Return the part of a tile packet that holds the masks."""
        return pad(np.packbits(self.piece.masks.ravel(), bitorder="little").tobytes(), arch)


@dataclass(frozen=True, kw_only=True)
class FilterGroup:
    """F neighbouring output channels.

    filter_enable: as in a tile's header; beats: of all tiles, each sent once
    """

    index: int
    filter_enable: int
    parameters: tuple[FilterParameters, ...]
    tiles: tuple[WeightTile, ...]
    beats: int

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


def filter_groups(
    name: str,
    words: NDArray[np.int8],
    blocks: NDArray[np.bool_],
    parameters: Parameters,
    arch: Arch,
) -> list[FilterGroup]:
    """Return the groups of a layer called `name`.

    words: (filters, words, C); blocks: (mask groups, words, C), True where a block is unpruned
    """
    phis = layer_phis(name, words, blocks) if arch.sparsity.weight_bits else None
    walked = walked_inputs(blocks)
    if arch.shares_stream:
        cuts = cut_together(walked, arch)
    else:
        cuts = [cut_tiles(each, arch) for each in walked]
    costs = [[tile_cycles(piece, arch) for piece in pieces] for pieces in cuts]
    entries = layer_parameters(parameters)
    flat = words.reshape(len(words), -1)
    groups = []
    for index, first in enumerate(range(0, len(words), arch.filters)):
        chosen, block = slice(first, first + arch.filters), first // ALPHA
        codes = group_codes(flat[chosen], None if phis is None else phis[chosen], arch)
        count = len(flat[chosen])
        enables = [ENABLE_OF_PHI[-1 if phis is None else phis[first + n]] for n in range(count)]
        enable = sum(bits << 2 * place for place, bits in enumerate(enables))
        tiles = tuple(
            weight_tile(codes, piece, cycles, enable, arch)
            for piece, cycles in zip(cuts[block], costs[block], strict=True)
        )
        groups.append(
            FilterGroup(
                index=index,
                filter_enable=enable,
                parameters=(*entries[chosen], *[ABSENT] * (arch.filters - count)),
                tiles=tiles,
                beats=group_beats(tiles, arch),
            )
        )
    return groups


def tile_cycles(piece: Piece, arch: Arch) -> int:
    """Return the estimated cycles of a tile for one position vector."""
    bit_planes = LIKELY_BIT_PLANES if arch.sparsity.input_bits else ACTIVATION_BITS
    selected = piece.masks.sum(axis=1)
    switch = int((-(-selected // arch.switch_rate)).clip(min=1).sum())
    return max(switch, piece.rows * bit_planes)


def group_beats(tiles: Sequence[WeightTile], arch: Arch) -> int:
    """Return the beats of all tiles of a group, each sent once."""
    return sum(
        sum(
            tile_beats(
                arch,
                mask_words=len(tile.piece.masks),
                parameters=number == 0,
                rows=tile.rows,
                packed=tile.packed,
            )
        )
        for number, tile in enumerate(tiles)
    )


def layer_phis(name: str, words: NDArray[np.int8], blocks: NDArray[np.bool_]) -> list[int]:
    """Return phi_th of each filter; weights of more than two digits do not fit the cells."""
    phis = filter_phis(words, blocks)
    for number, phi in enumerate(phis):
        if phi > PHI_LIMIT:
            raise CompileError(
                f"layer {name}: filter {number} must have at most {PHI_LIMIT} non-zero CSD digits"
                f" in every weight, got phi {phi}; it runs with weight_bits off"
                " (--sparsity weight_values,input_bits), or with the weights of hwgen fit"
            )
    return phis


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
    codes: NDArray[np.uint8], piece: Piece, cycles: int, filter_enable: int, arch: Arch
) -> WeightTile:
    """Return a tile from the codes (inputs, F) of its group; packed if all weights allow it."""
    chosen = codes[piece.inputs]
    packed = arch.unpacks and packable(chosen, filter_enable, arch)
    compartments = arch.macro.compartments
    padded = np.zeros((piece.rows * compartments, arch.filters), np.uint8)
    padded[: len(chosen)] = chosen
    shaped = padded.reshape(piece.rows, compartments, arch.filters)
    return WeightTile(
        piece=piece,
        codes=shaped,
        packed=packed,
        row_bytes=encode_rows(shaped, filter_enable, arch, packed=packed),
        cycles=cycles,
    )
