"""When every operation of every block starts, conflicts included: an event queue.

Only the first bit of an operation is an event: later bits follow it one by one and delay nothing.
That holds with shared ADCs too: of two bits that meet at an ADC the lower one waits, so a chain of
bits that has begun is never interrupted, and only a first bit waits, until the chain of the other
layer is through.

Images of a stream enter one after the other; a layer goes through the blocks of one image, then
through those of the next. The first image has nothing before it, as if it were alone.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.crossbar.model.arbiter import (
    NOTHING,
    Asking,
    Queue,
    append,
    ask,
    give_adcs,
    give_by_layer,
    give_links,
    make_queue,
    may_start,
)
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.graph import Graph, make_graph
from hwgen.crossbar.model.links import TRAVELS, conflicts
from hwgen.crossbar.model.pipeline import ADD, CONVERT, LOAD, MVM, STORE, Pipeline
from hwgen.crossbar.model.tables import Ints, Tables
from hwgen.crossbar.model.timing import Times, end_of, interval_alone


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


@inlined
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
    k = graph.place[node]
    state.started[node] = now
    if k + 1 < n:
        free(node + 1, now + pipeline.to_next[i, k], queue, state)
    if node + n < graph.first[i + 1]:
        free(node + n, now + pipeline.own[i, k], queue, state)
        if k > 0 and pipeline.back[i, k - 1] > 0:
            free(node + n - 1, now + pipeline.back[i, k - 1], queue, state)
        if (
            graph.bank[i] >= 0
            and pipeline.operation[i, k] == ADD
            and node + 2 * n < graph.first[i + 1]
        ):
            free(node + 2 * n + graph.bank[i] - k, now + 1, queue, state)
    if k + 1 == n:
        place = graph.block_first[i] + (node - graph.first[i]) // n
        for e in range(graph.reader_start[place], graph.reader_start[place + 1]):
            then = now + pipeline.to_next[i, k]
            free(graph.reader[e], then, queue, state)


@inlined
def free(node: int, then: int, queue: Queue, state: State) -> None:
    """Note that one predecessor has started; queue the node if it was the last."""
    state.earliest[node] = max(state.earliest[node], then)
    state.waits[node] -= 1
    if state.waits[node] == 0:
        append(queue, state.earliest[node] & (len(queue.head) - 1), node)


def exact_times(tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints) -> Times:
    """Return all times of one image, with conflicts of links and of shared ADCs."""
    return stream_times(tables, layout, pipeline, mate, 1, 0)


def stream_times(
    tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints, images: int, interval: int
) -> Times:
    """Return all times of a stream: of each layer the blocks of one image behind the others.

    images: that enter; interval: steps that one enters behind the other
    """
    graph = make_graph(tables, layout, pipeline, images)
    started, order = start_all(tables, layout, pipeline, graph, mate, images, interval)
    return collect(tables, layout, pipeline, graph, started, order)


def exact_starts(tables: Tables, layout: Layout, pipeline: Pipeline, mate: Ints) -> Ints:
    """Return the step at which each node of an image starts, in the order of `Graph`."""
    graph = make_graph(tables, layout, pipeline, 1)
    started: Ints = start_all(tables, layout, pipeline, graph, mate, 1, 0)[0]
    return started


@compiled
def start_all(
    tables: Tables,
    layout: Layout,
    pipeline: Pipeline,
    graph: Graph,
    mate: Ints,
    images: int,
    interval: int,
) -> tuple[Ints, Ints]:
    """Return when each node starts, and its place among all in the order of their starts."""
    layers = len(tables.kind)
    nodes = graph.first[-1]
    clash = conflicts(tables, layout)
    queue = make_queue(pipeline, nodes)
    state = State(
        graph.waits.copy(),
        np.zeros(nodes, np.int64),
        np.full(nodes, -1),
        np.zeros(nodes, np.int64),
        np.zeros(TRAVELS * layers, np.int64),
        np.zeros(layers, np.int64),
    )
    asking = Asking(
        np.full(TRAVELS * layers, NOTHING),
        np.full(TRAVELS * layers, NOTHING),
        np.full(layers, NOTHING),
    )
    late = np.empty((TRAVELS + 1) * layers, np.int64)
    turn = MVM if tables.strict else CONVERT
    left, entered = nodes, 0
    now = 0
    while left > 0:
        if entered < images and now == entered * interval:
            enter(entered, now, tables, layout, pipeline, graph, queue, state)
            entered += 1
        slot = now & (len(queue.head) - 1)
        count = ask(queue, graph, pipeline, slot, asking, turn)
        if count > 0:
            if tables.strict:
                give_by_layer(asking, pipeline, state.travelling, clash, now)
            else:
                give_links(asking, count, pipeline, state.travelling, clash, now)
        give_adcs(asking, pipeline, mate, state.converting, now, tables)
        node = queue.head[slot]
        queue.head[slot] = NOTHING
        waiting = 0
        while node != NOTHING:
            following = queue.after[node]
            if may_start(node, graph, pipeline, asking, turn):
                start(node, now, queue, graph, pipeline, state)
                state.order[node] = nodes - left
                left -= 1
            else:
                late[waiting] = node
                waiting += 1
            node = following
        for w in range(waiting):
            append(queue, (now + 1) & (len(queue.head) - 1), late[w])
        now += 1
    return state.started, state.order


@compiled
def enter(
    image: int,
    now: int,
    tables: Tables,
    layout: Layout,
    pipeline: Pipeline,
    graph: Graph,
    queue: Queue,
    state: State,
) -> None:
    """Free the first blocks of the layers that read an image, now that it is there."""
    for i in range(len(tables.kind)):
        if tables.provider_start[i] == tables.provider_start[i + 1]:
            free(graph.first[i] + image * layout.blocks[i] * pipeline.length[i], now, queue, state)


@compiled
def collect(
    tables: Tables, layout: Layout, pipeline: Pipeline, graph: Graph, started: Ints, order_of: Ints
) -> Times:
    """Return the times of loads, conversions and stores from those of all nodes."""
    starts = graph.block_first
    total = starts[-1]
    load = np.empty(total, np.int64)
    adc = np.full(total, -1)
    store = np.empty(total, np.int64)
    order = np.empty(2 * total, np.int64)
    done = np.empty(total, np.int64)
    for i in range(len(tables.kind)):
        n = pipeline.length[i]
        for place in range(starts[i], starts[i + 1]):
            for k in range(n):
                node = graph.first[i] + (place - starts[i]) * n + k
                at = started[node]
                if pipeline.operation[i, k] == LOAD:
                    load[place] = at
                    order[place] = order_of[node]
                elif pipeline.operation[i, k] == CONVERT:
                    adc[place] = at
                elif pipeline.operation[i, k] == STORE:
                    store[place] = at
                    order[total + place] = order_of[node]
                if k + 1 == n:
                    done[place] = at + pipeline.to_next[i, k]
    end = end_of(tables, pipeline, starts, done)
    interval = interval_alone(layout, pipeline)
    return Times(starts, load, adc, store, order, done, end, interval)
