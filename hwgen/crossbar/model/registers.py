"""When the blocks of a layer start that wait for registers, see `Pipeline.own` and `back`.

An operation of a block starts after the operation before it, after the same one of the last block,
and when the next one of the last block has freed its registers. Products wait for the additions of
the block before the last one, which free a bank of accumulators. What is not waited for is a delay
from `FAR_PAST`, so that a block is one chain of maxima without a branch.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.crossbar.model.pipeline import ADD, CONVERT, LOAD, MVM, STORE, Pipeline
from hwgen.crossbar.model.tables import Ints

FAR_PAST = -(1 << 40)
"""Before anything that is waited for, with any delay."""


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
