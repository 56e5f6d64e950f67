"""Nodes that wait for their step, and who of them gets a common link or a shared ADC."""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.crossbar.model.graph import Graph
from hwgen.crossbar.model.links import ARRIVING, CHAINED, MERGED, SENT, TRAVELS, Flags
from hwgen.crossbar.model.pipeline import (
    CHAIN,
    CONVERT,
    GATHER,
    MERGE,
    RESULT,
    SEND,
    TRANSFER,
    Pipeline,
)
from hwgen.crossbar.model.tables import Ints, Tables

NOTHING = -1


class Queue(NamedTuple):
    """Nodes by the step at which they may start, each step's in the order of their coming.

    head, tail: by step modulo their length, a power of two that no delay reaches
    """

    head: Ints
    tail: Ints
    after: Ints


@compiled
def make_queue(pipeline: Pipeline, nodes: int) -> Queue:
    """Return a queue in which nobody waits."""
    longest, length = pipeline.to_block.max() + pipeline.own.max() + pipeline.to_next.max(), 1
    while length < longest + 2:
        length *= 2
    return Queue(np.full(length, NOTHING), np.full(length, NOTHING), np.full(nodes, NOTHING))


@inlined
def append(queue: Queue, step: int, node: int) -> None:
    """Put a node behind the others of its step."""
    if queue.head[step] == NOTHING:
        queue.head[step] = node
    else:
        queue.after[queue.tail[step]] = node
    queue.tail[step] = node
    queue.after[node] = NOTHING


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


class Asking(NamedTuple):
    """Who wants a common thing in the current step: a node for each, or -1.

    travel: by kind of travel; order: the same kinds in the order of their coming
    convert: by layer
    """

    travel: Ints
    order: Ints
    convert: Ints


@compiled
def ask(queue: Queue, graph: Graph, pipeline: Pipeline, now: int, asking: Asking, turn: int) -> int:
    """Fill `asking` for this step, and return the number of travels.

    turn: the operation that asks for ADCs
    """
    asking.travel[:] = NOTHING
    asking.convert[:] = NOTHING
    count = 0
    node = queue.head[now]
    while node != NOTHING:
        i = graph.layer[node]
        what = pipeline.operation[i, graph.place[node]]
        if travel_of(what) >= 0:
            kind = TRAVELS * i + travel_of(what)
            asking.travel[kind] = node
            asking.order[count] = kind
            count += 1
        elif what == turn:
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
def give_by_layer(
    asking: Asking, pipeline: Pipeline, travelling: Ints, clash: Flags, now: int
) -> None:
    """Let those travel that can, the later layers first; the nodes of the others become -1."""
    for kind in range(len(travelling) - 1, -1, -1):
        if asking.travel[kind] == NOTHING:
            continue
        for other in range(len(travelling)):
            if travelling[other] > now and clash[kind, other]:
                asking.travel[kind] = NOTHING
        if asking.travel[kind] != NOTHING:
            travelling[kind] = now + travel_steps(pipeline, kind)


@compiled
def travel_steps(pipeline: Pipeline, kind: int) -> int:
    """Return how long a kind of travel takes."""
    layer, which = divmod(kind, TRAVELS)
    for k in range(pipeline.length[layer]):
        if travel_of(pipeline.operation[layer, k]) == which:
            return int(pipeline.steps[layer, k])
    return 0


@compiled
def give_adcs(
    asking: Asking, pipeline: Pipeline, mate: Ints, converting: Ints, now: int, tables: Tables
) -> None:
    """Let those convert that can; of two that begin together the later layer waits.

    Who asks before it multiplies converts a bit step later.
    """
    convert = asking.convert
    for i in range(len(mate)):
        if convert[i] == NOTHING:
            continue
        steps = conversion_steps(pipeline, i)
        begin = now + (steps if tables.strict else 0)
        if mate[i] >= 0 and converting[mate[i]] > begin:
            convert[i] = NOTHING
        else:
            converting[i] = begin + tables.bit_steps * steps


@compiled
def conversion_steps(pipeline: Pipeline, i: int) -> int:
    """Return the steps of one bit at a layer's ADCs."""
    for k in range(pipeline.length[i]):
        if pipeline.operation[i, k] == CONVERT:
            return int(pipeline.steps[i, k])
    return 0


@inlined
def may_start(node: int, graph: Graph, pipeline: Pipeline, asking: Asking, turn: int) -> bool:
    """Return whether a node has what it needs; turn: the operation that asks for ADCs."""
    i = graph.layer[node]
    what = pipeline.operation[i, graph.place[node]]
    if travel_of(what) >= 0:
        return bool(asking.travel[TRAVELS * i + travel_of(what)] == node)
    if what == turn:
        return bool(asking.convert[i] == node)
    return True
