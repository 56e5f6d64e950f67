"""Blocks of one layer that wait for registers, against each kind of wait written out."""

import numpy as np

from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.pipeline import ADD, MVM, Pipeline
from hwgen.crossbar.model.timing import advance, make_registers, waits_of
from tests.crossbar.model.buildable import buildable

BLOCKS = 12
SLOWER = 20.0
"""How much longer accesses to scratchpads take, so that results leave late."""

Starts = dict[tuple[int, int], int]


def written_out(pipeline: Pipeline, i: int, ready: list[int], *, banks: bool) -> Starts:
    """When each operation of each block of layer i starts; banks: products wait for them."""
    starts: Starts = {}
    operations = pipeline.operation[i, : pipeline.length[i]].tolist()
    for block, there in enumerate(ready):
        for k, what in enumerate(operations):
            waits = [there] if k == 0 else [starts[block, k - 1] + pipeline.to_next[i, k - 1]]
            if block > 0:
                waits.append(starts[block - 1, k] + pipeline.own[i, k])
            if block > 0 and pipeline.back[i, k] > 0:
                waits.append(starts[block - 1, k + 1] + pipeline.back[i, k])
            if block > 1 and what == MVM and banks:
                waits.append(starts[block - 2, operations.index(ADD)] + 1)
            starts[block, k] = max(waits)
    return starts


def test_every_wait_is_kept() -> None:
    random = np.random.default_rng(5)
    held_by_banks = 0
    for _, _, _, pipeline in buildable(STRICT, range(60), slower=SLOWER):
        waits, registers = waits_of(pipeline), make_registers(pipeline)
        for i in range(len(pipeline.length)):
            end = int(pipeline.length[i])
            ready = np.cumsum(random.integers(0, 40, BLOCKS)).tolist()
            expected = written_out(pipeline, i, ready, banks=True)
            for block, there in enumerate(ready):
                part = int(random.integers(0, end))
                advance(waits, registers, i, block, 0, part, there)
                then = registers.starts[block & 1, i, part - 1] if part > 0 else there
                advance(waits, registers, i, block, part, end, then)
                found = registers.starts[block & 1, i, :end].tolist()
                assert found == [expected[block, k] for k in range(end)]
            held_by_banks += expected != written_out(pipeline, i, ready, banks=False)
    assert held_by_banks > 10
