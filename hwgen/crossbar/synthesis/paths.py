"""Paths through the pipeline that every design must take, written in pixels.

A path enters a layer at its first block that waits for a pixel of its provider, and leaves it at
the block that holds an output pixel; that pixel is what the next layer on the path waits for. So
for a layer with D copies it takes
    (block of `leave` - first block that needs `wait`) * steps from block to block
    + steps through one block.
Blocks end within rows or at their ends, so the last rows ask for less than those before, and what a
block waits for depends on D. A path is chosen such that for every D there is a block that waits,
and is not behind that which is left. The sum over the layers of a path is at most the steps of the
image.

Two layers that share their macros convert one after the other. If the last block of the one waits
for all of the other, an image takes at least the way to the first, all conversions of both, and the
way from the last one to the end (`turn_cut`).
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.pipeline import Pipeline
from hwgen.crossbar.model.tables import CONV, FC, Floats, Ints, Tables
from hwgen.crossbar.model.timing import (
    block_starts,
    closed_done,
    needed_blocks,
    provider_block,
    slowest_gaps,
)
from hwgen.crossbar.model.traffic import ceil_div
from hwgen.crossbar.synthesis.sharing import followed, followers_in

PASSING = 3
"""Steps through a layer without weights: it loads, works and stores."""

NEVER = -(1 << 40)


@opaque
class Cut(NamedTuple):
    """One path; for each layer pixels from 1, 0 where it is not on the path.

    leave: the output pixel at which the path leaves it
    wait: the provider's pixel that it waits for; 0: for none
    enter, safe: the first output pixel that needs `wait`, and the first from which on all do
    past: 1 where it goes on through all that follow the layer, see `sharing`
    fixed: steps in other layers without weights
    one, two: layers that convert in turns between two parts of the path, if they are a pair
    least: without `two`, steps that layer `one` is on the path if it is of interest at all
    reach: steps that other layers are on the path, as far as they count, where only designs in
        which the above is so are limited; `one` is -1 where all are
    """

    leave: Ints
    wait: Ints
    enter: Ints
    safe: Ints
    past: Ints
    fixed: int
    one: int
    two: int
    least: float
    reach: Floats


@opaque
class Needs(NamedTuple):
    """In the form of `last_pixel`, what a pixel needs of its provider, or others do.

    later: the least of this pixel and all later ones; earlier: the most of all up to this one
    """

    later: Ints
    earlier: Ints


@opaque
class Way(NamedTuple):
    """A design, and when its blocks are done by the closed form (`done`, from `starts` on).

    needs: of its tables
    """

    tables: Tables
    needs: Needs
    layout: Layout
    pipeline: Pipeline
    starts: Ints
    done: Ints


@compiled
def way_of(tables: Tables, needs: Needs, layout: Layout, pipeline: Pipeline) -> Way:
    """Return when the blocks of a design are done, where they follow each other at their pace."""
    done = closed_done(tables, layout, pipeline, needed_blocks(tables, layout))
    return Way(tables, needs, layout, pipeline, block_starts(layout), done)


@compiled
def make_needs(tables: Tables) -> Needs:
    """Return what pixels need of providers."""
    later, earlier = tables.last_pixel.copy(), tables.last_pixel.copy()
    for i in range(len(tables.kind)):
        start, end = tables.window_start[i], tables.window_start[i + 1]
        for place in range(end - 2, start - 1, -1):
            later[place] = min(later[place], later[place + 1])
        for place in range(start + 1, end):
            earlier[place] = max(earlier[place], earlier[place - 1])
    return Needs(later, earlier)


@compiled
def surely_needed(tables: Tables, needs: Needs, i: int, pixel: int, provider: int) -> int:
    """Return the provider's pixel that any block with a pixel of layer i waits for at least."""
    if tables.kind[i] == FC:
        return int(tables.pixels[provider])
    needed = needs.later[tables.window_start[i] + pixel - 1]
    return int(min(needed, tables.pixels[provider]))


@compiled
def needed_pixel(tables: Tables, needs: Needs, i: int, end: int, leave: int) -> int:
    """Return the provider's pixel that a convolution waits for on a path that leaves it at `leave`.

    end: the last pixel of the block at which a design's path enters
    """
    start = tables.window_start[i]
    needed = tables.last_pixel[start + end - 1]
    for_all = needs.later[start + leave - 1]
    if leave == tables.pixels[i]:
        for_all = tables.last_pixel[start + leave - 1]
    return int(needed if needed <= for_all else needs.later[start + min(end, leave) - 1])


