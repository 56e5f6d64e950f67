"""One cycle of a core's SIMD unit: parts of fetched words, then stages to the buffers."""

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts.timing import FETCH_SLOTS
from hwgen.dbpim.model import state
from hwgen.dbpim.model.walking import DEPTHWISE, TABLE, down, is_active
from hwgen.dbpim.model.writing import request_of

TO_SCALED = 2
"""Stages of a part before the one in which its totals are scaled."""


@compiled
def simd_is_idle(core: state.Record) -> bool:
    """Return whether all words have been read and all stages are empty."""
    idle = core.words_read == core.words_written and core.row_leaving == 0
    for stage in range(state.SIMD_STAGES):
        idle &= core.simd[stage] == 0 and core.simd_full[stage] == 0
    return bool(idle)


@compiled
def move(core: state.Record, stage: int) -> None:
    """Move what is in the stage before into a stage."""
    core.simd_full[stage] = core.simd_full[stage - 1]
    core.simd[stage] = core.simd[stage - 1]
    core.simd_row[stage] = core.simd_row[stage - 1]
    core.simd_column[stage] = core.simd_column[stage - 1]
    core.simd_words[stage] = core.simd_words[stage - 1]
    core.simd_first[stage] = core.simd_first[stage - 1]
    core.simd_end[stage] = core.simd_end[stage - 1]
    core.simd_full[stage - 1] = core.simd[stage - 1] = 0


@compiled
def advance(core: state.Record, fields: state.Record, sizes: state.Sizes) -> bool:
    """Move the parts in the stages; return whether another may follow.

    None may while totals wait for the requantizers. The stages behind are those of requantizers.
    """
    last, first = state.SIMD_STAGES - 1, state.SIMD_STAGES - sizes.simd_cycles
    scaled = first + TO_SCALED
    turns = sizes.table_turns if fields.operation == TABLE else sizes.simd_turns
    core.simd[last] = 0
    core.turn += 1
    for stage in range(last, scaled + 1, -1):
        move(core, stage)
    if core.simd_full[scaled] == 1 and core.turn == turns:
        move(core, scaled + 1)
    core.simd_full[last] = 0
    if core.simd[last] > 0:
        core.resends = state.SUM_REQUESTS if fields.sums == 1 else 1
    if core.simd_full[scaled] == 0:
        move(core, scaled)
        core.turn = 0
    elif core.simd_full[scaled - 1] == 1:
        return False
    for stage in range(scaled - 1, first, -1):
        move(core, stage)
    return True


@compiled
def simd_step(
    t: int,
    core: state.Record,
    taken: bool,
    waits: bool,
    fields: state.Record,
    work: state.Record,
    sizes: state.Sizes,
) -> int:
    """Advance unless a request waits; return the cause of the cycle, `SIMD` if a part moves.

    taken: the request is over with this cycle; waits: the walker for taps or a table
    """
    last, first = state.SIMD_STAGES - 1, state.SIMD_STAGES - sizes.simd_cycles
    if taken:
        core.sent = 0
        core.resends -= 1
    if core.simd[last] > 0 and not (taken and core.resends == 0):
        return state.WRITE_BUS
    if taken and core.simd_end[last] == 1 and fields.operation == DEPTHWISE:
        core.taps_freed += 1
    if not advance(core, fields, sizes):
        return state.OUTPUT
    if core.words_read == core.words_written:
        return waiting_cause(t, core, waits)
    entry = core.word_ring[core.words_read % FETCH_SLOTS]
    if entry[state.WORD_VISIBLE] > t:
        return state.SWITCH
    core.simd_full[first] = entry[state.WORD_LAST_TAP]
    core.part += 1
    parts = sizes.table_parts if fields.operation == TABLE else sizes.simd_parts
    if core.part < parts and entry[state.WORD_HELD] == 0:
        return state.SIMD
    core.part = 0
    core.words_read += 1
    core.occupied -= 1
    if entry[state.WORD_LAST_TAP] == 1:
        enter(core, first, entry, fields, work, sizes)
    return state.SIMD


@compiled
def waiting_cause(t: int, core: state.Record, waits: bool) -> int:
    """Return why the unit has no word."""
    if core.walking == 0:
        return state.IMBALANCE
    if core.done == 1 and core.requested == 0:
        return state.IMBALANCE if simd_is_idle(core) else state.PIPELINE
    if t < core.start:
        return state.PIPELINE
    return state.LOAD if waits else state.SWITCH


@compiled
def enter(
    core: state.Record,
    stage: int,
    entry: state.Ints,
    fields: state.Record,
    work: state.Record,
    sizes: state.Sizes,
) -> None:
    """Put the result of the last part of a word-vector into a stage."""
    y, x = entry[state.WORD_Y], entry[state.WORD_X]
    words, first, last_row = 0, 0, y
    for number in range(sizes.macros):
        if is_active(y, x, number, fields, sizes):
            below = down(number, fields, sizes)
            words += 1
            first += 1 - below
            last_row = y + below
    row = entry[state.WORD_IMAGE] * fields.output_image_rows
    to_memory = fields.to_memory == 1
    core.simd[stage] = request_of(row + y, row + last_row, words, to_memory, work)
    core.simd_row[stage] = row + y
    core.simd_column[stage] = entry[state.WORD_IMAGE] * fields.output_image_columns + x
    core.simd_words[stage] = words
    core.simd_first[stage] = first
    core.simd_end[stage] = entry[state.WORD_END]
