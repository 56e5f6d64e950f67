"""What the loads of a layer read: each access to a ring, in the order in which it is asked for.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hwgen.crossbar.facts.arch_fabric import Held
from hwgen.crossbar.facts.chip import ChipLayer
from hwgen.crossbar.facts.columns import Piece, pieces_of, whole_pieces
from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.rules import STRICT
from verif.reference.crossbar.walk.context import Stage
from verif.reference.crossbar.walk.hazards import Ints


@dataclass(frozen=True, kw_only=True)
class Reads:
    """The accesses of all loads of a layer in a macro, one behind the other; arrays of one length.

    count: accesses of each block of the stream
    block: of each access; ring: place of the provider
    first, last: elements of the stream of that map that are wanted; last < first: none
    unit: of the macro, that its rows go to; taken: elements of the block that were read before it
    length: elements that it brings
    """

    count: Ints
    block: Ints
    ring: Ints
    first: Ints
    last: Ints
    unit: Ints
    taken: Ints
    length: Ints


class Map(NamedTuple):
    """A map as a layer reads it, in elements: rows, of a row, of a pixel; of an image in a ring."""

    rows: int
    row: int
    pixel: int
    image: int


def map_of(layer: CrossbarLayer, channels: int, of_image: bool) -> Map:
    """Return a map of which a layer reads pixels of some channels; of the image what is sent."""
    if layer.kind == "fc":
        return Map(1, channels, channels, channels)
    rows, columns = layer.in_sides
    whole = rows * columns * channels
    if of_image:
        whole = last_needed(layer, STRICT)[-1] * channels
    return Map(rows, columns * channels, channels, whole)


def pieces_in(layer: ChipLayer, held: Held, shares: tuple[int, ...]) -> tuple[list[Piece], Ints]:
    """Return the pieces of a window that a macro reads, and the unit of a copy of each."""
    if layer.cut is None:
        pieces = whole_pieces(layer.layer, shares)
        return pieces, np.zeros(len(pieces), np.int64)
    every = pieces_of(layer.layer, layer.cut, shares)
    pieces = [one for one in every if held.row_tiles[0] <= one.row_tile < held.row_tiles[1]]
    tiles = list(dict.fromkeys((one.section, one.row_tile) for one in pieces))
    return pieces, np.array([tiles.index((one.section, one.row_tile)) for one in pieces])


def window_reads_of(stage: Stage, layer: ChipLayer, held: Held) -> Reads:
    """Return the reads of windows: copy by copy, piece by piece, word by word."""
    chip, own = stage.chip, layer.layer
    shares = chip.shares_of(layer.place)
    wide = own.in_channels // sum(shares) if own.kind == "fc" and len(shares) > 1 else 1
    maps = [map_of(own, each * wide, not own.providers) for each in shares]
    pieces, unit = pieces_in(layer, held, shares)
    units = int(unit.max()) + 1
    first, behind = held.copies
    pixel = np.arange(own.pixels)
    copy = pixel % layer.copies
    pixel = pixel[(copy >= first) & (copy < behind)]
    copy = pixel % layer.copies - first
    down, across = np.divmod(pixel, own.out_sides[1])
    row = down * own.strides[0] - own.paddings[0]
    column = across * own.strides[1] - own.paddings[1]
    count, images = len(pixel), stage.images
    shape = (images, count, len(pieces))
    ring = np.array([one.ring for one in pieces])
    each = np.array([list(one) for one in maps])[ring]
    rows, row_size, pixel_size, image_size = each.T
    kernel = np.array([one.kernel_row for one in pieces])
    begin = np.array([one.begin for one in pieces])
    length = np.array([one.length for one in pieces])
    at_row = row[:, np.newaxis] + kernel
    at = column[:, np.newaxis] * pixel_size + begin
    image = np.arange(images)[:, np.newaxis, np.newaxis] * image_size
    start = image + at_row * row_size + at
    inside = (at_row >= 0) & (at_row < rows)
    low = np.clip(-at, 0, length) + np.where(inside, 0, length)
    high = np.clip(row_size - at, 0, length)
    block = np.arange(images)[:, np.newaxis] * layer.blocks + pixel // layer.copies
    return cut_words(
        chip.word_elements,
        blocks=images * layer.blocks,
        block=np.broadcast_to(block[:, :, np.newaxis], shape),
        ring=np.broadcast_to(ring, shape),
        start=np.broadcast_to(start, shape),
        low=np.broadcast_to(low, shape),
        high=np.broadcast_to(high, shape),
        length=np.broadcast_to(length, shape),
        unit=np.broadcast_to(copy[:, np.newaxis] * units + unit, shape),
    )


def cut_words(
    word: int,
    *,
    blocks: int,
    block: Ints,
    ring: Ints,
    start: Ints,
    low: Ints,
    high: Ints,
    length: Ints,
    unit: Ints,
) -> Reads:
    """Return the reads of runs that begin at `start` of a stream, each as long as a word has it.

    low, high: of a run the first element that is wanted, and the one behind the last
    """
    block, ring, start, low, high, length, unit = (
        np.ravel(one) for one in (block, ring, start, low, high, length, unit)
    )
    place = start % word
    words = (place + length - 1) // word + 1
    run = np.repeat(np.arange(len(words)), words)
    number = np.arange(len(run)) - np.repeat(np.cumsum(words) - words, words)
    # Of a run: where the part in this word begins, and where it ends.
    from_run = np.maximum(0, number * word - place[run])
    to_run = np.minimum(length[run], (number + 1) * word - place[run])
    size = to_run - from_run
    behind = np.cumsum(size)
    count = np.bincount(block[run], minlength=blocks)
    before = np.concatenate(([0], np.cumsum(np.bincount(block[run], size, blocks))))
    return Reads(
        count=count,
        block=block[run],
        ring=ring[run],
        first=start[run] + np.maximum(from_run, low[run]),
        last=start[run] + np.minimum(to_run, high[run]) - 1,
        unit=unit[run],
        taken=behind - size - before[block[run]].astype(np.int64),
        length=size,
    )


def block_reads_of(stage: Stage, place: int, pixels: Ints, channels: int, ring: int = 0) -> Reads:
    """Return the reads of whole blocks that lie behind each other in a ring."""
    size = pixels * channels
    start = np.cumsum(size) - size
    block = np.arange(len(size))
    zero = np.zeros_like(size)
    return cut_words(
        stage.chip.word_elements,
        blocks=len(size),
        block=block,
        ring=zero + ring,
        start=start,
        low=zero,
        high=size,
        length=size,
        unit=zero,
    )
