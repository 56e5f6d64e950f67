"""When every operation of every block starts, conflicts included: an event queue.

Only the first bit of an operation is an event: later bits follow it one by one and delay nothing.
That holds with shared ADCs too: of two bits that meet at an ADC the lower one waits, so a chain of
bits that has begun is never interrupted, and only a first bit waits, until the chain of the other
layer is through.
"""

from typing import NamedTuple

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Layout
from hwgen.model.crossbar.graph import Graph, make_graph
from hwgen.model.crossbar.links import Flags, conflicts
from hwgen.model.crossbar.needed import block_starts
from hwgen.model.crossbar.tables import Ints, Tables
from hwgen.model.crossbar.timing import (
    CONVERT,
    LOAD,
    MERGE,
    STORE,
    TRANSFER,
    Pipeline,
    Times,
    end_of,
    interval_alone,
)

NOTHING = -1
FOREVER = 1 << 40


class Queue(NamedTuple):
    """Nodes by the step at which they may start, each step's in the order of their coming.

    head, tail: by step modulo their length, which no delay reaches
    """

    head: Ints
    tail: Ints
    after: Ints


@compiled
def append(queue: Queue, step: int, node: int) -> None:
    """Put a node behind the others of its step."""
    if queue.head[step] == NOTHING:
        queue.head[step] = node
    else:
        queue.after[queue.tail[step]] = node
    queue.tail[step] = node
    queue.after[node] = NOTHING


class State(NamedTuple):
    """What changes while time goes on.

    waits: predecessors of a node that have not started yet
    earliest: step before which a node may not start
    started: step at which a node did, or -1
    order: place of a node among all in the order of their starts
    travelling: by kind of travel (see `conflicts`), the first step at which it is over
    converting: by layer, the first step at which its ADCs are free
    """

    waits: Ints
    earliest: Ints
    started: Ints
    order: Ints
    travelling: Ints
    converting: Ints


class Asking(NamedTuple):
    """Who wants a common thing in the current step: a node for each, or -1.

    travel: by kind of travel; order: the same kinds in the order of their coming
    convert: by layer
    """

    travel: Ints
    order: Ints
    convert: Ints


@compiled
def ask(queue: Queue, graph: Graph, pipeline: Pipeline, now: int, asking: Asking) -> int:
    """Fill `asking` for this step, and return the number of travels."""
    asking.travel[:] = NOTHING
    asking.convert[:] = NOTHING
    count = 0
    node = queue.head[now]
    while node != NOTHING:
        i = graph.layer[node]
        what = pipeline.operation[i, (node - graph.first[i]) % pipeline.length[i]]
        if what in (TRANSFER, MERGE):
            kind = 2 * i + (1 if what == MERGE else 0)
            asking.travel[kind] = node
            asking.order[count] = kind
            count += 1
        elif what == CONVERT:
            asking.convert[i] = node
        node = queue.after[node]
    return count


@compiled
def give_links(
    asking: Asking, count: int, pipeline: Pipeline, travelling: Ints, clash: Flags, now: int
) -> None:
    """Let those travel that can; the nodes of the others become -1.

    One on its way is never stopped; of two that begin together the longer one waits, of equal ones
    the one that came later.
    """
    order, travel = asking.order, asking.travel
    for a in range(count):
        for other in range(len(travelling)):
            if travelling[other] > now and clash[order[a], other]:
                travel[order[a]] = NOTHING
    for a in range(count):
        for b in range(a + 1, count):
            one, two = order[a], order[b]
            if travel[one] == NOTHING or travel[two] == NOTHING or not clash[one, two]:
                continue
            longer = travel_steps(pipeline, one) > travel_steps(pipeline, two)
            travel[one if longer else two] = NOTHING
    for a in range(count):
        kind = order[a]
        if travel[kind] != NOTHING:
            travelling[kind] = now + travel_steps(pipeline, kind)


@compiled
def travel_steps(pipeline: Pipeline, kind: int) -> int:
    """Return how long a kind of travel takes; a transfer comes first, a merge last."""
    layer = kind // 2
    return int(pipeline.steps[layer, 0 if kind % 2 == 0 else pipeline.length[layer] - 1])


@compiled
def give_adcs(
    asking: Asking, pipeline: Pipeline, mate: Ints, converting: Ints, now: int, bit_steps: int
) -> None:
    """Let those convert that can; of two that begin together the later layer waits."""
    convert = asking.convert
    for i in range(len(mate)):
        if convert[i] == NOTHING:
            continue
        if mate[i] >= 0 and converting[mate[i]] > now:
            convert[i] = NOTHING
        else:
            converting[i] = now + bit_steps * conversion_steps(pipeline, i)


@compiled
def conversion_steps(pipeline: Pipeline, i: int) -> int:
    """Return the steps of one bit at a layer's ADCs."""
    for k in range(pipeline.length[i]):
        if pipeline.operation[i, k] == CONVERT:
            return int(pipeline.steps[i, k])
    return 0


