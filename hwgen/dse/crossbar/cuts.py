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
from hwgen.model.crossbar.tables import CONV, FC, Ints, Tables
from hwgen.model.crossbar.timing import Pipeline, Times, provider_block


class Cut(NamedTuple):
    """One path: for each layer the output pixels (from 1) where it enters and leaves; 0: not on it.

    fixed: steps in layers without weights
    """

    enter: Ints
    leave: Ints
    fixed: int


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
        ready, source = 0, -1
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            done = times.done[times.block_start[p] + provider_block(tables, layout, i, k, p)]
            if done > ready:
                ready, source = done, p
        if times.done[first + block] == ready + (block - k) * per_block + through:
            return k, source
    return 0, -1


@compiled
def critical_cut(
    tables: Tables, needs: Ints, layout: Layout, pipeline: Pipeline, times: Times
) -> Cut:
    """Return the critical path of a design as a cut; `times` are those of the closed form."""
    count = len(tables.kind)
    enter, leave = np.zeros(count, np.int64), np.zeros(count, np.int64)
    i, latest = 0, -1
    for j in range(count):
        # What nobody waits for ends an image by the published count before it is through.
        if not tables.strict and tables.reader_start[j] < tables.reader_start[j + 1]:
            continue
        done = times.done[times.block_start[j + 1] - 1]
        if done > latest:
            i, latest = j, done
    pixel = tables.pixels[i]
    fixed = 0
    while i >= 0:
        block = ceil_div(pixel, layout.copies[i]) - 1
        k, source = entry_block(tables, layout, pipeline, times, i, block)
        if tables.crossbars[i] > 0:
            entered = pixel
            if tables.kind[i] == CONV:
                entered = min(pixel, (k + 1) * layout.copies[i])
            enter[i], leave[i] = entered, pixel
        else:
            entered = pixel
            fixed += passing(tables, i)
        if source < 0:
            if tables.provider_start[i + 1] == tables.provider_start[i]:
                break
            source = tables.provider[tables.provider_start[i]]
        pixel = needed_pixel(tables, needs, i, entered, source)
        i = source
    return Cut(enter, leave, fixed)
