"""The clock of the cycle model: all units, one cycle after the other, until END retires."""

import numpy as np
from numba import njit

from hwgen.model.dbpim.core import (
    issue,
    output,
    retire_tile,
    switch_inputs,
    waits_for_row,
    waits_for_tile,
    walk_and_fetch,
)
from hwgen.model.dbpim.loading import (
    FINISHED,
    LAYER,
    LEFT,
    LOADER_REGISTERS,
    ROW_CORES,
    RUN,
    SEQUENCER,
    SEQUENCER_REGISTERS,
    loader,
    sequencer,
)
from hwgen.model.dbpim.memory import LAST_ARRIVAL, REGISTERS, read_engine
from hwgen.model.dbpim.simd import REQUEST, simd_step
from hwgen.model.dbpim.state import BUSY, CAUSES, Cores, Ints, Sizes, Stream
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import WATCHDOG_CYCLES

CONV = int(Opcode.CONV)


@njit(cache=True)
def run(
    sizes: Sizes, stream: Stream, cores: Cores, commands: Ints, idle_cost: int
) -> tuple[int, int, Ints, Ints]:
    """Return cycles, load cycles, retirement cycles and causes.

    commands: (3, 3): first active cycle (0: not yet known), address, beats of each read command
    idle_cost: cycles of a group in a macro that has no position
    retirements: cycle of the image, then of each instruction
    causes: (instructions, len(CAUSES)) macro cycles of each CONV
    Cycles are -1 when nothing has moved for WATCHDOG_CYCLES.
    """
    reader = np.zeros(REGISTERS, np.int64)
    reader[LAST_ARRIVAL] = -1
    loading = np.zeros(LOADER_REGISTERS, np.int64)
    loading[LEFT] = sizes.instruction_beats
    state = np.zeros(SEQUENCER_REGISTERS, np.int64)
    arrivals = np.zeros(commands[:, 2].sum(), np.int64)
    instruction_at = np.zeros(len(stream.layers), np.int64)
    retired_at = np.zeros(1 + len(stream.layers), np.int64)
    causes = np.zeros((len(stream.layers), len(CAUSES)), np.int64)
    t = load_cycles = quiet = 0
    priority = 0
    while state[SEQUENCER] != FINISHED and quiet < WATCHDOG_CYCLES:
        t += 1
        granted = grant(priority, sizes, cores)
        if granted >= 0:
            priority = (granted + 1) % sizes.cores
        read_engine(t, sizes, reader, commands, arrivals)
        progress = loader(
            t, sizes, stream, cores, loading, reader, commands, arrivals, instruction_at
        )
        waits = sequencer(t, sizes, stream, cores, loading, state, instruction_at, retired_at)
        computes = False
        for c in range(sizes.cores):
            row_write = bool(loading[ROW_CORES] >> c & 1)
            if state[SEQUENCER] == RUN:
                worked, starved = core_step(
                    t,
                    c,
                    granted == c,
                    row_write,
                    idle_cost,
                    sizes,
                    stream,
                    state[LAYER],
                    cores,
                    causes,
                )
                computes |= worked
                waits |= starved
            cores.rows_valid[c] += row_write
        load_cycles += waits and not computes
        quiet = 0 if progress or computes or granted >= 0 else quiet + 1
    cycles = t if state[SEQUENCER] == FINISHED else -1
    return cycles, load_cycles, retired_at, causes


@njit(cache=True)
def grant(priority: int, sizes: Sizes, cores: Cores) -> int:
    """Return the core that gets the bus, the first that asks from `priority` on, or -1."""
    for step in range(sizes.cores):
        c = (priority + step) % sizes.cores
        if cores.stage[c, 2] == 1 or cores.simd[c, REQUEST] == 1:
            return c
    return -1


@njit(cache=True)
def core_step(
    t: int,
    c: int,
    granted: bool,
    row_write: bool,
    idle_cost: int,
    sizes: Sizes,
    stream: Stream,
    layer: int,
    cores: Cores,
    causes: Ints,
) -> tuple[bool, bool]:
    """Advance one core; return whether it computed and whether it waits for the loader."""
    fields = stream.layers[layer]
    if fields.opcode != CONV:
        worked = simd_step(t, c, granted, sizes, fields, cores)
        return worked, False
    starved = waits_for_tile(t, c, cores) or waits_for_row(t, c, sizes, cores)
    walk_and_fetch(t, c, sizes, stream, layer, cores)
    switch_inputs(t, c, sizes, stream, cores)
    worked = False
    for macro in range(sizes.macros):
        cause = issue(t, c, macro, row_write, idle_cost, sizes, stream, layer, cores)
        worked |= cause == BUSY
        causes[layer, cause] += 1
    retire_tile(c, stream, cores)
    output(t, c, granted, sizes, cores)
    return worked, starved
