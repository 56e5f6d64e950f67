"""What the scratchpads of a layer hold at least."""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.buffers import (
    PUBLISHED_FILL,
    published_first,
    published_last,
    shape_of,
    widest_window,
)
from hwgen.crossbar.model.tables import DATA_BITS, FC, KILOBYTES, Floats, Ints, Tables
from hwgen.crossbar.model.traffic import ceil_div
from hwgen.crossbar.synthesis.nodes import most_copies
from hwgen.crossbar.synthesis.paths import Needs, make_needs


@compiled
def least_inputs(tables: Tables, i: int, copies: int, split: bool) -> float:
    """Return the least input elements that layer i holds at a time in all scratchpads together.

    split: over several macros; the published code then looks at the copies of one of them, here as
    few as there can be
    """
    blocks = ceil_div(tables.pixels[i], copies)
    if tables.rules.send_once and tables.kind[i] != FC:
        window = widest_window(tables, i, copies, blocks)
        return float(window * read_channels(tables, i, False) + read_channels(tables, i, True))
    most = 0.0
    shape = shape_of(tables, i)
    for block in range(blocks):
        contents = 0.0
        begin = block * copies
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            if tables.kind[i] == FC:
                pixels = tables.pixels[p]
            else:
                last = published_last(shape, tables.side[p], begin + copies)
                for share in range(1, copies if split else 1):
                    last = min(last, published_last(shape, tables.side[p], begin + share))
                pixels = last - published_first(shape, tables.side[p], begin)
            contents += pixels * tables.cout[p]
        most = max(most, contents)
    return most


@compiled
def read_channels(tables: Tables, i: int, single: bool) -> int:
    """Return the channels of the providers of layer i of a single pixel, or of all others."""
    channels = 0
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        if (tables.pixels[p] == 1) == single:
            channels += tables.cout[p]
    return channels


@opaque
class Contents(NamedTuple):
    """Elements that layers hold at least: of layer i with D copies at begin[i] + D.

    Inputs count even where they wait as outputs of a provider in the same macro: those are more.

    whole: inputs in a single macro; split: in several, all together
    outputs: that wait for readers; by strict rules also those of the layers without weights that
        follow it and nothing else, which are in the same macro
    following: inputs and outputs of such a layer, of the one that holds most
    """

    begin: Ints
    whole: Floats
    split: Floats
    outputs: Floats
    following: Floats


@compiled
def make_contents(tables: Tables) -> Contents:
    """Return what layers hold for every number of copies that the budget holds."""
    layers = len(tables.kind)
    begin = np.zeros(layers + 1, np.int64)
    for i in range(layers):
        size = most_copies(tables, i) + 1 if tables.crossbars[i] > 0 else 0
        begin[i + 1] = begin[i] + size
    whole, split = np.zeros(begin[-1]), np.zeros(begin[-1])
    outputs, following = np.zeros(begin[-1]), np.zeros(begin[-1])
    needs = make_needs(tables)
    released = [released_by_readers(tables, needs, i) for i in range(layers)]
    for i in range(layers):
        for copies in range(1, begin[i + 1] - begin[i]):
            place = begin[i] + copies
            whole[place] = least_inputs(tables, i, copies, False)
            split[place] = whole[place]
            if not tables.rules.send_once:
                split[place] = least_inputs(tables, i, copies, True)
            following[place], behind = least_behind(tables, i, copies, released)
            outputs[place] = least_outputs(tables, i, copies, released[i])
            if tables.rules.send_once:
                outputs[place] += behind
    return Contents(begin, whole, split, outputs, following)


@compiled
def released_by_readers(tables: Tables, needs: Needs, i: int) -> Ints:
    """Return [n]: the most outputs that readers may have let go before more than n are stored.

    By the published rules any reader lets go for all, by strict rules the last one does; where
    pixels are sent once, only readers in the same macro count. A block begins a step after all of
    its inputs are stored, or later.
    """
    pixels = tables.pixels[i]
    released = np.zeros(pixels + 1, np.int64)
    if tables.rules.send_once:
        released = np.arange(pixels + 1)
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        j = tables.reader[e]
        if tables.rules.send_once and not surely_beside(tables, i, j):
            continue
        own = np.zeros(pixels + 1, np.int64)
        if tables.kind[j] != FC:
            let_go(tables, needs, i, j, own)
        if tables.rules.send_once:
            released = np.minimum(released, own)
        else:
            released = np.maximum(released, own)
    return released


@compiled
def surely_beside(tables: Tables, i: int, reader: int) -> bool:
    """Return whether a reader of layer i works where its outputs are: it has no weights."""
    first = tables.provider_start[reader]
    return bool(tables.crossbars[reader] == 0 and tables.provider[first] == i)


@compiled
def let_go(tables: Tables, needs: Needs, i: int, j: int, own: Ints) -> None:
    """Write what reader j needs no more of layer i when so many outputs are stored."""
    start, end = tables.window_start[j], tables.window_start[j + 1]
    # A block that begins with a pixel ends with that or a later one.
    later = needs.later[start:end]
    shape, pixel, most = shape_of(tables, j), 0, 0
    for stored in range(len(own)):
        while pixel < len(later) and later[pixel] <= stored:
            if tables.rules.send_once:
                most = max(most, min(tables.first_pixel[start + pixel], tables.pixels[i]) - 1)
            else:
                most = max(most, published_first(shape, tables.side[i], pixel))
            pixel += 1
        own[stored] = most


@compiled
def least_outputs(tables: Tables, i: int, copies: int, released: Ints) -> float:
    """Return the least output elements of layer i that wait for its readers at a time."""
    pixels, most = tables.pixels[i], 0
    for block in range(ceil_div(pixels, copies)):
        stored = (block + 1) * copies
        if tables.rules.send_once:
            stored = min(stored, pixels)
        most = max(most, stored - released[min(pixels, block * copies)])
    if tables.rules.send_once and tables.reader_start[i] == tables.reader_start[i + 1]:
        return 0.0
    return float(most * tables.cout[i])


@compiled
def least_behind(tables: Tables, i: int, copies: int, released: list[Ints]) -> tuple[float, float]:
    """Return what layers without weights hold that read layer i and nothing else.

    Their blocks are as many as those of layer i, see `design.spread`.

    Returns inputs and outputs of the one that holds most, and the outputs of all.
    """
    most, all_outputs = 0.0, 0.0
    blocks = np.zeros(len(tables.kind), np.int64)
    blocks[i] = ceil_div(tables.pixels[i], copies)
    for j in range(i + 1, len(tables.kind)):
        first = tables.provider_start[j]
        if tables.crossbars[j] > 0 or tables.provider_start[j + 1] != first + 1:
            continue
        before = blocks[tables.provider[first]]
        if before == 0:
            continue
        blocks[j] = min(before, tables.pixels[j])
        own = ceil_div(tables.pixels[j], blocks[j])
        outputs = least_outputs(tables, j, own, released[j])
        most = max(most, least_inputs(tables, j, own, False) + outputs)
        all_outputs += outputs
    return most, all_outputs


@compiled
def capacity_elements(tables: Tables, memory: int) -> float:
    """Return how many elements the scratchpads hold by these rules."""
    fill = 1.0 if tables.rules.send_once else PUBLISHED_FILL
    return float(tables.memories[memory, KILOBYTES] * 1024 * 8 / tables.scalars[DATA_BITS] / fill)
