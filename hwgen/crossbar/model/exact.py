"""When every operation of every block starts, conflicts included: a conductor in counters.

Only the first bit of an operation is looked at: later bits follow it one by one and delay nothing.
That holds with shared ADCs too: of two bits that meet at an ADC the lower one waits, so a chain of
bits that has begun is never interrupted, and only a first bit waits, until the chain of the other
layer is through.

The blocks of an operation start in their order, so all that can come is the next block of each:
whenever something starts, those who may have waited for it are looked at. Images of a stream enter
one after the other; a layer goes through the blocks of one image, then through those of the next.
"""

from typing import Annotated, NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.conflicts import (
    ARRIVING,
    CHAINED,
    MERGED,
    SENT,
    TRAVELS,
    Flags,
    conflicts,
)
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.pipeline import (
    ADD,
    CHAIN,
    CONVERT,
    GATHER,
    LOAD,
    MERGE,
    MVM,
    RESULT,
    SEND,
    STORE,
    TRANSFER,
    Pipeline,
)
from hwgen.crossbar.model.tables import IntGrid, Ints, Tables
from hwgen.crossbar.model.timing import (
    Times,
    block_starts,
    end_of,
    interval_alone,
    needed_blocks,
)

NEVER = 1 << 60

AHEAD = 256
"""Steps ahead of which each has a list of its own of what may start then; later ones join them."""


@opaque
class Chip(NamedTuple):
    """What stays while time goes on: of each layer, or of the operations of all layers in a row.

    Arrays are at hand, not in a record within: whoever looks into one counts a reference to it.

    later_goes_first: to a link, see `give_links`
    adcs_before: whether who wants ADCs asks for them before it multiplies
    length, blocks: operations of each layer, and blocks of an image
    provider_start, provider, wanted_first, wanted: who reads whom, and which blocks; see `Needed`
    first_op, first_node: where the operations and the nodes of each layer begin; nodes are numbered
        by layer, block, and place of the operation
    bank, adds: in the layer, places of the operation that waits for the addition of two blocks
        before, and of that addition; -1: none
    layer, place: of each operation; steps, to_next, own, back: see `Pipeline`
    kind: of its travel, see `conflicts`; -1: none
    rival: operation that asks for the same ADCs; -1: none
    travels, converts: operations that ask for links, and for ADCs of two layers
    waiting_start, waiting: operations that may wait for each; order decides who comes first to a
        link: the published code frees the next block before the readers
    """

    images: int
    bit_steps: int
    later_goes_first: bool
    adcs_before: bool
    length: Ints
    blocks: Ints
    provider_start: Ints
    provider: Ints
    wanted_first: Ints
    wanted: Ints
    first_op: Ints
    first_node: Ints
    bank: Ints
    adds: Ints
    layer: Ints
    place: Ints
    steps: Ints
    to_next: Ints
    own: Ints
    back: Ints
    kind: Ints
    rival: Ints
    travels: Ints
    converts: Ints
    waiting_start: Ints
    waiting: Ints
    clash: Annotated[Flags, 2]


ENTERED, STARTED = range(2)
"""Places of `State.total`."""


@opaque
class State(NamedTuple):
    """What changes; of each operation unless said otherwise.

    begun: blocks that have started
    at: step at which the next one may start; NEVER: not known yet, or there is none
    behind: operation that came to the same list after it; -1: none
    until: first step at which its travel is over, or its ADCs are free
    first, last: of the steps that are `AHEAD`: who came to the list of each; -1: nobody
    started, order: of nodes: the step at which each starts, its place among all that start
    total: images that have entered, nodes that have started
    """

    begun: Ints
    at: Ints
    behind: Ints
    until: Ints
    first: Ints
    last: Ints
    started: Ints
    order: Ints
    total: Ints


