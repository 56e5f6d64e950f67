"""The clock of the cycle model: all units, one cycle after the other, until END retires.

Tests: `tests/dbpim/model/test_predict.py`.
"""

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.memory import LAST_ARRIVAL, REGISTERS, Port, read_engine
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.timing import WATCHDOG_CYCLES
from hwgen.dbpim.model.computing import (
    blocked_cause,
    idle_cause,
    is_queue_full,
    issue,
    output,
    retire_tile,
    waits_for_row,
)
from hwgen.dbpim.model.feeding import offer_word, release_word, switch_inputs
from hwgen.dbpim.model.loading import LEFT, LOADER_REGISTERS, POPPED, ROW_CORES, loader
from hwgen.dbpim.model.map_writing import WRITER_REGISTERS
from hwgen.dbpim.model.rows import row_step
from hwgen.dbpim.model.sequencing import (
    FETCH,
    FINISHED,
    RUN,
    SEQUENCER,
    SEQUENCER_REGISTERS,
    STEP,
    core_is_idle,
    sequencer,
)
from hwgen.dbpim.model.simd import simd_step
from hwgen.dbpim.model.spans import Spans, account, keep_rest, keep_span, new_counts
from hwgen.dbpim.model.state import (
    BUSY,
    CAUSES,
    IMBALANCE,
    IN_MEMORY,
    INACTIVE_POSITIONS,
    LOAD,
    PIPELINE,
    PRIVATE,
    SIMD,
    Ints,
    Order,
    Record,
    Sizes,
    Table,
    Weights,
)
from hwgen.dbpim.model.walking import fetch, hold_stream, is_row, waits_for_tile, walk
from hwgen.dbpim.model.writing import (
    LANE_REGISTERS,
    WRITTEN_ROW,
    grant,
    is_sent,
    is_stored,
    request,
)

CONV, CORE_OPCODES = int(Opcode.CONV), (int(Opcode.CONV), int(Opcode.SIMD))


@compiled
def run(
    sizes: Sizes, order: Order, weights: Weights, cores: Table, commands: Table, spans: Spans
) -> tuple[int, int, Ints, Ints, int]:
    """Return cycles, load-stall cycles, retirement cycles, causes, and the cycles of a span.

    commands: rows of COMMAND_TYPE: of BEGIN, then of the data and the segment of each LOAD
    spans: filled with what all units do in equal spans of cycles, see `new_spans`
    retirements: cycle of each instruction
    causes: (instructions, len(CAUSES)) cycles of all macros, from retirement to retirement; what
    `hwgen.dbpim.model.cells` divides is all in BUSY
    Cycles are -1 when nothing has moved for WATCHDOG_CYCLES.
    """
    reader = np.zeros(REGISTERS, np.int64)
    reader[LAST_ARRIVAL] = -1
    loading = np.zeros(LOADER_REGISTERS, np.int64)
    # The first LOAD is gathered together with BEGIN.
    loading[LEFT] = sizes.begin_beats + order.packets[0].header_beats
    writer = np.zeros(WRITER_REGISTERS, np.int64)
    state = np.zeros(SEQUENCER_REGISTERS, np.int64)
    arrivals = np.zeros(sizes.read_ahead, np.int64)
    instruction_at = np.zeros(len(order.steps), np.int64)
    retired_at = np.zeros(len(order.steps), np.int64)
    causes = np.zeros((len(order.steps), len(CAUSES)), np.int64)
    spent, kept, accounted, span_cycles = new_counts(sizes.cores), new_counts(sizes.cores), 0, 1
    lanes = np.zeros((sizes.bus_words, LANE_REGISTERS), np.int64)
    lanes[:, WRITTEN_ROW] = IN_MEMORY
    port = Port(sizes.port_bytes, sizes.latency, sizes.read_ahead)
    t = load_stalls = quiet = 0
    while state[SEQUENCER] != FINISHED and quiet < WATCHDOG_CYCLES:
        t += 1
        read_engine(t, port, reader, commands, arrivals)
        moved = loader(t, sizes, order, cores, loading, writer, reader, arrivals, instruction_at)
        step = loading[POPPED] if state[SEQUENCER] == FETCH else state[STEP]
        waits = sequencer(
            t, sizes, order, cores, loading, commands, state, instruction_at, retired_at
        )
        accounted = account(spent, causes, accounted, step)
        computes = wrote = False
        fields = order.steps[step]
        if state[SEQUENCER] == RUN and (fields.opcode in CORE_OPCODES):
            computes, starved, wrote = cores_step(
                t, loading, lanes, cores, fields, order.work[step], sizes, weights, spent
            )
            waits |= starved
        else:
            lanes[:, WRITTEN_ROW] = IN_MEMORY
            spent[: sizes.cores, LOAD if waits else PIPELINE] += sizes.macros
        for core in cores:
            core.rows_valid += loading[ROW_CORES] >> core.number & 1
        if len(spans):
            units = moved, loading[ROW_CORES] > 0, (lanes[:, WRITTEN_ROW] != IN_MEMORY).any()
            span_cycles = keep_span(t, spans, spent, kept, span_cycles, units)
        load_stalls += waits and not computes
        quiet = 0 if moved or wrote or computes else quiet + 1
    account(spent, causes, accounted, -1)
    keep_rest(t, spans, spent, kept, span_cycles)
    end = t if state[SEQUENCER] == FINISHED else -1
    return end, load_stalls, retired_at, causes, span_cycles


