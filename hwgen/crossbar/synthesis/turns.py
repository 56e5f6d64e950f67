"""Paths around layers that take turns at common ADCs.

Two layers that share their macros convert one after the other. If the last block of the one waits
for all of the other, an image takes at least the way to the first, all conversions of both, and the
way from the last one to the end.
"""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.pipeline import Pipeline
from hwgen.crossbar.model.tables import FC, Ints, Tables
from hwgen.crossbar.model.timing import Times, provider_block, slowest_gaps
from hwgen.crossbar.synthesis.cuts import (
    Cut,
    Needs,
    empty_cut,
    last_layer,
    ready_at,
    surely_needed,
    trace,
    with_steps,
)
from hwgen.crossbar.synthesis.pairs import needs_all

NEVER = -(1 << 40)


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
def times_after(
    tables: Tables, layout: Layout, pipeline: Pipeline, times: Times, start: int
) -> Times:
    """Return when blocks are done if the last one of layer `start` is done at 0, and nothing else.

    What does not wait for that block is done long before.
    """
    done = np.full(len(times.done), NEVER)
    done[times.block_start[start + 1] - 1] = 0
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
                place = times.block_start[p] + provider_block(tables, layout, i, block, p)
                ready = max(ready, done[place])
            last = max(NEVER, last + gaps[i], ready)
            if last > NEVER // 2:
                done[times.block_start[i] + block] = last + through
    return Times(
        times.block_start,
        times.load,
        times.adc,
        times.store,
        times.order,
        done,
        times.end,
        times.interval,
    )


@compiled
def needs_last(tables: Tables, layout: Layout, i: int, block: int, provider: int) -> bool:
    """Return whether a block of layer i needs the last pixel of a provider."""
    if tables.kind[i] == FC:
        return True
    pixel = min(tables.pixels[i], (block + 1) * layout.copies[i]) - 1
    needed = tables.last_pixel[tables.window_start[i] + pixel]
    return bool(needed >= tables.pixels[provider])


@compiled
def turn_cut(
    tables: Tables,
    needs: Needs,
    layout: Layout,
    pipeline: Pipeline,
    times: Times,
    one: int,
    two: int,
) -> Cut:
    """Return the path of a design to the first block of layer `one` and from the last of `two`."""
    cut = empty_cut(len(tables.kind))
    fixed = 0
    _, source = ready_at(tables, layout, times, one, 0)
    if source >= 0:
        pixel = surely_needed(tables, needs, one, 1, source)
        more, _ = trace(tables, needs, layout, pipeline, times, source, pixel, -1, cut)
        fixed += more
    after = times_after(tables, layout, pipeline, times, two)
    end = last_layer(tables, after)
    if end > two and after.done[after.block_start[end + 1] - 1] > NEVER // 2:
        tail = empty_cut(len(tables.kind))
        pixel = tables.pixels[end]
        more, pixel = trace(tables, needs, layout, pipeline, after, end, pixel, two, tail)
        # A stride may skip what comes last: later pixels then need less than earlier ones.
        if pixel == tables.pixels[two]:
            fixed += more
            cut.leave[two + 1 :] = tail.leave[two + 1 :]
            cut.wait[two + 1 :] = tail.wait[two + 1 :]
            cut.enter[two + 1 :] = tail.enter[two + 1 :]
            cut.safe[two + 1 :] = tail.safe[two + 1 :]
            cut.past[two + 1 :] = tail.past[two + 1 :]
    return with_steps(cut, fixed, one, two)
