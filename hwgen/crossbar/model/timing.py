"""When every operation of every block starts: the closed form (no queue, no events).

Without conflicts a layer is a line in the max-plus algebra. With io the delay from an operation to
the next, and P the delay from a block to the next, operation o of block c starts at
    sum(io before o) + max over k <= c of (dep(k) + (c - k) * max(P up to o)),
where dep(k) is when all that block k reads is there. One running maximum a layer and operation.
Links of the mesh and ADCs that two layers share are not looked at: a design with such conflicts
can only be slower (`hwgen.crossbar.model.exact`).
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.needed import Needed, block_starts, needed_blocks
from hwgen.crossbar.model.pipeline import CONVERT, LOAD, STORE, Pipeline
from hwgen.crossbar.model.registers import make_registers, step_through, waits_of
from hwgen.crossbar.model.tables import (
    Ints,
    Tables,
)


@opaque
class Times(NamedTuple):
    """Steps at which things happen; lists of blocks, layer after layer, from block_start[i].

    adc: -1 where a layer has none
    order: what comes first, all loads in the same list before all stores; within a step the closed
        form takes loads before stores
    done: first step at which a reader may use a block
    end: steps of the whole image
    interval: steps from one image to the next in a steady stream
    """

    block_start: Ints
    load: Ints
    adc: Ints
    store: Ints
    order: Ints
    done: Ints
    end: int
    interval: int


@compiled
def closed_form(tables: Tables, layout: Layout, pipeline: Pipeline) -> Times:
    """Return all times without conflicts; a lower bound of the exact ones."""
    starts, needed = block_starts(layout), needed_blocks(tables, layout)
    total = starts[-1]
    load, adc = np.empty(total, np.int64), np.full(total, -1)
    store, done = np.empty(total, np.int64), np.empty(total, np.int64)
    edges = tables.provider_start, tables.provider
    waits, registers = waits_of(pipeline), make_registers(pipeline)
    for i in range(len(tables.kind)):
        own = slice(starts[i], starts[i + 1])
        ready = ready_times(*edges, starts, needed, done, i)
        if tables.rules.registers:
            times = load[own], adc[own], store[own], done[own]
            step_through(pipeline, waits, registers, i, ready, *times)
            continue
        gap, after = 0, 0
        for k in range(pipeline.length[i]):
            gap = max(gap, pipeline.to_block[i, k])
            what = pipeline.operation[i, k]
            if what == LOAD:
                follow(ready, gap, after, load[own])
            elif what == CONVERT:
                follow(ready, gap, after, adc[own])
            elif what == STORE:
                follow(ready, gap, after, store[own])
            after += pipeline.to_next[i, k]
        follow(ready, gap, after, done[own])
    end, interval = end_of(tables, pipeline, starts, done), interval_alone(layout, pipeline)
    return Times(starts, load, adc, store, order_of(load, store), done, end, interval)


@compiled
def closed_done(tables: Tables, layout: Layout, pipeline: Pipeline, needed: Needed) -> Ints:
    """Return `Times.done` of the closed form alone, in a part of its time."""
    starts = block_starts(layout)
    done = np.empty(starts[-1], np.int64)
    edges, gaps = (tables.provider_start, tables.provider), slowest_gaps(pipeline)
    for i in range(len(tables.kind)):
        ready = ready_times(*edges, starts, needed, done, i)
        after = pipeline.to_next[i, : pipeline.length[i]].sum()
        follow(ready, gaps[i], after, done[starts[i] : starts[i + 1]])
    return done


@compiled
def ready_times(
    provider_start: Ints, provider: Ints, starts: Ints, needed: Needed, done: Ints, i: int
) -> Ints:
    """Return when all that each block of layer i reads is there."""
    blocks = starts[i + 1] - starts[i]
    ready = np.zeros(blocks, np.int64)
    for e in range(provider_start[i], provider_start[i + 1]):
        first, start = needed.first[e], starts[provider[e]]
        for block in range(blocks):
            ready[block] = max(ready[block], done[start + needed.block[first + block]])
    return ready


@compiled
def follow(ready: Ints, gap: int, after: int, times: Ints) -> None:
    """Fill in `times` when each block is `after` steps behind its beginning, `gap` apart."""
    last = ready[0]
    for block in range(len(ready)):
        last = max(last, ready[block])
        times[block] = last + after
        last += gap


@compiled
def slowest_gaps(pipeline: Pipeline) -> Ints:
    """Return the steps from a block to the next of each layer, where nothing else is waited for."""
    gaps = np.zeros(len(pipeline.length), np.int64)
    for i in range(len(gaps)):
        for k in range(pipeline.length[i]):
            gaps[i] = max(gaps[i], pipeline.to_block[i, k])
    return gaps


@compiled
def order_of(load: Ints, store: Ints) -> Ints:
    """Return `Times.order` where nothing is known but steps."""
    return np.concatenate((2 * load, 2 * store + 1))


@compiled
def interval_alone(layout: Layout, pipeline: Pipeline) -> int:
    """Return the steps from one image to the next if no layers share ADCs: of the slowest layer."""
    return int((layout.blocks * slowest_gaps(pipeline)).max())


@compiled
def end_of(tables: Tables, pipeline: Pipeline, starts: Ints, done: Ints) -> int:
    """Return the steps of an image from when all blocks are done; starts: see `block_starts`.

    The published count stops where the last operation starts.
    """
    end = 0
    for i in range(len(tables.kind)):
        last = 0 if tables.rules.registers else pipeline.to_next[i, pipeline.length[i] - 1] - 1
        end = max(end, done[starts[i + 1] - 1] - last)
    return end
