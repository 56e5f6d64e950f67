"""Cut the selected inputs of a filter group into tiles of at most half of a core's buffers."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode, field_limit

MASK_WORDS_LIMIT = field_limit(Opcode.TILE, "mask_words")
"""Words that one tile can walk at most."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some inputs of a group, in order: one tile.

    start: first word that the tile walks; it and the last one have a selected input
    masks: bool, (words, W); inputs of other tiles in the same words are False
    inputs: numbers (word * W + mask bit) of the selected inputs
    group: C, inputs of a row
    """

    start: int
    masks: NDArray[np.bool_]
    inputs: NDArray[np.intp]
    group: int

    @property
    def rows(self) -> int:
        """Rows of weights: groups that the switch pushes for a position vector.

        The last word ends the last group, which is one of zeros if the group before it was full.
        """
        full, rest = divmod(len(self.inputs), self.group)
        return full + int(rest > 0 or not self.masks[-1].any())


def cut_tiles(walked: NDArray[np.bool_], arch: Arch) -> list[Piece]:
    """Return the tiles of a group that walks the inputs (words, W).

    Rows of C inputs are cut into as few and as equal tiles of `tile_rows` as possible; a tile that
    walks more words than half of the mask ring is halved, and halved again. Without `sparse_parts`
    a row is a word, and there is no mask ring.
    """
    compartments = arch.macro.compartments
    inputs = np.flatnonzero(walked)
    rows = math.ceil(len(inputs) / compartments)
    count = math.ceil(rows / arch.tile_rows)
    borders = [math.ceil(rows * index / count) * compartments for index in range(1, count)]
    pieces = []
    for part in np.split(inputs, borders):
        halves = halve(part, arch) if arch.sparse_parts else [part]
        pieces += [piece_of(half, arch) for half in halves]
    return pieces


def cut_together(walked: NDArray[np.bool_], arch: Arch) -> list[list[Piece]]:
    """Return the tiles of all groups of a layer for one stream of words: (groups, words, C).

    All groups have the same words in their first tile, in their second one, and so on: as many as
    fit `tile_rows` in each group and half of the mask ring. A tile may select no input.
    """
    most_words = min(arch.mask_words // 2, MASK_WORDS_LIMIT)
    _, words, compartments = walked.shape
    ends: NDArray[np.bool_] = np.any(walked, axis=2)
    borders = [0]
    while borders[-1] < words:
        first = borders[-1]
        full, rest = np.divmod(walked[:, first:].sum(axis=2).cumsum(axis=1), compartments)
        fits = (full + ((rest > 0) | ~ends[:, first:]) <= arch.tile_rows).all(axis=0)
        count = len(fits) if fits.all() else int(fits.argmin())
        borders.append(first + max(1, min(count, most_words)))
    return [[piece_of_words(each, *span) for span in pairwise(borders)] for each in walked]


def piece_of_words(walked: NDArray[np.bool_], first: int, end: int) -> Piece:
    """Return the tile of some words of a group, which are as wide as a row."""
    masks, width = walked[first:end], walked.shape[1]
    inputs = np.flatnonzero(masks) + first * width
    return Piece(start=first, masks=masks, inputs=inputs, group=width)


def halve(inputs: NDArray[np.intp], arch: Arch) -> list[NDArray[np.intp]]:
    """Return the inputs as one part, or as several where they lie in too many words.

    A cut is at the border of a row while there are several rows.
    """
    compartments = arch.macro.compartments
    words = int(inputs[-1] // arch.word - inputs[0] // arch.word) + 1
    if words <= min(arch.mask_words // 2, MASK_WORDS_LIMIT):
        return [inputs]
    rows = math.ceil(len(inputs) / compartments)
    middle = rows // 2 * compartments if rows > 1 else len(inputs) // 2
    return [part for half in np.split(inputs, [middle]) for part in halve(half, arch)]


def piece_of(inputs: NDArray[np.intp], arch: Arch) -> Piece:
    """Return the tile of some inputs."""
    width = arch.word
    start = int(inputs[0] // width)
    words = int(inputs[-1] // width) - start + 1
    masks = np.zeros(words * width, bool)
    masks[inputs - start * width] = True
    shaped = masks.reshape(words, width)
    return Piece(start=start, masks=shaped, inputs=inputs, group=arch.macro.compartments)