@compiled
def make_chip(
    tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints, images: int
) -> Chip:
    """Return what stays while time goes on."""
    layers = len(tables.kind)
    first_op = np.append(0, np.cumsum(pipeline.length))
    first_node = np.append(0, np.cumsum(pipeline.length * layout.blocks * images))
    layer, place = np.zeros(first_op[-1], np.int64), np.zeros(first_op[-1], np.int64)
    kind, rival = np.full(first_op[-1], -1), np.full(first_op[-1], -1)
    bank, adds, turn = np.full(layers, -1), np.full(layers, -1), np.full(layers, -1)
    for i in range(layers):
        for k in range(pipeline.length[i]):
            op, what = first_op[i] + k, pipeline.operation[i, k]
            layer[op], place[op] = i, k
            if travel_of(what) >= 0:
                kind[op] = TRAVELS * i + travel_of(what)
            elif what == (MVM if tables.rules.turns_before_mvm else CONVERT):
                turn[i] = op
                if partner[i] >= 0 and partner[i] < i:
                    rival[op], rival[turn[partner[i]]] = turn[partner[i]], op
            if what == MVM and tables.rules.registers:
                bank[i] = k
            elif what == ADD and tables.rules.registers:
                adds[i] = k
    travels, converts = np.flatnonzero(kind >= 0), turn[turn >= 0]
    converts = converts[rival[converts] >= 0]
    waiting_start, waiting = who_waits(tables, first_op, bank, adds)
    rules, needed = tables.rules, needed_blocks(tables, layout)
    return Chip(
        images,
        tables.bit_steps,
        rules.image_travels,
        rules.turns_before_mvm,
        pipeline.length,
        layout.blocks,
        tables.provider_start,
        tables.provider,
        needed.first,
        needed.block,
        first_op,
        first_node,
        bank,
        adds,
        layer,
        place,
        in_a_row(pipeline.steps, layer, place),
        in_a_row(pipeline.to_next, layer, place),
        in_a_row(pipeline.own, layer, place),
        in_a_row(pipeline.back, layer, place),
        kind,
        rival,
        travels,
        converts,
        waiting_start,
        waiting,
        conflicts(tables, layout),
    )


@compiled
def in_a_row(grid: IntGrid, layer: Ints, place: Ints) -> Ints:
    """Return what a grid of layers and places says of each operation."""
    found = np.empty(len(layer), np.int64)
    for op in range(len(layer)):
        found[op] = grid[layer[op], place[op]]
    return found


@compiled
def who_waits(tables: Tables, first_op: Ints, bank: Ints, adds: Ints) -> tuple[Ints, Ints]:
    """Return `Chip.waiting_start` and `Chip.waiting`."""
    start, n = np.zeros(first_op[-1] + 1, np.int64), 0
    found = np.zeros(4 * first_op[-1] + len(tables.reader), np.int64)
    for i in range(len(bank)):
        first, last = first_op[i], first_op[i + 1] - 1
        for op in range(first, last + 1):
            start[op] = n
            for other in (op + 1, op, op - 1):
                if first <= other <= last:
                    found[n] = other
                    n += 1
            if op - first == adds[i]:
                found[n] = first + bank[i]
                n += 1
        for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
            found[n] = first_op[tables.reader[e]]
            n += 1
    start[-1] = n
    return start, found


@inlined
def travel_of(what: int) -> int:
    """Return which of its layer's travels an operation is; -1: none."""
    if what == TRANSFER:
        return ARRIVING
    if what in (SEND, RESULT):
        return SENT
    if what in (MERGE, GATHER):
        return MERGED
    return CHAINED if what == CHAIN else -1


@inlined
def inputs_there(chip: Chip, state: State, i: int) -> int:
    """Return when all that the next block of a layer reads is there; NEVER: not known yet."""
    then, image, block = 0, 0, state.begun[chip.first_op[i]]
    if chip.images > 1:
        image, block = divmod(block, chip.blocks[i])
    first, end = chip.provider_start[i], chip.provider_start[i + 1]
    if first == end and image >= state.total[ENTERED]:
        return NEVER
    for e in range(first, end):
        p = chip.provider[e]
        wanted = image * chip.blocks[p] + chip.wanted[chip.wanted_first[e] + block]
        last = chip.first_op[p + 1] - 1
        if state.begun[last] <= wanted:
            return NEVER
        done = state.started[chip.first_node[p] + (wanted + 1) * chip.length[p] - 1]
        then = max(then, done + chip.to_next[last])
    return then


