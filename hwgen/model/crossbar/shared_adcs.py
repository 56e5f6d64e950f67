"""When every block starts if two layers convert at common ADCs: layer by layer, as far as it goes.

Only ADCs are waited for here, not links of the mesh (`hwgen.model.crossbar.exact` sees both). So a
block asks once, with all its bits, and a layer is two lines in the max-plus algebra of the closed
form: one that ends where a block asks, and one that begins where it is given. Whoever asks first is
given first, of two that ask at once the earlier layer.
"""

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Layout
from hwgen.model.crossbar.needed import Needed, block_starts
from hwgen.model.crossbar.tables import Ints, Tables
from hwgen.model.crossbar.timing import (
    CONVERT,
    LOAD,
    STORE,
    Pipeline,
    Times,
    end_of,
    order_of,
    slowest_gaps,
)

LOAD_GAP, LOAD_AFTER, ASK_GAP, ASK_AFTER, ADC_GAP, TURN = range(6)
STORE_GAP, STORE_AFTER, DONE_GAP, DONE_AFTER = range(6, 10)
"""Rows of `lines_of`: the gap to the next block, and the steps after the beginning of the line."""

FAR_PAST, NEVER = -(1 << 40), 1 << 60


@compiled
def lines_of(tables: Tables, pipeline: Pipeline) -> Ints:
    """Return the delays of each layer (columns) up to its ADCs, and behind.

    A layer without ADCs asks, and is given, where it begins.
    """
    layers = len(tables.kind)
    lines = np.zeros((10, layers), np.int64)
    for i in range(layers):
        gap, delay = 0, 0
        for k in range(pipeline.length[i]):
            what = pipeline.operation[i, k]
            if what == CONVERT or (k == 0 and tables.crossbars[i] == 0):
                lines[ASK_GAP, i], lines[ASK_AFTER, i] = gap, delay
                lines[ADC_GAP, i] = pipeline.to_block[i, k]
                lines[TURN, i] = tables.bit_steps * pipeline.steps[i, k]
                gap, delay = 0, 0
            gap = max(gap, pipeline.to_block[i, k])
            if what == LOAD:
                lines[LOAD_GAP, i], lines[LOAD_AFTER, i] = gap, delay
            elif what == STORE:
                lines[STORE_GAP, i], lines[STORE_AFTER, i] = gap, delay
            delay += pipeline.to_next[i, k]
        lines[DONE_GAP, i], lines[DONE_AFTER, i] = gap, delay
    return lines


