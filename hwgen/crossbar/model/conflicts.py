"""What cannot be at once: travels over a common link, and conversions of two layers at common ADCs.

`conflicts` says which travels meet; only the exact simulation (`exact`) lets them wait.

`take_turns` is when every block starts if two layers convert at common ADCs, layer by layer, as far
as it goes. Links are not waited for here. So a block asks once, with all its bits, and a layer is
two lines in the max-plus algebra of the closed form: one that ends where a block asks, and one that
begins where it is given. Whoever asks first is given first, of two that ask at once the earlier
layer.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.compiled import compiled, inlined
from hwgen.crossbar.facts.layout import IMAGE_MACRO
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.pipeline import CONVERT, LOAD, MVM, STORE, Pipeline
from hwgen.crossbar.model.tables import Ints, Tables
from hwgen.crossbar.model.timing import (
    FAR_PAST,
    Needed,
    Registers,
    Times,
    Waits,
    advance,
    block_starts,
    end_of,
    interval_alone,
    make_registers,
    order_of,
    waits_of,
)
from hwgen.crossbar.model.traffic import results_in, serpentine

Flags = NDArray[np.bool_]

TRAVELS = 4
"""Kinds of travel of each layer: its transfer, its send or result, its merge or gather, its chain.
"""

ARRIVING, SENT, MERGED, CHAINED = range(TRAVELS)

EAST, WEST, SOUTH, NORTH, IN, OUT, IO_IN, IO_OUT = range(8)
"""Links from a router, and its local ports in both directions: a macro's, and that of the edge."""
PER_ROUTER = 8

LOAD_GAP, LOAD_AFTER, ASK_GAP, ASK_AFTER, ADC_GAP, TURN = range(6)
STORE_GAP, STORE_AFTER, DONE_GAP, DONE_AFTER = range(6, 10)
PLACE, LEAD, LOADS, STORES, END, LAST = range(10, 16)
"""Rows of `lines_of`: the gap to the next block, and the steps after the beginning of the line; the
place of the operation that asks, and the steps from it to the conversion; places of the load and
of the store; how many operations there are, and the steps of the last one."""

LOADED, ASKED, ENDED, STORED, FREE, ASKING, BUSY, COUNT, BLOCKS, UNKNOWN, AGAIN = range(11)
"""Rows of how far each layer is: where its lines are; the step before which it does not ask for its
next block; at which it does (`NEVER`: not known yet); at which the ADCs are free of what it was
given; blocks that were given, and all; providers whose needed blocks were not; 1 if it has asked
before and is awake again."""

NEVER = 1 << 60


@compiled
def use_route(links: Flags, source: int, target: int, columns: int, ports: bool) -> None:
    """Mark the directed links of a route: along the source's row first, then along a column.

    ports: the local ports at its ends, too
    """
    row, column = serpentine(source, columns)
    end_row, end_column = serpentine(target, columns)
    if ports and source != target:
        links[PER_ROUTER * (row * columns + column) + OUT] = True
        links[PER_ROUTER * (end_row * columns + end_column) + IN] = True
    while column != end_column:
        east = column < end_column
        links[PER_ROUTER * (row * columns + column) + (EAST if east else WEST)] = True
        column += 1 if east else -1
    while row != end_row:
        south = row < end_row
        links[PER_ROUTER * (row * columns + column) + (SOUTH if south else NORTH)] = True
        row += 1 if south else -1


@compiled
def sends_results(tables: Tables, layout: Layout, i: int, place: int) -> bool:
    """Return whether a macro hands on results; else partial sums, to the next one of its copy."""
    if not tables.rules.chain_before_activation or tables.crossbars[i] == 0:
        return True
    at = place - layout.first_macro[i]
    return results_in(tables, i, layout.copies[i], layout.shared_macros[i], at) > 0


@compiled
def use_routes(links: Flags, tables: Tables, layout: Layout, i: int, place: int) -> None:
    """Mark the links of all travels to and from a macro of layer i."""
    columns, ports = layout.mesh_columns, tables.rules.image_travels
    if sends_results(tables, layout, i, place):
        use_route(links[TRAVELS * i + MERGED], place, layout.merge_macro[i], columns, ports)
    else:
        use_route(links[TRAVELS * i + CHAINED], place, place + 1, columns, ports)
    if tables.image[i] > 0:
        arriving = links[TRAVELS * i + ARRIVING]
        use_route(arriving, IMAGE_MACRO, place, columns, ports=False)
        row, column = serpentine(place, columns)
        arriving[PER_ROUTER * (row * columns + column) + IN] |= ports
        arriving[IO_IN] |= ports
    if tables.rules.send_once and tables.reader_start[i] == tables.reader_start[i + 1]:
        result, merge = links[TRAVELS * i + SENT], layout.merge_macro[i]
        use_route(result, merge, IMAGE_MACRO, columns, ports=False)
        row, column = serpentine(merge, columns)
        result[PER_ROUTER * (row * columns + column) + OUT] = True
        result[IO_OUT] = True
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        travel = TRAVELS * p + SENT if tables.rules.send_once else TRAVELS * i + ARRIVING
        use_route(links[travel], layout.merge_macro[p], place, columns, ports)