@compiled
def look_at(chip: Chip, state: State, op: int, now: int) -> None:
    """Note when the next block of an operation may start, if all that it waits for has started."""
    i, k, block = chip.layer[op], chip.place[op], state.begun[op]
    if state.at[op] < NEVER or block == chip.images * chip.blocks[i]:
        return
    n, then = chip.length[i], now
    node = chip.first_node[i] + block * n + k
    if k == 0:
        then = max(then, inputs_there(chip, state, i))
    elif state.begun[op - 1] > block:
        then = max(then, state.started[node - 1] + chip.to_next[op - 1])
    else:
        return
    if block > 0:
        then = max(then, state.started[node - n] + chip.own[op])
        if chip.back[op] > 0:
            if state.begun[op + 1] < block:
                return
            then = max(then, state.started[node - n + 1] + chip.back[op])
    if k == chip.bank[i] and block > 1:
        add = chip.adds[i] - k
        if state.begun[op + add] < block - 1:
            return
        then = max(then, state.started[node - 2 * n + add] + 1)
    if then < NEVER:
        come(state, op, then)


@inlined
def come(state: State, op: int, at: int) -> None:
    """Put an operation behind all that came before it."""
    state.at[op], state.behind[op] = at, -1
    place = at % AHEAD
    if state.first[place] < 0:
        state.first[place] = op
    else:
        state.behind[state.last[place]] = op
    state.last[place] = op


@inlined
def begin(chip: Chip, state: State, op: int, now: int) -> None:
    """Start the next block of an operation, and look at those who may have waited for it."""
    i, block = chip.layer[op], state.begun[op]
    node = chip.first_node[i] + block * chip.length[i] + chip.place[op]
    state.started[node], state.order[node] = now, state.total[STARTED]
    state.total[STARTED] += 1
    state.begun[op] = block + 1
    state.at[op] = NEVER
    for place in range(chip.waiting_start[op], chip.waiting_start[op + 1]):
        look_at(chip, state, chip.waiting[place], now)


@inlined
def travel(chip: Chip, state: State, op: int, now: int) -> None:
    """Note until when an operation travels, if it still may."""
    if state.at[op] == now:
        state.until[op] = now + chip.steps[op]


@compiled
def wait_for_links(chip: Chip, state: State, op: int, now: int) -> None:
    """Let an operation come again in the next step if a travel on its way is on one of its links.

    One on its way is never stopped.
    """
    for other in chip.travels:
        if state.until[other] > now and chip.clash[chip.kind[op], chip.kind[other]]:
            state.at[op] = now + 1
            return


@inlined
def latest(chip: Chip, asking: Ints, below: int) -> int:
    """Return the one whose travel is last of those before a kind of travel; -1: there is none."""
    most, last = -1, -1
    for op in asking:
        if most < chip.kind[op] < below:
            most, last = chip.kind[op], op
    return last


@compiled
def give_links(chip: Chip, state: State, asking: Ints, now: int) -> None:
    """Let those travel that can; the others come again in the next step.

    Strict: the later layer goes first. Published: of two that begin together the longer one waits,
    of equal ones the one that came later.
    """
    if chip.later_goes_first:
        op = latest(chip, asking, len(chip.length) * TRAVELS)
        while op >= 0:
            wait_for_links(chip, state, op, now)
            travel(chip, state, op, now)
            op = latest(chip, asking, chip.kind[op])
        return
    for op in asking:
        if chip.kind[op] >= 0:
            wait_for_links(chip, state, op, now)
    for a in range(len(asking)):
        one = asking[a]
        for two in asking[a + 1 :]:
            both = state.at[one] == now and state.at[two] == now
            both = both and chip.kind[one] >= 0 and chip.kind[two] >= 0
            if both and chip.clash[chip.kind[one], chip.kind[two]]:
                late = one if chip.steps[one] > chip.steps[two] else two
                state.at[late] = now + 1
        if chip.kind[one] >= 0:
            travel(chip, state, one, now)


@compiled
def give_adcs(chip: Chip, state: State, now: int) -> None:
    """Let those convert that can; of two that begin together the later layer waits.

    Who asks before it multiplies converts a bit step later.
    """
    for op in chip.converts:
        if state.at[op] == now:
            steps, other = chip.steps[op], chip.rival[op]
            first = now + (steps if chip.adcs_before else 0)
            if other >= 0 and state.until[other] > first:
                state.at[op] = now + 1
            else:
                state.until[op] = first + chip.bit_steps * steps


