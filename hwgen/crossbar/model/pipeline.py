"""The operations that the blocks of each layer go through, and how far apart they are."""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.chip_plan import LAG_CLOCKS
from hwgen.crossbar.facts.operations import OPERATIONS
from hwgen.crossbar.model.design import Layout, accesses
from hwgen.crossbar.model.tables import (
    ACCESS_NS,
    CLOCK,
    ELTWISE,
    POOL,
    Bools,
    IntGrid,
    Ints,
    Tables,
)
from hwgen.crossbar.model.traffic import block_words, ceil_div

TRANSFER, LOAD, MVM, CONVERT, SHIFT, ADD, POOLED, ADDED = range(8)
CHAIN, ACTIVATE, GATHER, STORE, MERGE, SEND, RESULT = range(8, 15)
"""Places in `OPERATIONS`, in the order in which a block goes through those that it has."""


@opaque
class Pipeline(NamedTuple):
    """The operations of each layer (rows) in order (columns).

    length: operations of a layer
    operation: which
    steps: of one bit, or of the whole for an operation that is not repeated for each bit
    to_next: delay to the next operation of the same block
    to_block: delay to the same operation of the next block, where nothing is late
    own: delay to the same operation of the next block that the operation itself needs
    back: delay from the next operation, whenever it is, to this one of the next block; 0: none
    """

    length: Ints
    operation: IntGrid
    steps: IntGrid
    to_next: IntGrid
    to_block: IntGrid
    own: IntGrid
    back: IntGrid


@inlined
def is_per_bit(operation: int) -> bool:
    """Return whether an operation is repeated for each bit step."""
    return MVM <= operation <= SHIFT


@inlined
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
    own, back = np.zeros_like(steps), np.zeros_like(steps)
    crowds = all_crowds(tables, layout, clocks, memory, step_ns)
    for i in range(layers):
        n = 0
        there = pipelined(tables, layout, i)
        for what in range(len(OPERATIONS)):
            if not there[what]:
                continue
            operation[i, n] = what
            if MVM <= what <= ADD:
                steps[i, n] = clocks[i]
            elif tables.rules.whole_parts and what in (POOLED, ADDED, ACTIVATE):
                ns = unit_clocks(tables, layout, i, what) * tables.scalars[CLOCK]
                steps[i, n] = steps_of(ns, step_ns)
            else:
                ns = worked_ns(tables, layout, i, what, memory, crowds[i])
                steps[i, n] = steps_of(ns, step_ns)
            n += 1
        length[i] = n
        link(
            operation[i],
            steps[i],
            to_next[i],
            to_block[i],
            n,
            tables.bit_steps,
            tables.rules.registers,
        )
        wait_for_registers(tables, operation[i], steps[i], to_block[i], own[i], back[i], n)
    if tables.rules.one_port and memory >= 0:
        wait_for_ports(tables, layout, memory, step_ns, crowds, operation, to_block, own)
    return Pipeline(length, operation, steps, to_next, to_block, own, back)


@compiled
def wait_for_ports(
    tables: Tables,
    layout: Layout,
    memory: int,
    step_ns: float,
    crowds: Ints,
    operation: Ints,
    to_block: Ints,
    own: Ints,
) -> None:
    """Lengthen the delays between blocks to the periods of the ports of scratchpads."""
    for i in range(len(operation)):
        for k in range(operation.shape[1]):
            accesses_apart = period_of(layout, i, operation[i, k])
            if accesses_apart > 0 and to_block[i, k] > 0:
                ns = (accesses_apart + crowds[i]) * tables.memories[memory, ACCESS_NS]
                to_block[i, k] = max(to_block[i, k], steps_of(ns, step_ns))
                own[i, k] = max(own[i, k], steps_of(ns, step_ns))


