"""When every operation of every block starts: the closed form (no queue, no events).

Without conflicts a layer is a line in the max-plus algebra. With io the delay from an operation to
the next, and P the delay from a block to the next, operation o of block c starts at
    sum(io before o) + max over k <= c of (dep(k) + (c - k) * max(P up to o)),
where dep(k) is when all that block k reads is there. One running maximum a layer and operation.
Links of the mesh and ADCs that two layers share are not looked at: a design with such conflicts
can only be slower (`hwgen.model.crossbar.exact`).
"""

from typing import NamedTuple, get_args

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Layout, accesses, ceil_div
from hwgen.model.crossbar.tables import (
    ACCESS_NS,
    ELTWISE,
    FC,
    POOL,
    Bools,
    Ints,
    Tables,
)
from hwgen.spec.crossbar.schedule import OperationName

TRANSFER, LOAD, MVM, CONVERT, SHIFT, ADD, POOLED, ADDED, ACTIVATE, STORE, MERGE = range(11)
OPERATIONS: tuple[str, ...] = get_args(OperationName)
"""Names of the operations, in the order in which a block goes through those that it has."""


class Pipeline(NamedTuple):
    """The operations of each layer (rows) in order (columns).

    length: operations of a layer
    operation: which
    steps: of one bit, or of the whole for an operation that is not repeated for each bit
    to_next: delay to the next operation of the same block
    to_block: delay to the same operation of the next block
    """

    length: Ints
    operation: Ints
    steps: Ints
    to_next: Ints
    to_block: Ints


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
def is_per_bit(operation: int) -> bool:
    """Return whether an operation is repeated for each bit step."""
    return MVM <= operation <= SHIFT


@compiled
def steps_of(ns: float, step_ns: float) -> int:
    """Return how many pipeline steps something takes."""
    return max(1, int(np.ceil(ns / step_ns)))


@compiled
def make_pipeline(
    tables: Tables, layout: Layout, clocks: Ints, memory: int, step_ns: float
) -> Pipeline:
    """Return the operations of each layer and their delays (sheet, sections 4 and 6).

    memory: capacity of the scratchpads, as a row of `tables.memories`; -1: loads and stores take
        one step, as when nothing is known yet
    """
    layers = len(tables.kind)
    length = np.zeros(layers, np.int64)
    operation = np.zeros((layers, len(OPERATIONS)), np.int64)
    steps = np.ones((layers, len(OPERATIONS)), np.int64)
    to_next = np.zeros((layers, len(OPERATIONS)), np.int64)
    to_block = np.zeros((layers, len(OPERATIONS)), np.int64)
    for i in range(layers):
        n = 0
        there = pipelined(tables, layout, i)
        for what in range(len(OPERATIONS)):
            if not there[what]:
                continue
            operation[i, n] = what
            if what in (TRANSFER, MERGE):
                ns = layout.transfer[i] if what == TRANSFER else layout.merge[i]
                steps[i, n] = steps_of(ns, step_ns)
            elif what in (LOAD, STORE):
                if memory >= 0:
                    size = layout.load[i] if what == LOAD else layout.store[i]
                    ns = accesses(tables, size) * tables.memories[memory, ACCESS_NS]
                    steps[i, n] = steps_of(ns, step_ns)
            elif MVM <= what <= ADD:
                steps[i, n] = clocks[i]
            n += 1
        length[i] = n
        link(operation[i], steps[i], to_next[i], to_block[i], n, tables.bit_steps)
    return Pipeline(length, operation, steps, to_next, to_block)


@compiled
def pipelined(tables: Tables, layout: Layout, i: int) -> Bools:
    """Return of each operation whether the blocks of layer i go through it."""
    there = np.full(len(OPERATIONS), tables.crossbars[i] > 0)
    there[TRANSFER], there[MERGE] = layout.transfer[i] > 0, layout.merge[i] > 0
    there[LOAD] = there[STORE] = True
    there[POOLED], there[ADDED] = tables.kind[i] == POOL, tables.kind[i] == ELTWISE
    there[ACTIVATE] = tables.activated[i] > 0
    return there


