"""Paths through the pipeline that every design must take, written in pixels.

A path enters a layer at the block that holds one output pixel and leaves it at the block that holds
another; between layers it follows a dependency. For a layer with D copies it takes
    (ceil(leave / D) - ceil(enter / D)) * steps from block to block + steps through one block,
whatever D is, because the provider's pixel that a path comes from is the least that any pixel from
`enter` on needs. The sum over the layers of a path is at most the steps of the image.
"""

from typing import NamedTuple

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Layout, ceil_div
from hwgen.model.crossbar.tables import CONV, FC, Floats, Ints, Tables
from hwgen.model.crossbar.timing import Pipeline, Times, provider_block


class Cut(NamedTuple):
    """One path: for each layer the output pixels (from 1) where it enters and leaves; 0: not on it.

    fixed: steps in layers without weights
    one, two: layers that convert in turns between two parts of the path, if they are a pair
    least: without `two`, steps that layer `one` is on the path if it is of interest at all
    reach: steps that other layers are on the path, as far as they count, where only designs in
        which the above is so are limited; `one` is -1 where all are
    """

    enter: Ints
    leave: Ints
    fixed: int
    one: int
    two: int
    least: float
    reach: Floats


@compiled
def least_needs(tables: Tables) -> Ints:
    """Return, in the form of `last_pixel`, the least pixel that this or any later pixel needs."""
    needs = tables.last_pixel.copy()
    for i in range(len(tables.kind)):
        start, end = tables.window_start[i], tables.window_start[i + 1]
        for place in range(end - 2, start - 1, -1):
            needs[place] = min(needs[place], needs[place + 1])
    return needs


@compiled
def needed_pixel(tables: Tables, needs: Ints, i: int, pixel: int, provider: int) -> int:
    """Return the provider's pixel that output pixel `pixel` (from 1) of layer i waits for."""
    if tables.kind[i] == FC:
        return int(tables.pixels[provider])
    return int(needs[tables.window_start[i] + pixel - 1])


@compiled
def passing(tables: Tables, i: int) -> int:
    """Return the least steps through a layer without weights."""
    return int(3 + tables.activated[i])


@compiled
def entry_block(
    tables: Tables, layout: Layout, pipeline: Pipeline, times: Times, i: int, block: int
) -> tuple[int, int]:
    """Return the block at which the critical path enters layer i, and whom it comes from, or -1.

    The path leaves the layer at `block`.
    """
    n = pipeline.length[i]
    per_block = pipeline.to_block[i, :n].max()
    through = pipeline.to_next[i, :n].sum()
    first = times.block_start[i]
    for k in range(block, -1, -1):
        ready, source = ready_at(tables, layout, times, i, k)
        if times.done[first + block] == ready + (block - k) * per_block + through:
            return k, source
    return 0, -1


@compiled
def ready_at(tables: Tables, layout: Layout, times: Times, i: int, block: int) -> tuple[int, int]:
    """Return when a block of layer i has all that it reads, and which provider is the last."""
    ready, source = 0, -1
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        done = times.done[times.block_start[p] + provider_block(tables, layout, i, block, p)]
        if source < 0 or done > ready:
            ready, source = done, p
    return ready, source


@compiled
def critical_cut(
    tables: Tables, needs: Ints, layout: Layout, pipeline: Pipeline, times: Times
) -> Cut:
    """Return the critical path of a design as a cut; `times` are those of the closed form."""
    cut = empty_cut(len(tables.kind))
    i = last_layer(tables, times)
    fixed, _ = trace(tables, needs, layout, pipeline, times, i, tables.pixels[i], -1, cut)
    return Cut(cut.enter, cut.leave, fixed, -1, -1, 0.0, cut.reach)


@compiled
def empty_cut(layers: int) -> Cut:
    """Return a path through nothing."""
    nowhere = np.zeros(layers, np.int64)
    return Cut(nowhere, nowhere.copy(), 0, -1, -1, 0.0, np.zeros(layers))


@compiled
def last_layer(tables: Tables, times: Times) -> int:
    """Return the layer that ends the image."""
    i, latest = -1, -(1 << 62)
    for j in range(len(tables.kind)):
        # What nobody waits for ends an image by the published count before it is through.
        if not tables.strict and tables.reader_start[j] < tables.reader_start[j + 1]:
            continue
        done = times.done[times.block_start[j + 1] - 1]
        if done > latest:
            i, latest = j, done
    return i


@compiled
def trace(
    tables: Tables,
    needs: Ints,
    layout: Layout,
    pipeline: Pipeline,
    times: Times,
    i: int,
    pixel: int,
    stop: int,
    cut: Cut,
) -> tuple[int, int]:
    """Write the critical path that leaves layer i at a pixel, back to layer `stop` or the image.

    Returns the steps in layers without weights, and the pixel at which it leaves the layer where it
    stopped.
    """
    fixed = 0
    while i >= 0 and i != stop:
        block = ceil_div(pixel, layout.copies[i]) - 1
        k, source = entry_block(tables, layout, pipeline, times, i, block)
        entered = pixel
        if tables.crossbars[i] > 0:
            if tables.kind[i] == CONV:
                entered = min(pixel, (k + 1) * layout.copies[i])
            cut.enter[i], cut.leave[i] = entered, pixel
        else:
            fixed += passing(tables, i)
        if source < 0:
            if tables.provider_start[i + 1] == tables.provider_start[i]:
                break
            source = tables.provider[tables.provider_start[i]]
        pixel = needed_pixel(tables, needs, i, entered, source)
        i = source
    return fixed, pixel