@compiled
def conflicts(tables: Tables, layout: Layout) -> Flags:
    """Return which kinds of travel share a link.

    TRAVELS x i + ARRIVING: layer i's transfer; and so on.
    """
    count = len(tables.kind)
    columns = layout.mesh_columns
    rows = -(-layout.total_macros // columns)
    links = np.zeros((TRAVELS * count, PER_ROUTER * rows * columns), np.bool_)
    for i in range(count):
        for place in range(layout.first_macro[i], layout.first_macro[i] + layout.shared_macros[i]):
            use_routes(links, tables, layout, i, place)
    shared = np.zeros((TRAVELS * count, TRAVELS * count), np.bool_)
    for a in range(TRAVELS * count):
        for b in range(a):
            for link in range(links.shape[1]):
                if links[a, link] and links[b, link]:
                    shared[a, b] = shared[b, a] = True
                    break
    return shared


@compiled
def lines_of(tables: Tables, pipeline: Pipeline) -> Ints:
    """Return the delays of each layer (columns) up to its ADCs, and behind.

    A layer without ADCs asks, and is given, where it begins.
    """
    layers = len(tables.kind)
    lines = np.zeros((16, layers), np.int64)
    turn = MVM if tables.rules.turns_before_mvm else CONVERT
    for i in range(layers):
        gap, delay = 0, 0
        for k in range(pipeline.length[i]):
            what = pipeline.operation[i, k]
            if what == turn or (k == 0 and tables.crossbars[i] == 0):
                lines[ASK_GAP, i], lines[ASK_AFTER, i] = gap, delay
                lines[ADC_GAP, i] = pipeline.to_block[i, k]
                lines[TURN, i] = tables.bit_steps * pipeline.steps[i, k]
                lines[PLACE, i] = k
                if what == MVM:
                    lines[LEAD, i] = pipeline.steps[i, k]
                gap, delay = 0, 0
            gap = max(gap, pipeline.to_block[i, k])
            if what == LOAD:
                lines[LOAD_GAP, i], lines[LOAD_AFTER, i], lines[LOADS, i] = gap, delay, k
            elif what == STORE:
                lines[STORE_GAP, i], lines[STORE_AFTER, i], lines[STORES, i] = gap, delay, k
            delay += pipeline.to_next[i, k]
        lines[DONE_GAP, i], lines[DONE_AFTER, i] = gap, delay
        last = pipeline.length[i] - 1
        lines[END, i], lines[LAST, i] = last + 1, pipeline.to_next[i, last]
    return lines


@compiled
def take_turns(  # noqa: C901, PLR0912, PLR0915 - a call takes longer than what it does
    tables: Tables,
    layout: Layout,
    pipeline: Pipeline,
    needed: Needed,
    partner: Ints,
    closed_done: Ints,
) -> Times:
    """Return all times, with conflicts of shared ADCs, without those of links.

    A block is given as soon as all that it reads is known, and its layer's partner surely asks
    later.
    If no block can be given so, the first one that asks is: whoever is not known to ask waits for
    one that is.

    closed_done: `Times.done` of the closed form, before which no block is done
    """
    starts = block_starts(layout)
    load, adc = np.empty(starts[-1], np.int64), np.full(starts[-1], -1)
    store, done = np.empty(starts[-1], np.int64), np.empty(starts[-1], np.int64)
    lines, waits, registers = (
        lines_of(tables, pipeline),
        waits_of(pipeline),
        make_registers(pipeline),
    )
    going = at_first(tables, layout, lines, first_ready(tables, starts, needed, closed_done))
    need, edge = needed.first[:-1].copy(), edges_of_readers(tables)
    awake = np.flatnonzero(going[UNKNOWN] == 0)
    awake, count = np.append(awake, np.zeros(len(partner), np.int64)), len(awake)
    left = starts[-1]
    while left > 0:
        forced = count == 0
        if forced:
            i = first_to_ask(going, lines, partner)
        else:
            count -= 1
            i = awake[count]
        going[AGAIN, i] = 0
        place = starts[i] + going[COUNT, i]
        if going[ASKING, i] == NEVER:
            ready = 0
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                wanted = starts[tables.provider[e]] + needed.block[need[e]]
                ready = max(ready, done[wanted])
            if tables.rules.registers:
                ask_registers(going, lines, waits, registers, i, ready)
            else:
                load[place] = ask(going, lines, i, ready)
        now, j = going[ASKING, i], partner[i]
        if j >= 0:
            now = max(now, going[BUSY, j] - lines[LEAD, i])
            given = forced or may_go(going, lines, j, i, now)
            if given:
                going[BUSY, i] = now + lines[LEAD, i] + lines[TURN, i]
            if going[ASKING, j] < NEVER and going[AGAIN, j] == 0:
                going[AGAIN, j] = 1
                awake[count] = j
                count += 1
            if not given:
                continue
        left -= 1
        if tables.crossbars[i] > 0:
            adc[place] = now + lines[LEAD, i]
        if tables.rules.registers:
            found = give_registers(going, lines, waits, registers, i, now)
            load[place], store[place], done[place] = found
        else:
            store[place], done[place] = give(going, lines, i, now)
        for r in range(tables.reader_start[i], tables.reader_start[i + 1]):
            k = tables.reader[r]
            if needed.block[need[edge[r]]] == going[COUNT, i] - 1 and is_last(going, k):
                awake[count] = k
                count += 1
        if going[COUNT, i] < going[BLOCKS, i]:
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                need[e] += 1
                p = tables.provider[e]
                going[UNKNOWN, i] += needed.block[need[e]] >= going[COUNT, p]
            if going[UNKNOWN, i] == 0:
                awake[count] = i
                count += 1
    end, interval = end_of(tables, pipeline, starts, done), interval_alone(layout, pipeline)
    return Times(starts, load, adc, store, order_of(load, store), done, end, interval)


@compiled
def at_first(tables: Tables, layout: Layout, lines: Ints, ready: Ints) -> Ints:
    """Return how far the layers are before anything happens; ready: see `first_ready`."""
    going = np.zeros((11, len(ready)), np.int64)
    going[: STORED + 1] = FAR_PAST
    going[FREE] = ready + lines[ASK_AFTER]
    going[ASKING] = NEVER
    going[BLOCKS] = layout.blocks
    going[UNKNOWN] = tables.provider_start[1:] - tables.provider_start[:-1]
    return going


@inlined
def ask(going: Ints, lines: Ints, i: int, ready: int) -> int:
    """Note when the next block of a layer asks; return when it loads.

    ready: the step at which all that it reads is there
    """
    going[LOADED, i] = max(going[LOADED, i] + lines[LOAD_GAP, i], ready)
    going[ASKED, i] = max(going[ASKED, i] + lines[ASK_GAP, i], ready)
    going[ASKING, i] = max(going[ASKED, i] + lines[ASK_AFTER, i], going[FREE, i])
    return int(going[LOADED, i] + lines[LOAD_AFTER, i])


@inlined
def ask_registers(
    going: Ints, lines: Ints, waits: Waits, registers: Registers, i: int, ready: int
) -> None:
    """Note when the next block of a layer asks, where blocks wait for registers."""
    block, place = going[COUNT, i], lines[PLACE, i]
    advance(waits, registers, i, block, 0, place + 1, ready)
    going[ASKING, i] = registers.starts[block & 1, i, place]


@inlined
def give_registers(
    going: Ints, lines: Ints, waits: Waits, registers: Registers, i: int, given: int
) -> tuple[int, int, int]:
    """Let a block of layer i go on; return when it is loaded, stored, and done."""
    block, place = going[COUNT, i], lines[PLACE, i]
    now, end = registers.starts[block & 1, i], lines[END, i]
    now[place] = given
    advance(waits, registers, i, block, place + 1, end, given)
    going[ASKING, i] = NEVER
    going[FREE, i] = given + waits.own[i, place]
    going[COUNT, i] += 1
    return now[lines[LOADS, i]], now[lines[STORES, i]], now[end - 1] + lines[LAST, i]


@inlined
def may_go(going: Ints, lines: Ints, partner: int, i: int, now: int) -> bool:
    """Return whether layer i is given the common ADCs at `now`: its partner surely asks later."""
    if going[COUNT, partner] == going[BLOCKS, partner]:
        return True
    other = going[ASKING, partner] if going[ASKING, partner] < NEVER else going[FREE, partner]
    other = max(other, going[BUSY, i] - lines[LEAD, partner])
    return bool(now < other or (now == other and i < partner))


@inlined
def give(going: Ints, lines: Ints, i: int, now: int) -> tuple[int, int]:
    """Let a block of layer i go on; return when it is stored, and done."""
    going[ASKING, i] = NEVER
    going[FREE, i] = now + lines[ADC_GAP, i]
    going[STORED, i] = max(going[STORED, i] + lines[STORE_GAP, i], now)
    going[ENDED, i] = max(going[ENDED, i] + lines[DONE_GAP, i], now)
    going[COUNT, i] += 1
    return going[STORED, i] + lines[STORE_AFTER, i], going[ENDED, i] + lines[DONE_AFTER, i]


@inlined
def is_last(going: Ints, reader: int) -> bool:
    """Note that a provider has given what a reader waits for; return whether it was the last."""
    if going[COUNT, reader] == going[BLOCKS, reader]:
        return False
    going[UNKNOWN, reader] -= 1
    return bool(going[UNKNOWN, reader] == 0)


@compiled
def first_to_ask(going: Ints, lines: Ints, partner: Ints) -> int:
    """Return the layer that asks first of all whose question is known."""
    first, least = -1, NEVER
    for i in range(len(partner)):
        if going[ASKING, i] < NEVER:
            then = max(going[ASKING, i], going[BUSY, partner[i]] - lines[LEAD, i])
            if then < least:
                first, least = i, then
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
