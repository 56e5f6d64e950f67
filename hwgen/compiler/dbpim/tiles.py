"""Cut the selected inputs of a filter group into tiles of at most half of a core's buffers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode, field_limit

MASK_WORDS_LIMIT = field_limit(Opcode.TILE, "mask_words")
"""Words that one tile can walk at most."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some inputs of a group, in order: one tile.

    start: first word that the tile walks; it and the last one have a selected input
    masks: bool, (words, C); inputs of other tiles in the same words are False
    inputs: numbers (word * C + mask bit) of the selected inputs
    """

    start: int
    masks: NDArray[np.bool_]
    inputs: NDArray[np.intp]


def cut_tiles(walked: NDArray[np.bool_], arch: Arch) -> list[Piece]:
    """Return the tiles of a group that walks the inputs (words, C).

    Rows of C inputs are cut into as few and as equal tiles of `tile_rows` as possible; a tile that
    walks more words than half of the mask ring is halved, and halved again.
    """
    compartments = arch.macro.compartments
    inputs = np.flatnonzero(walked)
    rows = math.ceil(len(inputs) / compartments)
    count = math.ceil(rows / arch.tile_rows)
    borders = [math.ceil(rows * index / count) * compartments for index in range(1, count)]
    pieces = []
    for part in np.split(inputs, borders):
        pieces += [piece_of(half, compartments) for half in halve(part, arch)]
    return pieces


def halve(inputs: NDArray[np.intp], arch: Arch) -> list[NDArray[np.intp]]:
    """Return the inputs as one part, or as several where they lie in too many words.

    A cut is at the border of a row while there are several rows.
    """
    compartments = arch.macro.compartments
    words = int(inputs[-1] // compartments - inputs[0] // compartments) + 1
    if words <= min(arch.mask_words // 2, MASK_WORDS_LIMIT):
        return [inputs]
    rows = math.ceil(len(inputs) / compartments)
    middle = rows // 2 * compartments if rows > 1 else len(inputs) // 2
    return [part for half in np.split(inputs, [middle]) for part in halve(half, arch)]


def piece_of(inputs: NDArray[np.intp], compartments: int) -> Piece:
    """Return the tile of some inputs."""
    start = int(inputs[0] // compartments)
    words = int(inputs[-1] // compartments) - start + 1
    masks = np.zeros(words * compartments, bool)
    masks[inputs - start * compartments] = True
    return Piece(start=start, masks=masks.reshape(words, compartments), inputs=inputs)