@compiled
def cores_step(
    t: int,
    loading: Ints,
    lanes: Ints,
    cores: Table,
    fields: Record,
    work: Table,
    sizes: Sizes,
    weights: Weights,
    spent: Ints,
) -> tuple[bool, bool, bool]:
    """Advance all cores; return whether one computes, waits for the loader, has a word written."""
    stored = 0
    for core in cores:
        if request(core, fields, sizes) == PRIVATE:
            stored |= is_stored(lanes, core, fields, work[core.number], sizes) << core.number
    granted = grant(lanes, cores, fields, sizes)
    if sizes.shares_stream:
        hold_stream(cores, fields)
    computes = starved = False
    wrote = (stored | granted) > 0
    for core in cores:
        if core_is_idle(core, fields):
            spent[core.number, IMBALANCE] += sizes.macros
            continue
        taken = (stored >> core.number & 1) == 1
        if granted >> core.number & 1:
            taken = is_sent(core, fields, sizes)
        waits = waits_for_tile(t, core, fields)
        starved |= waits
        if fields.opcode != CONV:
            fetch(t, core, fields, sizes)
            walk(t, core, fields, work[core.number], sizes, weights)
            own = work[core.number]
            if is_row(fields):
                cause = row_step(t, core, taken, waits, fields, own, sizes)
            else:
                cause = simd_step(t, core, taken, waits, fields, own, sizes)
            computes |= cause == SIMD
            spent[core.number, cause] += sizes.macros
            continue
        row_write = (loading[ROW_CORES] >> core.number & 1) == 1
        own, causes = work[core.number], spent[core.number]
        computed, starves = conv_step(
            t, core, taken, waits, row_write, fields, own, sizes, weights, causes
        )
        computes |= computed
        starved |= starves
    return computes, starved, wrote


@compiled
def conv_step(
    t: int,
    core: Record,
    taken: bool,
    waits: bool,
    row_write: bool,
    fields: Record,
    work: Record,
    sizes: Sizes,
    weights: Weights,
    causes: Ints,
) -> tuple[bool, bool]:
    """Advance a core in a CONV; return whether it computes, and whether it waits for a row."""
    queue_full = is_queue_full(core, sizes)
    fetch(t, core, fields, sizes)
    walk(t, core, fields, work, sizes, weights)
    if sizes.switches:
        switch_inputs(t, core, sizes, weights, queue_full)
    else:
        offer_word(t, core, sizes, weights)
    starved = waits_for_row(t, core, sizes)
    idle = idle_cause(t, queue_full, waits, taken, core, fields, sizes)
    blocked = blocked_cause(taken, core, fields, sizes)
    computes = False
    for macro in range(sizes.macros):
        cause = issue(t, macro, row_write, idle, blocked, core, fields, sizes, weights)
        computes |= cause in (BUSY, INACTIVE_POSITIONS)
        causes[cause] += 1
    if not sizes.switches:
        release_word(core, sizes)
    retire_tile(core, sizes.macros, weights.tiles)
    output(t, core, taken, fields, work, sizes)
    return computes, starved