@compiled
def wait_at(tables: Tables, needs: Needs, i: int, wait: int, leave: int, cut: Cut) -> None:
    """Put a layer with weights on a path."""
    cut.leave[i], cut.wait[i] = leave, wait
    cut.enter[i] = cut.safe[i] = 1
    if wait > 0:
        start, end = tables.window_start[i], tables.window_start[i + 1]
        cut.enter[i] = np.searchsorted(needs.earlier[start:end], wait) + 1
        cut.safe[i] = np.searchsorted(needs.later[start:end], wait) + 1


@compiled
def blocks_between(last_pixel: Ints, copies: int, wait: int, enter: int, leave: int) -> int:
    """Return the blocks that a path goes on for in a layer after the first one that waits.

    last_pixel: of the layer; the others as in `Cut`
    """
    last = (leave - 1) // copies
    block = (enter - 1) // copies
    while block < last and last_pixel[min(len(last_pixel), (block + 1) * copies) - 1] < wait:
        block += 1
    return int(last - block)


@compiled
def needs_all(tables: Tables, i: int, provider: int) -> bool:
    """Return whether the last block of layer i waits for the last one of a provider.

    A stride may leave out the last pixels of a map; they come when they like.
    """
    if tables.kind[i] == FC:
        return True
    return bool(tables.last_pixel[tables.window_start[i + 1] - 1] >= tables.pixels[provider])


@compiled
def passing(tables: Tables, i: int) -> int:
    """Return the least steps through a layer without weights."""
    return int(PASSING + tables.activated[i])


@compiled
def entry_block(way: Way, i: int, block: int) -> tuple[int, int]:
    """Return the block at which the critical path enters layer i, and whom it comes from, or -1.

    The path leaves the layer at `block`. Before that, blocks follow each other as fast as they can.
    """
    pipeline = way.pipeline
    per_block = pipeline.to_block[i, : pipeline.length[i]].max()
    done = way.done[way.starts[i] : way.starts[i + 1]]
    k = block
    while k > 0 and done[k] == done[k - 1] + per_block:
        k -= 1
    return k, ready_at(way, i, k)[1]


@compiled
def ready_at(way: Way, i: int, block: int) -> tuple[int, int]:
    """Return when a block of layer i has all that it reads, and which provider is the last."""
    tables = way.tables
    ready, source = 0, -1
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        done = way.done[way.starts[p] + provider_block(tables, way.layout, i, block, p)]
        if source < 0 or done > ready:
            ready, source = done, p
    return ready, source


@compiled
def critical_cut(way: Way) -> Cut:
    """Return the critical path of a design as a cut."""
    cut = empty_cut(len(way.tables.kind))
    i = last_layer(way)
    fixed, _ = trace(way, i, way.tables.pixels[i], -1, cut)
    return with_steps(cut, fixed, -1, -1)


@compiled
def empty_cut(layers: int) -> Cut:
    """Return a path through nothing."""
    rows = np.zeros((5, layers), np.int64)
    return Cut(rows[0], rows[1], rows[2], rows[3], rows[4], 0, -1, -1, 0.0, np.zeros(layers))


@compiled
def with_steps(cut: Cut, fixed: int, one: int, two: int) -> Cut:
    """Return a path with its steps in layers without weights, and the layers that take turns."""
    arrays = (cut.leave, cut.wait, cut.enter, cut.safe, cut.past)
    return Cut(*arrays, fixed, one, two, 0.0, cut.reach)


@compiled
def last_layer(way: Way) -> int:
    """Return the layer that ends the image."""
    tables = way.tables
    i, latest = -1, -(1 << 62)
    for j in range(len(tables.kind)):
        # What nobody waits for ends an image by the published count before it is through.
        if not tables.rules.registers and tables.reader_start[j] < tables.reader_start[j + 1]:
            continue
        done = way.done[way.starts[j + 1] - 1]
        if done > latest:
            i, latest = j, done
    return i