@compiled
def link(
    operation: Ints, steps: Ints, to_next: Ints, to_block: Ints, count: int, bit_steps: int
) -> None:
    """Fill the delays of one layer: to the next operation, and to the next block."""
    for k in range(count):
        repeated = bit_steps if is_per_bit(operation[k]) else 1
        if k + 1 == count:
            to_block[k] = steps[k] * repeated
            to_next[k] = steps[k] * repeated
            continue
        next_repeated = bit_steps if is_per_bit(operation[k + 1]) else 1
        whole = is_per_bit(operation[k]) and not is_per_bit(operation[k + 1])
        to_next[k] = steps[k] * (bit_steps if whole else 1)
        to_block[k] = max(steps[k] * repeated, to_next[k] + steps[k + 1] * next_repeated - 1)


@compiled
def provider_block(tables: Tables, layout: Layout, i: int, block: int, provider: int) -> int:
    """Return the last block of a provider that a block of layer i needs."""
    if tables.kind[i] == FC:
        return int(layout.blocks[provider] - 1)
    pixel = min(tables.pixels[i], (block + 1) * layout.copies[i]) - 1
    needed = tables.last_pixel[tables.window_start[i] + pixel]
    return ceil_div(needed, layout.copies[provider]) - 1


@compiled
def block_starts(layout: Layout) -> Ints:
    """Return where the blocks of each layer begin in a list of all blocks."""
    starts = np.zeros(len(layout.blocks) + 1, np.int64)
    for i in range(len(layout.blocks)):
        starts[i + 1] = starts[i] + layout.blocks[i]
    return starts


@compiled
def closed_form(tables: Tables, layout: Layout, pipeline: Pipeline) -> Times:
    """Return all times without conflicts; a lower bound of the exact ones."""
    starts = block_starts(layout)
    total = starts[-1]
    load = np.empty(total, np.int64)
    adc = np.full(total, -1, np.int64)
    store = np.empty(total, np.int64)
    done = np.empty(total, np.int64)
    end = 0
    interval = 0
    far_past = -(1 << 40)
    for i in range(len(tables.kind)):
        n = pipeline.length[i]
        at = np.zeros(3, np.int64)
        slowest = np.zeros(4, np.int64)
        before = np.zeros(4, np.int64)
        delay = 0
        worst = 0
        for k in range(n):
            worst = max(worst, pipeline.to_block[i, k])
            what = pipeline.operation[i, k]
            row = 0 if what == LOAD else 1 if what == CONVERT else 2 if what == STORE else -1
            if row >= 0:
                slowest[row], before[row] = worst, delay
            if k + 1 == n:
                slowest[3], before[3] = worst, delay
            delay += pipeline.to_next[i, k]
        has_adc = tables.crossbars[i] > 0
        at[:] = far_past
        last = far_past
        for block in range(layout.blocks[i]):
            ready = 0
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                p = tables.provider[e]
                ready = max(ready, done[starts[p] + provider_block(tables, layout, i, block, p)])
            place = starts[i] + block
            for row in range(3):
                at[row] = max(at[row] + slowest[row], ready)
            last = max(last + slowest[3], ready)
            load[place] = at[0] + before[0]
            if has_adc:
                adc[place] = at[1] + before[1]
            store[place] = at[2] + before[2]
            done[place] = last + delay
        end = max(end, end_of(tables, pipeline, i, last + before[3], last + delay))
        interval = max(interval, slowest[3] * layout.blocks[i])
    return Times(starts, load, adc, store, order_of(load, store), done, end, interval)


@compiled
def order_of(load: Ints, store: Ints) -> Ints:
    """Return `Times.order` where nothing is known but steps."""
    return np.concatenate((2 * load, 2 * store + 1))


@compiled
def end_of(tables: Tables, pipeline: Pipeline, i: int, started: int, done: int) -> int:
    """Return the steps up to a layer's end; the published count stops where the last one starts."""
    return int(done if tables.strict else started + 1)