@compiled
def take_turns(
    tables: Tables,
    layout: Layout,
    pipeline: Pipeline,
    needed: Needed,
    mate: Ints,
    closed_done: Ints,
) -> Times:
    """Return all times, with conflicts of shared ADCs, without those of links.

    A block is given as soon as all that it reads is known, and its layer's mate surely asks later.
    If no block can be given so, the first one that asks is: whoever is not known to ask waits for
    one that is.

    closed_done: `Times.done` of the closed form, before which no block is done
    """
    layers = len(tables.kind)
    starts = block_starts(layout)
    load, adc = np.empty(starts[-1], np.int64), np.full(starts[-1], -1)
    store, done = np.empty(starts[-1], np.int64), np.empty(starts[-1], np.int64)
    lines = lines_of(tables, pipeline)
    loaded, asked = np.full(layers, FAR_PAST), np.full(layers, FAR_PAST)
    stored, ended = np.full(layers, FAR_PAST), np.full(layers, FAR_PAST)
    least = first_ready(tables, starts, needed, closed_done) + lines[ASK_AFTER]
    free = least.copy()
    asking, busy = np.full(layers, NEVER), np.zeros(layers, np.int64)
    count, unknown = np.zeros(layers, np.int64), np.zeros(layers, np.int64)
    again = np.full(layers, False)
    edge = edges_of_readers(tables)
    next_need = needed.first[:-1].copy()
    awake, can_go = 0, np.empty(layers, np.int64)
    for i in range(layers):
        unknown[i] = tables.provider_start[i + 1] - tables.provider_start[i]
        if unknown[i] == 0:
            can_go[awake] = i
            awake += 1
    left = starts[-1]
    while left > 0:
        forced = awake == 0
        if forced:
            i = first_to_ask(asking, busy, mate)
        else:
            awake -= 1
            i = can_go[awake]
        again[i] = False
        block, place, j = count[i], starts[i] + count[i], mate[i]
        if asking[i] == NEVER:
            ready = 0
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                wanted = needed.block[next_need[e]]
                ready = max(ready, done[starts[tables.provider[e]] + wanted])
            loaded[i] = max(loaded[i] + lines[LOAD_GAP, i], ready)
            asked[i] = max(asked[i] + lines[ASK_GAP, i], ready)
            load[place] = loaded[i] + lines[LOAD_AFTER, i]
            asking[i] = max(asked[i] + lines[ASK_AFTER, i], free[i])
        now = asking[i]
        if j >= 0:
            now = max(now, busy[j])
            if not forced and count[j] < layout.blocks[j]:
                other = asking[j] if asking[j] < NEVER else free[j]
                other = max(other, busy[i])
                if other < now or (other == now and j < i):
                    if asking[j] < NEVER and not again[j]:
                        again[j] = True
                        can_go[awake] = j
                        awake += 1
                    continue
            busy[i] = now + lines[TURN, i]
            if asking[j] < NEVER and not again[j]:
                again[j] = True
                can_go[awake] = j
                awake += 1
        asking[i] = NEVER
        left -= 1
        free[i] = now + lines[ADC_GAP, i]
        if tables.crossbars[i] > 0:
            adc[place] = now
        stored[i] = max(stored[i] + lines[STORE_GAP, i], now)
        store[place] = stored[i] + lines[STORE_AFTER, i]
        ended[i] = max(ended[i] + lines[DONE_GAP, i], now)
        done[place] = ended[i] + lines[DONE_AFTER, i]
        count[i] = block + 1
        for r in range(tables.reader_start[i], tables.reader_start[i + 1]):
            k = tables.reader[r]
            if count[k] < layout.blocks[k] and needed.block[next_need[edge[r]]] == block:
                unknown[k] -= 1
                if unknown[k] == 0:
                    can_go[awake] = k
                    awake += 1
        if block + 1 < layout.blocks[i]:
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                next_need[e] += 1
                unknown[i] += needed.block[next_need[e]] >= count[tables.provider[e]]
            if unknown[i] == 0:
                can_go[awake] = i
                awake += 1
    end = end_of(tables, pipeline, done[starts[1:] - 1])
    interval = (layout.blocks * slowest_gaps(pipeline)).max()
    return Times(starts, load, adc, store, order_of(load, store), done, end, interval)


@compiled
def first_to_ask(asking: Ints, busy: Ints, mate: Ints) -> int:
    """Return the layer that asks first of all whose question is known."""
    first, least = -1, NEVER
    for i in range(len(mate)):
        if asking[i] < NEVER and max(asking[i], busy[mate[i]]) < least:
            first, least = i, max(asking[i], busy[mate[i]])
    return first


@compiled
def first_ready(tables: Tables, starts: Ints, needed: Needed, done: Ints) -> Ints:
    """Return when all that the first block of each layer reads is there."""
    ready = np.zeros(len(tables.kind), np.int64)
    for i in range(len(ready)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            block = needed.block[needed.first[e]]
            ready[i] = max(ready[i], done[starts[tables.provider[e]] + block])
    return ready


@compiled
def edges_of_readers(tables: Tables) -> Ints:
    """Return for each entry of `tables.reader` the place of the same edge in `tables.provider`."""
    free = tables.reader_start[:-1].copy()
    edge = np.empty(len(tables.provider), np.int64)
    for i in range(len(tables.kind)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            edge[free[tables.provider[e]]] = e
            free[tables.provider[e]] += 1
    return edge