@compiled
def trace(way: Way, i: int, pixel: int, stop: int, cut: Cut) -> tuple[int, int]:
    """Write the critical path that leaves layer i at a pixel, back to layer `stop` or the image.

    Returns the steps in layers without weights, and the pixel at which it leaves the layer where it
    stopped.
    """
    tables, needs, layout = way.tables, way.needs, way.layout
    fixed = 0
    followers = waiting = 0
    while i >= 0 and i != stop:
        block = ceil_div(pixel, layout.copies[i]) - 1
        k, source = entry_block(way, i, block)
        if source < 0 and tables.provider_start[i + 1] > tables.provider_start[i]:
            source = tables.provider[tables.provider_start[i]]
        needed = 0
        if source >= 0 and tables.kind[i] == CONV:
            end = min(tables.pixels[i], (k + 1) * layout.copies[i])
            needed = needed_pixel(tables, needs, i, end, pixel)
        elif source >= 0:
            needed = surely_needed(tables, needs, i, pixel, source)
        if tables.crossbars[i] > 0:
            wait_at(tables, needs, i, needed if tables.kind[i] == CONV else 0, pixel, cut)
            if tables.rules.one_port and followers == followers_in(tables, i):
                cut.past[i] = 1
            else:
                fixed += waiting
            followers = waiting = 0
        elif followed(tables, i) >= 0:
            followers += 1
            waiting += passing(tables, i)
        else:
            fixed += passing(tables, i)
        pixel = needed
        i = source
    return fixed + waiting, pixel


@compiled
def waiting(tables: Tables) -> Ints:
    """Return [j, i]: 1 if the last block of layer j waits for that of layer i, or i is j.

    Then every block of layer j waits for the first one of layer i too.
    """
    count = len(tables.kind)
    waits = np.eye(count).astype(np.int64)
    for j in range(count):
        for e in range(tables.provider_start[j], tables.provider_start[j + 1]):
            p = tables.provider[e]
            if needs_all(tables, j, p):
                waits[j] = np.maximum(waits[j], waits[p])
    return waits


@compiled
def way_after(way: Way, start: int) -> Way:
    """Return when blocks are done if the last one of layer `start` is done at 0, and nothing else.

    What does not wait for that block is done long before.
    """
    tables, layout, pipeline, starts = way.tables, way.layout, way.pipeline, way.starts
    done = np.full(len(way.done), NEVER)
    done[starts[start + 1] - 1] = 0
    gaps = slowest_gaps(pipeline)
    for i in range(start + 1, len(tables.kind)):
        through = pipeline.to_next[i, : pipeline.length[i]].sum()
        last = NEVER
        for block in range(layout.blocks[i]):
            ready = NEVER
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                p = tables.provider[e]
                if p == start and not needs_last(tables, layout, i, block, p):
                    continue
                place = starts[p] + provider_block(tables, layout, i, block, p)
                ready = max(ready, done[place])
            last = max(NEVER, last + gaps[i], ready)
            if last > NEVER // 2:
                done[starts[i] + block] = last + through
    return Way(tables, way.needs, layout, pipeline, starts, done)


@compiled
def needs_last(tables: Tables, layout: Layout, i: int, block: int, provider: int) -> bool:
    """Return whether a block of layer i needs the last pixel of a provider."""
    if tables.kind[i] == FC:
        return True
    pixel = min(tables.pixels[i], (block + 1) * layout.copies[i]) - 1
    needed = tables.last_pixel[tables.window_start[i] + pixel]
    return bool(needed >= tables.pixels[provider])


@compiled
def turn_cut(way: Way, one: int, two: int) -> Cut:
    """Return the path of a design to the first block of layer `one` and from the last of `two`."""
    tables = way.tables
    cut = empty_cut(len(tables.kind))
    fixed = 0
    _, source = ready_at(way, one, 0)
    if source >= 0:
        pixel = surely_needed(tables, way.needs, one, 1, source)
        more, _ = trace(way, source, pixel, -1, cut)
        fixed += more
    after = way_after(way, two)
    end = last_layer(after)
    if end > two and after.done[after.starts[end + 1] - 1] > NEVER // 2:
        tail = empty_cut(len(tables.kind))
        pixel = tables.pixels[end]
        more, pixel = trace(after, end, pixel, two, tail)
        # A stride may skip what comes last: later pixels then need less than earlier ones.
        if pixel == tables.pixels[two]:
            fixed += more
            cut.leave[two + 1 :] = tail.leave[two + 1 :]
            cut.wait[two + 1 :] = tail.wait[two + 1 :]
            cut.enter[two + 1 :] = tail.enter[two + 1 :]
            cut.safe[two + 1 :] = tail.safe[two + 1 :]
            cut.past[two + 1 :] = tail.past[two + 1 :]
    return with_steps(cut, fixed, one, two)
