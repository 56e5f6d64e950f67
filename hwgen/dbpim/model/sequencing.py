"""One cycle of the sequencer: steps start and retire.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.chip.memory import Port, store_cycles
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.model.computing import stages_empty
from hwgen.dbpim.model.loading import LOADS, MAP, MAP_DONE, POPPED, STATE
from hwgen.dbpim.model.simd import simd_is_idle
from hwgen.dbpim.model.state import NEVER, Ints, Order, Record, Sizes, Table
from hwgen.dbpim.model.walking import TABLE, is_row, start_core

CONV, SIMD, STORE, END, LOAD = (
    int(each) for each in (Opcode.CONV, Opcode.SIMD, Opcode.STORE, Opcode.END, Opcode.LOAD)
)

LOGIT_BYTES = ACCUMULATOR_BITS // 8

# Registers of the sequencer.
SEQUENCER, STEP, WAIT_UNTIL = range(3)
SEQUENCER_REGISTERS = 3
FETCH, GO, RUN, FINISHED = range(4)


@compiled
def sequencer(
    t: int,
    sizes: Sizes,
    order: Order,
    cores: Table,
    loading: Ints,
    commands: Table,
    state: Ints,
    instruction_at: Ints,
    retired_at: Ints,
) -> bool:
    """Advance by a cycle; return whether it waits for a map or for an instruction."""
    if state[SEQUENCER] == FETCH:
        number = loading[POPPED]
        if number == len(order.steps) or not 0 < instruction_at[number] <= t:
            return True
        loading[POPPED] += 1
        state[STEP] = number
        state[SEQUENCER] = GO
        return False
    fields, work = order.steps[state[STEP]], order.work[state[STEP]]
    starts = state[SEQUENCER] == GO
    if starts:
        go(t, sizes, cores, loading, commands, fields, work, state)
    if is_through(t, cores, loading, fields, state):
        retired_at[state[STEP]] = t
        last = state[STEP] == len(order.steps) - 1
        state[SEQUENCER] = FINISHED if last else FETCH
    return bool(fields.opcode == LOAD and not starts)


@compiled
def go(
    t: int,
    sizes: Sizes,
    cores: Table,
    loading: Ints,
    commands: Table,
    fields: Record,
    work: Table,
    state: Ints,
) -> None:
    """Start the units that a step needs."""
    state[SEQUENCER], state[WAIT_UNTIL] = RUN, t + 1
    if fields.opcode == END:
        state[WAIT_UNTIL] = t
    elif fields.opcode == STORE:
        port = Port(sizes.port_bytes, sizes.latency, sizes.read_ahead)
        state[WAIT_UNTIL] = t + store_cycles(fields.offset, fields.words * LOGIT_BYTES, port)
    elif fields.opcode == LOAD:
        # Of each LOAD there are two commands, after that of BEGIN: its data, the next segment.
        data = 1 + 2 * loading[LOADS]
        commands[data]["cycle"], commands[data + 1]["cycle"] = t + 1, t + 2
        loading[LOADS] += 1
        loading[MAP_DONE] = 0
        loading[STATE] = MAP
    else:
        for core in cores:
            if fields.active_cores >> core.number & 1:
                start_core(t, core, fields, work[core.number])


@compiled
def is_through(t: int, cores: Table, loading: Ints, fields: Record, state: Ints) -> bool:
    """Return whether the step that runs retires in this cycle; its cores then rest."""
    if t < state[WAIT_UNTIL]:
        return False
    if fields.opcode == LOAD:
        return bool(loading[MAP_DONE] == t)
    for core in cores:
        if not core_is_idle(core, fields):
            return False
    for core in cores:
        if core.walking == 1 and fields.opcode == SIMD and fields.operation == TABLE:
            core.table_at = NEVER
        if core.walking == 1 and fields.opcode == SIMD and is_row(fields):
            core.floats_at = NEVER
        core.walking = core.done = 0
    return True


@compiled
def core_is_idle(core: Record, fields: Record) -> bool:
    """Return whether a core has finished its part of the step."""
    if core.walking == 0:
        return True
    if core.done == 0 or core.requested == 1:
        return False
    if fields.opcode == CONV:
        return bool(core.retired == core.walk and stages_empty(core))
    return simd_is_idle(core)
