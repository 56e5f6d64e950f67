"""When every operation of every block starts: the closed form (no queue, no events).

Without conflicts a layer is a line in the max-plus algebra. With io the delay from an operation to
the next, and P the delay from a block to the next, operation o of block c starts at
    sum(io before o) + max over k <= c of (dep(k) + (c - k) * max(P up to o)),
where dep(k) is when all that block k reads is there. One running maximum a layer and operation.
Links of the mesh and ADCs that two layers share are not looked at: a design with such conflicts
can only be slower (`conflicts`, `exact`).

Where blocks wait for registers (see `Pipeline.own` and `back`), an operation of a block starts
after the operation before it, after the same one of the last block, and when the next one of the
last block has freed its registers. Products wait for the additions of the block before the last
one, which free a bank of accumulators. What is not waited for is a delay from `FAR_PAST`, so that a
block is one chain of maxima without a branch.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.pipeline import ADD, CONVERT, LOAD, MVM, STORE, Pipeline
from hwgen.crossbar.model.tables import FC, Ints, Tables
from hwgen.crossbar.model.traffic import ceil_div

FAR_PAST = -(1 << 40)
"""Before anything that is waited for, with any delay."""


@opaque
class Needed(NamedTuple):
    """The last block of a provider that each block needs.

    Edge e of `tables.provider`, and block b of the layer that reads: block[first[e] + b].
    """

    first: Ints
    block: Ints


@compiled
def provider_block(tables: Tables, layout: Layout, i: int, block: int, provider: int) -> int:
    """Return the last block of a provider that a block of layer i needs."""
    if tables.kind[i] == FC:
        return int(layout.blocks[provider] - 1)
    pixel = min(tables.pixels[i], (block + 1) * layout.copies[i]) - 1
    needed = min(tables.last_pixel[tables.window_start[i] + pixel], tables.pixels[provider])
    return ceil_div(needed, layout.copies[provider]) - 1


@compiled
def needed_blocks(tables: Tables, layout: Layout) -> Needed:
    """Return `provider_block` of all edges and blocks; short divisions take a third of the time."""
    edges = len(tables.provider)
    first = np.zeros(edges + 1, np.int64)
    for i in range(len(tables.kind)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            first[e + 1] = first[e] + layout.blocks[i]
    block = np.empty(first[-1], np.int64)
    for i in range(len(tables.kind)):
        window, copies, pixels = tables.window_start[i], layout.copies[i], tables.pixels[i]
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            provider = tables.provider[e]
            if tables.kind[i] == FC:
                block[first[e] : first[e + 1]] = layout.blocks[provider] - 1
                continue
            at_once = np.uint32(layout.copies[provider])
            for b in range(layout.blocks[i]):
                last = tables.last_pixel[window + min(pixels, (b + 1) * copies) - 1]
                block[first[e] + b] = np.uint32(min(last, tables.pixels[provider]) - 1) // at_once
    return Needed(first, block)


@compiled
def block_starts(layout: Layout) -> Ints:
    """Return where the blocks of each layer begin in a list of all blocks."""
    starts = np.zeros(len(layout.blocks) + 1, np.int64)
    for i in range(len(layout.blocks)):
        starts[i + 1] = starts[i] + layout.blocks[i]
    return starts


class Waits(NamedTuple):
    """What the operations of each layer (rows) in order (columns) wait for.

    before: delay from the operation before; 0 for the first
    own: delay from the same operation of the last block
    back: delay from the next operation of the last block
    bank: delay from the addition of the block before the last one
    adds: places of additions, by layer; -1: none
    """

    before: Ints
    own: Ints
    back: Ints
    bank: Ints
    adds: Ints


@compiled
def waits_of(pipeline: Pipeline) -> Waits:
    """Return what operations wait for, from their delays."""
    layers, operations = pipeline.steps.shape
    before = np.zeros((layers, operations), np.int64)
    before[:, 1:] = pipeline.to_next[:, :-1]
    back, bank = np.full_like(before, FAR_PAST), np.full_like(before, FAR_PAST)
    adds = np.full(layers, -1)
    for i in range(layers):
        for k in range(pipeline.length[i]):
            if pipeline.back[i, k] > 0:
                back[i, k] = pipeline.back[i, k]
            if pipeline.operation[i, k] == MVM:
                bank[i, k] = 1
            elif pipeline.operation[i, k] == ADD:
                adds[i] = k
    return Waits(before, pipeline.own, back, bank, adds)


class Registers(NamedTuple):
    """When the operations of the last two blocks of each layer start.

    starts: (2, layers, operations and one more), of blocks with even and with odd numbers
    banks: (2, layers), their additions
    """

    starts: Ints
    banks: Ints


@compiled
def make_registers(pipeline: Pipeline) -> Registers:
    """Return registers in which nothing is yet."""
    layers, operations = pipeline.steps.shape
    starts = np.full((2, layers, operations + 1), FAR_PAST)
    return Registers(starts, np.full((2, layers), FAR_PAST))


@inlined
def advance(
    waits: Waits, registers: Registers, i: int, block: int, first: int, end: int, ready: int
) -> None:
    """Fill in when the operations from `first` to `end` of a block of layer i start.

    ready: when all that the block reads is there, or when the operation before `first` starts
    """
    now, last = registers.starts[block & 1, i], registers.starts[1 - (block & 1), i]
    then, freed = ready, registers.banks[block & 1, i]
    for k in range(first, end):
        then = max(then + waits.before[i, k], last[k] + waits.own[i, k])
        now[k] = then = max(then, last[k + 1] + waits.back[i, k], freed + waits.bank[i, k])
    if first <= waits.adds[i] < end:
        registers.banks[block & 1, i] = now[waits.adds[i]]


@compiled
def step_through(
    pipeline: Pipeline,
    waits: Waits,
    registers: Registers,
    i: int,
    ready: Ints,
    load: Ints,
    adc: Ints,
    store: Ints,
    done: Ints,
) -> None:
    """Fill in the times of all blocks of layer i."""
    n = pipeline.length[i]
    for block in range(len(ready)):
        advance(waits, registers, i, block, 0, n, ready[block])
        now = registers.starts[block & 1, i]
        for k in range(n):
            what = pipeline.operation[i, k]
            if what == LOAD:
                load[block] = now[k]
            elif what == CONVERT:
                adc[block] = now[k]
            elif what == STORE:
                store[block] = now[k]
        done[block] = now[n - 1] + pipeline.to_next[i, n - 1]


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