@compiled
def all_crowds(tables: Tables, layout: Layout, clocks: Ints, memory: int, step_ns: float) -> Ints:
    """Return, for each layer, the words that arrive beyond two blocks of each provider.

    While the macros of a layer are asked for all that a period holds, a provider may make more of
    them, which makes the period longer, until no further block can begin. By published rules, and
    while no scratchpad is known, there are none.
    """
    layers = len(tables.kind)
    crowds, least = np.zeros(layers, np.int64), np.zeros(layers, np.int64)
    if not tables.rules.one_port or memory < 0:
        return crowds
    access_ns = tables.memories[memory, ACCESS_NS]
    for i in range(layers):
        least[i] = steps_of(most_apart(layout, i) * access_ns, step_ns)
        if tables.crossbars[i] > 0:
            least[i] = max(least[i], tables.bit_steps * clocks[i])
    for i in range(layers):
        more = -1
        while more != crowds[i]:
            crowds[i] = max(0, more)
            steps = steps_of((most_apart(layout, i) + crowds[i]) * access_ns, step_ns)
            more = words_beyond(tables, layout, i, most_begun(tables, layout, least, steps))
    return crowds


@compiled
def most_begun(tables: Tables, layout: Layout, least: Ints, steps: int) -> Ints:
    """Return how many blocks of each layer may begin in some steps.

    least: steps between two blocks of each layer; one without weights waits for its providers too
    """
    begun = np.zeros(len(least), np.int64)
    for i in range(len(least)):
        begun[i] = min(layout.blocks[i], 1 + ceil_div(steps, least[i]))
        if tables.crossbars[i] == 0:
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                p = tables.provider[e]
                made = begun[p] * ceil_div(layout.copies[p], layout.copies[i])
                begun[i] = min(begun[i], made)
    return begun


@compiled
def words_beyond(tables: Tables, layout: Layout, i: int, begun: Ints) -> int:
    """Return the words of all blocks but two of each that is sent to the macros of layer i."""
    more = 0
    for j in range(len(begun)):
        if not meet(layout, i, j):
            continue
        for e in range(tables.provider_start[j], tables.provider_start[j + 1]):
            p = tables.provider[e]
            if layout.shared_macros[j] > 1 or layout.first_macro[j] != layout.merge_macro[p]:
                more += block_words(tables, p, layout.copies[p]) * max(0, begun[p] - 2)
    return more


@inlined
def meet(layout: Layout, i: int, j: int) -> bool:
    """Return whether two layers have a macro in common."""
    return bool(
        layout.first_macro[i] < layout.first_macro[j] + layout.shared_macros[j]
        and layout.first_macro[j] < layout.first_macro[i] + layout.shared_macros[i]
    )


@inlined
def most_apart(layout: Layout, i: int) -> int:
    """Return the accesses between the blocks of a layer, at least, without a crowd."""
    return int(max(layout.ports.load_period[i], layout.ports.store_period[i]))


@inlined
def has_accesses(tables: Tables, i: int, what: int) -> bool:
    """Return whether an operation takes as long as its accesses to a scratchpad, at least."""
    if what == TRANSFER:
        return bool(tables.image[i] > 0)
    return what in (LOAD, STORE, SEND, RESULT)


@inlined
def port_accesses(tables: Tables, layout: Layout, i: int, what: int) -> float:
    """Return the accesses that an operation takes at the port of its scratchpad."""
    if what == TRANSFER:
        return float(layout.ports.image[i])
    if not tables.rules.one_port:
        return accesses(tables, layout.load[i] if what == LOAD else layout.store[i])
    if what == LOAD:
        return float(layout.ports.load[i])
    return float(layout.ports.store[i] if what == STORE else layout.ports.send[i])


@inlined
def period_of(layout: Layout, i: int, what: int) -> int:
    """Return the accesses between the beginnings of two blocks of an operation; 0: none."""
    if what == LOAD:
        return int(layout.ports.load_period[i])
    return int(layout.ports.store_period[i]) if what in (STORE, SEND, RESULT) else 0


@compiled
def wait_for_registers(
    tables: Tables, operation: Ints, steps: Ints, to_block: Ints, own: Ints, back: Ints, count: int
) -> None:
    """Fill what a block of one layer waits for of the block before it, see `Pipeline`."""
    for k in range(count):
        own[k] = to_block[k]
        if tables.rules.registers:
            own[k] = own_steps(operation[k], steps[k], tables.bit_steps)
            if k + 1 < count and not is_per_bit(operation[k]):
                following = own_steps(operation[k + 1], steps[k + 1], tables.bit_steps)
                back[k] = max(1, following - 1)


@inlined
def own_steps(operation: int, steps: int, bit_steps: int) -> int:
    """Return the steps for which a block takes an operation."""
    return steps * (bit_steps if is_per_bit(operation) else 1)


