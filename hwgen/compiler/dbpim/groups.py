"""Filter groups: the filters that a core computes at a time, cut into tiles of weight codes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.compiler.dbpim.blocks import walked_inputs
from hwgen.compiler.dbpim.codes import ENABLE_OF_PHI, csd_codes, filter_phi, plain_codes
from hwgen.compiler.dbpim.tiles import Piece, cut_tiles
from hwgen.errors import CompileError
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, LIKELY_BIT_PLANES, Arch
from hwgen.spec.dbpim.stream import FilterParameters, tile_beats
from hwgen.spec.network import Parameters
from hwgen.spec.sparsity import ALPHA, PHI_LIMIT

ABSENT = FilterParameters(bias=0, multiplier=0, shift=1)
"""Parameters of a filter that a tail group lacks: its bytes are the zero point, never read."""


@dataclass(frozen=True, kw_only=True)
class WeightTile:
    """A tile of one filter group.

    piece: the inputs that it walks
    codes: uint8, (rows, C, F); cells without an input hold 0 and meet inputs of 0
    """

    piece: Piece
    codes: NDArray[np.uint8]

    def cycles(self, arch: Arch) -> int:
        """Return the estimated cycles for one position vector, activations unknown.

        The switch takes a cycle for each word and for each `switch_rate` of its selected inputs,
        the macros one for each row and likely bit plane; the slower of the two decides.
        """
        bit_planes = LIKELY_BIT_PLANES if arch.sparsity.input_bits else ACTIVATION_BITS
        selected = self.piece.masks.sum(axis=1)
        switch = int((-(-selected // arch.switch_rate)).clip(min=1).sum())
        return max(switch, len(self.codes) * bit_planes)


@dataclass(frozen=True, kw_only=True)
class FilterGroup:
    """F neighbouring output channels; `filter_enable` as in a tile's header."""

    index: int
    filter_enable: int
    parameters: tuple[FilterParameters, ...]
    tiles: tuple[WeightTile, ...]

    @property
    def rows(self) -> int:
        """Rows of weights of all tiles."""
        return sum(len(tile.codes) for tile in self.tiles)

    def cycles(self, arch: Arch) -> int:
        """Return the estimated cycles of all tiles for one position vector."""
        return sum(tile.cycles(arch) for tile in self.tiles)

    def beats(self, arch: Arch) -> int:
        """Return the beats of all tiles, each sent once."""
        total = 0
        for number, tile in enumerate(self.tiles):
            beats = tile_beats(arch, mask_words=len(tile.piece.masks), parameters=number == 0)
            total += beats.header + beats.masks + beats.parameters + beats.row * len(tile.codes)
        return total


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
    phis = (
        layer_phis(name, words, blocks) if arch.sparsity.weight_bits else [PHI_LIMIT] * len(words)
    )
    cuts = [cut_tiles(walked, arch) for walked in walked_inputs(blocks)]
    entries = layer_parameters(parameters)
    groups = []
    for index, first in enumerate(range(0, len(words), arch.filters)):
        chosen = slice(first, first + arch.filters)
        weights = words[chosen].reshape(len(words[chosen]), -1)
        missing = arch.filters - len(weights)
        enables = [ENABLE_OF_PHI[phi] for phi in phis[chosen]]
        groups.append(
            FilterGroup(
                index=index,
                filter_enable=sum(bits << 2 * place for place, bits in enumerate(enables)),
                parameters=(*entries[chosen], *[ABSENT] * missing),
                tiles=tuple(
                    WeightTile(piece=piece, codes=tile_codes(weights, piece, phis[chosen], arch))
                    for piece in cuts[first // ALPHA]
                ),
            )
        )
    return groups


def layer_phis(name: str, words: NDArray[np.int8], blocks: NDArray[np.bool_]) -> list[int]:
    """Return phi_th of each filter; weights of more than two digits do not fit the cells."""
    phis = [filter_phi(weights[blocks[n // ALPHA]]) for n, weights in enumerate(words)]
    for number, phi in enumerate(phis):
        if phi > PHI_LIMIT:
            raise CompileError(
                f"layer {name}: filter {number} must have at most {PHI_LIMIT} non-zero CSD digits"
                f" in every weight, got phi {phi}; it runs with weight_bits off"
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


def tile_codes(
    weights: NDArray[np.int8], piece: Piece, phis: Sequence[int], arch: Arch
) -> NDArray[np.uint8]:
    """Return the codes of a tile: (rows, C, F); weights: (filters that exist, inputs)."""
    compartments = arch.macro.compartments
    chosen = weights[:, piece.inputs]
    codes = csd_codes(chosen, phis) if arch.sparsity.weight_bits else plain_codes(chosen)
    rows = -(-len(piece.inputs) // compartments)
    padded = np.zeros((rows * compartments, arch.filters), np.uint8)
    padded[: len(piece.inputs), : len(codes)] = codes.T
    return padded.reshape(rows, compartments, arch.filters)
