"""The clock of the cycle model: all units, one cycle after the other, until END retires."""

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.computing import (
    blocked_cause,
    idle_cause,
    issue,
    output,
    retire_tile,
    waits_for_row,
)
from hwgen.model.dbpim.feeding import switch_inputs, waits_for_tile, walk_and_fetch
from hwgen.model.dbpim.loading import (
    FETCH,
    FINISHED,
    LAYER,
    LEFT,
    LOADER_REGISTERS,
    POPPED,
    ROW_CORES,
    RUN,
    SEQUENCER,
    SEQUENCER_REGISTERS,
    WAIT_IMAGE,
    loader,
    sequencer,
)
from hwgen.model.dbpim.memory import LAST_ARRIVAL, REGISTERS, read_engine
from hwgen.model.dbpim.simd import REQUEST, simd_step
from hwgen.model.dbpim.state import (
    BUSY,
    CAUSES,
    INACTIVE_POSITIONS,
    LOAD,
    PIPELINE,
    SIMD,
    Ints,
    Order,
    Record,
    Sizes,
    Table,
    Weights,
)
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import WATCHDOG_CYCLES

CONV = int(Opcode.CONV)


@compiled
def run(
    sizes: Sizes, order: Order, weights: Weights, cores: Table, commands: Table
) -> tuple[int, int, Ints, Ints]:
    """Return cycles, load-stall cycles, retirement cycles and causes.

    commands: rows of COMMAND_TYPE: of BEGIN, image and stream
    retirements: cycle of the image, then of each instruction
    causes: (instructions, len(CAUSES)) cycles of all macros, from retirement to retirement; what
    `hwgen.model.dbpim.cells` divides is all in BUSY
    Cycles are -1 when nothing has moved for WATCHDOG_CYCLES.
    """
    reader = np.zeros(REGISTERS, np.int64)
    reader[LAST_ARRIVAL] = -1
    loading = np.zeros(LOADER_REGISTERS, np.int64)
    loading[LEFT] = sizes.instruction_beats
    state = np.zeros(SEQUENCER_REGISTERS, np.int64)
    beats = 0
    for command in commands:
        beats += command.beats
    arrivals = np.zeros(beats, np.int64)
    instruction_at = np.zeros(len(order.layers), np.int64)
    retired_at = np.zeros(1 + len(order.layers), np.int64)
    causes = np.zeros((len(order.layers), len(CAUSES)), np.int64)
    t = load_stalls = quiet = priority = 0
    while state[SEQUENCER] != FINISHED and quiet < WATCHDOG_CYCLES:
        t += 1
        granted = grant(priority, cores)
        if granted >= 0:
            priority = (granted + 1) % sizes.cores
        read_engine(t, sizes, reader, commands, arrivals)
        moved = loader(t, sizes, order, cores, loading, reader, commands, arrivals, instruction_at)
        in_image = state[SEQUENCER] == WAIT_IMAGE
        layer = loading[POPPED] if state[SEQUENCER] == FETCH else state[LAYER]
        waits = sequencer(t, sizes, order, cores, loading, state, instruction_at, retired_at)
        computes = False
        if state[SEQUENCER] == RUN:
            computes, starved = cores_step(
                t, granted, loading, cores, order.layers[layer], sizes, weights, causes[layer]
            )
            waits |= starved
        elif not in_image:
            causes[layer, LOAD if waits else PIPELINE] += sizes.cores * sizes.macros
        for core in cores:
            core.rows_valid += loading[ROW_CORES] >> core.number & 1
        load_stalls += waits and not computes
        quiet = 0 if moved or computes or granted >= 0 else quiet + 1
    cycles = t if state[SEQUENCER] == FINISHED else -1
    return cycles, load_stalls, retired_at, causes


@compiled
def grant(priority: int, cores: Table) -> int:
    """Return the core that gets the bus, the first that asks from `priority` on, or -1."""
    for step in range(len(cores)):
        number = (priority + step) % len(cores)
        if cores[number].stage[-1] == 1 or cores[number].simd[REQUEST] == 1:
            return number
    return -1


@compiled
def cores_step(
    t: int,
    granted: int,
    loading: Ints,
    cores: Table,
    fields: Record,
    sizes: Sizes,
    weights: Weights,
    causes: Ints,
) -> tuple[bool, bool]:
    """Advance all cores; return whether one computed and whether one waits for the loader."""
    worked = starved = False
    for core in cores:
        has_bus = granted == core.number
        if fields.opcode != CONV:
            cause = simd_step(t, core, has_bus, sizes, fields)
            worked |= cause == SIMD
            causes[cause] += sizes.macros
            continue
        starved |= waits_for_tile(t, core) or waits_for_row(t, core, sizes)
        queue_full = core.written - core.read[: sizes.macros].min() >= sizes.queue
        walk_and_fetch(t, core, fields, sizes, weights)
        switch_inputs(t, core, sizes, weights)
        row_write = (loading[ROW_CORES] >> core.number & 1) == 1
        idle, blocked = (
            idle_cause(t, queue_full, has_bus, core, sizes),
            blocked_cause(has_bus, core),
        )
        for macro in range(sizes.macros):
            cause = issue(t, macro, row_write, idle, blocked, core, fields, sizes, weights)
            worked |= cause in (BUSY, INACTIVE_POSITIONS)
            causes[cause] += 1
        retire_tile(core, sizes.macros, weights.tiles)
        output(t, core, has_bus, sizes)
    return worked, starved