@inlined
def travel_ns(layout: Layout, i: int, what: int) -> float:
    """Return how long a travel of layer i takes."""
    if what == TRANSFER and layout.image[i] > 0:
        return float(layout.image[i])
    if what in (TRANSFER, SEND, RESULT):
        return float(layout.transfer[i])
    return float(layout.chain[i] if what == CHAIN else layout.merge[i])


@inlined
def lag_ns(tables: Tables, layout: Layout, i: int, what: int) -> float:
    """Return the lag of an operation that pays for it: the last one, and travels behind sums."""
    last = what == STORE and layout.transfer[i] == 0
    pays = tables.rules.registers and (last or what in (CHAIN, GATHER, MERGE, SEND, RESULT))
    return LAG_CLOCKS * tables.scalars[CLOCK] if pays else 0.0


@compiled
def worked_ns(tables: Tables, layout: Layout, i: int, what: int, memory: int, crowd: int) -> float:
    """Return how long an operation works; 0: no more than a step, whatever its length.

    Results are read from a scratchpad before they are sent; an image is written while it comes.
    crowd: words that arrive besides
    """
    port, travel = 0.0, 0.0
    if has_accesses(tables, i, what) and memory >= 0:
        port = (port_accesses(tables, layout, i, what) + crowd) * tables.memories[memory, ACCESS_NS]
    if what in (TRANSFER, CHAIN, GATHER, MERGE, SEND, RESULT):
        travel = travel_ns(layout, i, what)
    if what == TRANSFER:
        return max(port, travel)
    return port + travel + lag_ns(tables, layout, i, what)


@compiled
def unit_clocks(tables: Tables, layout: Layout, i: int, what: int) -> int:
    """Return the clocks of a pooling, an addition of maps or an activation, a word in each."""
    copies, channels = layout.copies[i], tables.cout[i]
    if what == POOLED:
        return int(copies * tables.pool_clocks[i])
    if what == ADDED:
        return int(ceil_div(copies * channels, tables.word))
    fullest = ceil_div(copies, layout.copy_shares[i])
    return int(ceil_div(fullest * channels, tables.out_word[i]))


@compiled
def pipelined(tables: Tables, layout: Layout, i: int) -> Bools:
    """Return of each operation whether the blocks of layer i go through it."""
    there = np.full(len(OPERATIONS), tables.crossbars[i] > 0)
    there[TRANSFER] = there[SEND] = there[RESULT] = False
    way = TRANSFER
    if tables.rules.send_once:
        way = SEND if tables.reader_start[i] < tables.reader_start[i + 1] else RESULT
    there[way] = layout.transfer[i] > 0
    there[TRANSFER] |= layout.image[i] > 0
    there[CHAIN] = layout.chain[i] > 0
    last = GATHER if tables.rules.chain_before_activation else MERGE
    there[GATHER] = there[MERGE] = False
    there[last] = layout.merge[i] > 0
    there[LOAD] = there[STORE] = True
    there[POOLED], there[ADDED] = tables.kind[i] == POOL, tables.kind[i] == ELTWISE
    there[ACTIVATE] = tables.activated[i] > 0
    return there


@compiled
def link(
    operation: Ints,
    steps: Ints,
    to_next: Ints,
    to_block: Ints,
    count: int,
    bit_steps: int,
    registers: bool,
) -> None:
    """Fill the delays of one layer: to the next operation, and to the next block.

    registers: products and sums of bits have two banks, and follow each other without a gap
    """
    for k in range(count):
        repeated = bit_steps if is_per_bit(operation[k]) else 1
        if k + 1 == count:
            to_block[k] = steps[k] * repeated
            to_next[k] = steps[k] * repeated
            continue
        next_repeated = bit_steps if is_per_bit(operation[k + 1]) else 1
        whole = is_per_bit(operation[k]) and not is_per_bit(operation[k + 1])
        to_next[k] = steps[k] * (bit_steps if whole else 1)
        after = steps[k + 1] * next_repeated - 1
        if registers:
            after = max(1, after)
        to_block[k] = max(steps[k] * repeated, to_next[k] + after)
        if registers and is_per_bit(operation[k]):
            to_block[k] = steps[k] * repeated