@compiled
def start(
    node: int,
    now: int,
    queue: Queue,
    graph: Graph,
    pipeline: Pipeline,
    state: State,
) -> None:
    """Start a node, and put whom it sets free into the queue.

    Order decides who comes first to a link: the published code frees the next block before the
    readers.
    """
    i = graph.layer[node]
    n = pipeline.length[i]
    k = (node - graph.first[i]) % n
    state.started[node] = now
    if k + 1 < n:
        free(node + 1, now + pipeline.to_next[i, k], queue, state)
    if node + n < graph.first[i + 1]:
        free(node + n, now + pipeline.to_block[i, k], queue, state)
    if k + 1 == n:
        place = graph.block_first[i] + (node - graph.first[i]) // n
        for e in range(graph.reader_start[place], graph.reader_start[place + 1]):
            then = now + pipeline.to_next[i, k]
            free(graph.reader[e], then, queue, state)


@compiled
def free(node: int, then: int, queue: Queue, state: State) -> None:
    """Note that one predecessor has started; queue the node if it was the last."""
    state.earliest[node] = max(state.earliest[node], then)
    state.waits[node] -= 1
    if state.waits[node] == 0:
        append(queue, state.earliest[node] % len(queue.head), node)


@compiled
def exact_times(
    tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints, limit: int
) -> Times:
    """Return all times, with conflicts of links and of shared ADCs.

    limit: give up at this step; `end` is then -1
    """
    starts = block_starts(layout)
    graph = make_graph(tables, layout, pipeline, starts)
    state = start_all(tables, layout, pipeline, graph, mate, limit)
    return collect(tables, layout, pipeline, graph, starts, state)


@compiled
def exact_starts(tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints) -> Ints:
    """Return the step at which each node starts, in the order of `Graph`."""
    graph = make_graph(tables, layout, pipeline, block_starts(layout))
    return start_all(tables, layout, pipeline, graph, mate, FOREVER).started


@compiled
def start_all(
    tables: Tables, layout: Layout, pipeline: Pipeline, graph: Graph, mate: Ints, limit: int
) -> State:
    """Return when each node starts; -1: not before `limit`."""
    layers = len(tables.kind)
    nodes = graph.first[-1]
    clash = conflicts(tables, layout)
    longest = 2 + pipeline.to_block.max() + pipeline.to_next.max()
    queue = Queue(np.full(longest, NOTHING), np.full(longest, NOTHING), np.full(nodes, NOTHING))
    state = State(
        graph.waits.copy(),
        np.zeros(nodes, np.int64),
        np.full(nodes, -1),
        np.zeros(nodes, np.int64),
        np.zeros(2 * layers, np.int64),
        np.zeros(layers, np.int64),
    )
    for node in range(nodes):
        if state.waits[node] == 0:
            append(queue, 0, node)
    asking = Asking(
        np.full(2 * layers, NOTHING), np.full(2 * layers, NOTHING), np.full(layers, NOTHING)
    )
    late = np.empty(3 * layers, np.int64)
    left = nodes
    now = 0
    while left > 0 and now < limit:
        slot = now % longest
        count = ask(queue, graph, pipeline, slot, asking)
        if count > 0:
            give_links(asking, count, pipeline, state.travelling, clash, now)
        give_adcs(asking, pipeline, mate, state.converting, now, tables.bit_steps)
        node = queue.head[slot]
        queue.head[slot] = NOTHING
        waiting = 0
        while node != NOTHING:
            following = queue.after[node]
            if may_start(node, graph, pipeline, asking):
                start(node, now, queue, graph, pipeline, state)
                state.order[node] = nodes - left
                left -= 1
            else:
                late[waiting] = node
                waiting += 1
            node = following
        for w in range(waiting):
            append(queue, (now + 1) % longest, late[w])
        now += 1
    return state


@compiled
def may_start(node: int, graph: Graph, pipeline: Pipeline, asking: Asking) -> bool:
    """Return whether a node has what it needs."""
    i = graph.layer[node]
    what = pipeline.operation[i, (node - graph.first[i]) % pipeline.length[i]]
    if what == TRANSFER:
        return bool(asking.travel[2 * i] == node)
    if what == MERGE:
        return bool(asking.travel[2 * i + 1] == node)
    if what == CONVERT:
        return bool(asking.convert[i] == node)
    return True


@compiled
def collect(
    tables: Tables,
    layout: Layout,
    pipeline: Pipeline,
    graph: Graph,
    starts: Ints,
    state: State,
) -> Times:
    """Return the times of loads, conversions and stores from those of all nodes."""
    total = starts[-1]
    load = np.empty(total, np.int64)
    adc = np.full(total, -1)
    store = np.empty(total, np.int64)
    order = np.empty(2 * total, np.int64)
    done = np.empty(total, np.int64)
    for i in range(len(tables.kind)):
        n = pipeline.length[i]
        for block in range(layout.blocks[i]):
            place = starts[i] + block
            for k in range(n):
                node = graph.first[i] + block * n + k
                at = state.started[node]
                if pipeline.operation[i, k] == LOAD:
                    load[place] = at
                    order[place] = state.order[node]
                elif pipeline.operation[i, k] == CONVERT:
                    adc[place] = at
                elif pipeline.operation[i, k] == STORE:
                    store[place] = at
                    order[total + place] = state.order[node]
                if k + 1 == n:
                    done[place] = at + pipeline.to_next[i, k]
    end = end_of(tables, pipeline, starts, done) if state.started.min() >= 0 else -1
    interval = interval_alone(layout, pipeline)
    return Times(starts, load, adc, store, order, done, end, interval)
