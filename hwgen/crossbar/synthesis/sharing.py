"""What else asks for the port of a layer's scratchpads, at least, and what follows the layer.

A layer without weights works on the macro where its provider stores, through the same port. If it
has no other provider, and the provider no other reader, it *follows*.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import followed_blocks
from hwgen.crossbar.model.tables import CONV, FC, Ints, Tables
from hwgen.crossbar.model.traffic import block_reads, block_words, ceil_div, image_pixels
from hwgen.crossbar.synthesis.nodes import Node, fewest_copies


@opaque
class Followers(NamedTuple):
    """The layers that follow a layer with weights, for a span of its copies.

    reads, words: accesses of a load and of a store for a block, at least; most_reads, most_words
    sent: 1 where results go to another macro, unless a reader is in the only one
    pooled, activated: clocks of a pooling and of an activation, at least; 0: there is none
    leaves: 1 where results leave the chip
    elements: of a block of results, at least
    """

    reads: Ints
    words: Ints
    most_reads: Ints
    most_words: Ints
    sent: Ints
    pooled: Ints
    activated: Ints
    elements: Ints
    leaves: Ints


@opaque
class Sharing(NamedTuple):
    """What comes to the scratchpads of a layer besides its own loads and stores, for a block.

    image: new pixels of the image in some block, at least
    received: words from providers, at least, if none is in its only macro
    """

    image: int
    received: int
    followers: Followers


@compiled
def leader(tables: Tables, i: int) -> int:
    """Return the only provider of a layer without weights, if nothing else reads it; else -1."""
    start = tables.provider_start[i]
    if tables.crossbars[i] > 0 or tables.provider_start[i + 1] != start + 1:
        return -1
    p = tables.provider[start]
    if tables.reader_start[p + 1] != tables.reader_start[p] + 1:
        return -1
    return int(p)


@compiled
def followed(tables: Tables, i: int) -> int:
    """Return the layer with weights that a layer without follows through others; -1: none."""
    p = leader(tables, i)
    while p >= 0 and tables.crossbars[p] == 0:
        p = leader(tables, p)
    return p


@compiled
def followers_in(tables: Tables, i: int) -> int:
    """Return how many layers follow layer i."""
    count = 0
    for f in range(i + 1, len(tables.kind)):
        if followed(tables, f) == i:
            count += 1
    return count


@compiled
def most_blocks(tables: Tables, node: Node) -> Ints:
    """Return the most blocks of each layer of a design within a node."""
    count = len(tables.kind)
    blocks = np.ones(count, np.int64)
    for i in range(count):
        if tables.kind[i] == CONV:
            blocks[i] = ceil_div(tables.pixels[i], fewest_copies(tables, i, node.steps_high))
        elif tables.kind[i] != FC:
            most = 1
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                most = max(most, blocks[tables.provider[e]])
            blocks[i] = followed_blocks(tables, i, most)
    return blocks


@compiled
def least_received(tables: Tables, i: int, blocks: Ints) -> int:
    """Return the least words of a block of all providers of layer i; blocks: see `most_blocks`.

    A provider that works on the image may be in the only macro of layer i.
    """
    words = 0
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        if not is_beside_image(tables, p):
            words += block_words(tables, p, ceil_div(tables.pixels[p], blocks[p]))
    return words


@compiled
def is_beside_image(tables: Tables, i: int) -> bool:
    """Return whether layer i works where the image enters: no layer with weights is before it."""
    while tables.crossbars[i] == 0:
        if tables.provider_start[i] == tables.provider_start[i + 1]:
            return True
        i = tables.provider[tables.provider_start[i]]
    return False


@compiled
def least_image(tables: Tables, i: int, copies: int, upto: int) -> int:
    """Return the least new pixels of the image of some block with `copies` to `upto` copies."""
    if tables.image[i] == 0:
        return 0
    least = image_pixels(tables, i, copies)
    for each in range(copies + 1, upto + 1):
        least = min(least, image_pixels(tables, i, each))
    return int(least)


@compiled
def is_sent(tables: Tables, i: int) -> int:
    """Return 1 if a layer with weights reads layer i."""
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        if tables.crossbars[tables.reader[e]] > 0:
            return 1
    return 0


@compiled
def followers_of(tables: Tables, i: int, copies: int, upto: int) -> Followers:
    """Return the layers that follow layer i with `copies` to `upto` copies."""
    rows = np.zeros((9, len(tables.kind)), np.int64)
    fewest, most = np.zeros((2, len(tables.kind)), np.int64)
    fewest[i], most[i] = ceil_div(tables.pixels[i], upto), ceil_div(tables.pixels[i], copies)
    n = 0
    for f in range(i + 1, len(tables.kind)):
        if followed(tables, f) != i:
            continue
        # A map may have more pixels than the one that it is made of, but no more blocks.
        pixels, read = tables.pixels[f], leader(tables, f)
        fewest[f] = followed_blocks(tables, f, fewest[read])
        most[f] = followed_blocks(tables, f, most[read])
        low, high = ceil_div(pixels, most[f]), ceil_div(pixels, fewest[f])
        rows[0, n], rows[1, n] = block_reads(tables, f, low), block_words(tables, f, low)
        rows[2, n], rows[3, n] = block_reads(tables, f, high), block_words(tables, f, high)
        rows[4, n], rows[5, n] = is_sent(tables, f), low * tables.pool_clocks[f]
        if tables.activated[f] > 0:
            rows[6, n] = ceil_div(low * tables.cout[f], tables.out_word[f])
        rows[7, n] = low * tables.cout[f]
        rows[8, n] = 1 if tables.reader_start[f] == tables.reader_start[f + 1] else 0
        n += 1
    return Followers(
        rows[0, :n],
        rows[1, :n],
        rows[2, :n],
        rows[3, :n],
        rows[4, :n],
        rows[5, :n],
        rows[6, :n],
        rows[7, :n],
        rows[8, :n],
    )


@compiled
def sharing_of(tables: Tables, i: int, copies: int, upto: int, received: int) -> Sharing:
    """Return what comes to the scratchpads of layer i with `copies` to `upto` copies."""
    image = least_image(tables, i, copies, upto)
    return Sharing(image, received, followers_of(tables, i, copies, upto))