@inlined
def asking_at(state: State, now: int, asking: Ints) -> int:
    """Write who may start now in the order of their coming; return how many they are.

    Those of later steps stay in their list.
    """
    place, count = now % AHEAD, 0
    op, last = state.first[place], -1
    state.first[place] = -1
    while op >= 0:
        behind = state.behind[op]
        if state.at[op] == now:
            asking[count] = op
            count += 1
        else:
            if last < 0:
                state.first[place] = op
            else:
                state.behind[last] = op
            state.behind[op], last = -1, op
        op = behind
    state.last[place] = last
    return count


@compiled
def start_all(
    tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints, images: int, interval: int
) -> tuple[Ints, Ints, Ints]:
    """Return where the nodes of each layer begin, when each starts, and its place among all."""
    chip = make_chip(tables, layout, pipeline, partner, images)
    ops, nodes, now = len(chip.layer), chip.first_node[-1], 0
    rows, of_nodes, total = (
        np.zeros((4, ops), np.int64),
        np.zeros((2, nodes), np.int64),
        np.zeros(2, np.int64),
    )
    ahead = np.full((2, AHEAD), -1)
    state = State(
        rows[0],
        np.full(ops, NEVER),
        rows[1],
        rows[2],
        ahead[0],
        ahead[1],
        of_nodes[0],
        of_nodes[1],
        total,
    )
    asking = rows[3]
    while total[STARTED] < nodes:
        if total[ENTERED] < images and now == total[ENTERED] * interval:
            total[ENTERED] += 1
            for i in range(len(tables.kind)):
                if tables.provider_start[i] == tables.provider_start[i + 1]:
                    look_at(chip, state, chip.first_op[i], now)
        count = asking_at(state, now, asking)
        if count > 0:
            give_links(chip, state, asking[:count], now)
            give_adcs(chip, state, now)
            late = 0
            for place in range(count):
                op = asking[place]
                if state.at[op] == now:
                    begin(chip, state, op, now)
                else:
                    asking[late] = op
                    late += 1
            for op in asking[:late]:
                come(state, op, now + 1)
        now += 1
    return chip.first_node, state.started, state.order


def exact_times(tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints) -> Times:
    """Return all times of one image, with conflicts of links and of shared ADCs."""
    return stream_times(tables, layout, pipeline, partner, 1, 0)


def exact_starts(tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints) -> Ints:
    """Return the step at which each node of an image starts."""
    started: Ints = start_all(tables, layout, pipeline, partner, 1, 0)[1]
    return started


def stream_times(
    tables: Tables, layout: Layout, pipeline: Pipeline, partner: Ints, images: int, interval: int
) -> Times:
    """Return all times of a stream: of each layer the blocks of one image behind the others.

    images: that enter; interval: steps that one enters behind the other
    """
    first, started, order = start_all(tables, layout, pipeline, partner, images, interval)
    return collect(tables, layout, pipeline, images, first, started, order)


@compiled
def collect(
    tables: Tables,
    layout: Layout,
    pipeline: Pipeline,
    images: int,
    first: Ints,
    started: Ints,
    order_of: Ints,
) -> Times:
    """Return the times of loads, conversions and stores from those of all nodes."""
    starts = images * block_starts(layout)
    total = starts[-1]
    times = np.empty((3, total), np.int64)
    load, store, done = times[0], times[1], times[2]
    adc, order = np.full(total, -1), np.empty(2 * total, np.int64)
    for i in range(len(tables.kind)):
        n, own = pipeline.length[i], slice(starts[i], starts[i + 1])
        nodes = slice(first[i], first[i + 1])
        for k in range(n):
            at, place = started[nodes][k::n], order_of[nodes][k::n]
            if pipeline.operation[i, k] == LOAD:
                load[own], order[own] = at, place
            elif pipeline.operation[i, k] == CONVERT:
                adc[own] = at
            elif pipeline.operation[i, k] == STORE:
                store[own], order[total:][own] = at, place
        done[own] = at + pipeline.to_next[i, n - 1]
    end, interval = end_of(tables, pipeline, starts, done), interval_alone(layout, pipeline)
    return Times(starts, load, adc, store, order, done, end, interval)
