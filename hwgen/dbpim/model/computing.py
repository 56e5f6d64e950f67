"""One cycle of the computing side of a core: macros, tile store and output stage.

It runs after the feeding side, whose entries name the cycle in which they become visible. Timing
rules: docs/dbpim-microarchitecture.md.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts.timing import RESULT_SLOTS, TILE_SLOTS
from hwgen.dbpim.model import state
from hwgen.dbpim.model.walking import down, is_active, right
from hwgen.dbpim.model.writing import request_of, result_stages


@compiled
def begin_group(
    macro: int,
    group: state.Ints,
    tile: state.Record,
    core: state.Record,
    fields: state.Record,
    sizes: state.Sizes,
    weights: state.Weights,
) -> None:
    """Set the bit planes of a group in one macro, and the stored row of the macro's position."""
    number = (macro - tile.turn) % sizes.macros
    y, x = group[state.GROUP_Y], group[state.GROUP_X]
    if not is_active(y, x, number, fields, sizes):
        core.issue_left[macro], core.issue_row[macro] = sizes.idle_cost, -1
        return
    y, x = y + down(number, fields, sizes), x + right(number, fields, sizes)
    image = group[state.GROUP_IMAGE]
    rows = fields.output_end_row - fields.output_first_row
    raster = (image * rows + y - fields.output_first_row) * fields.output_width + x
    at = tile.cost_offset + raster * tile.cost_stride + group[state.GROUP_ROW]
    core.issue_left[macro] = weights.cost[at]
    core.issue_row[macro] = image * fields.output_image_rows + y
    core.issue_column[macro] = image * fields.output_image_columns + x


@compiled
def issue(
    t: int,
    macro: int,
    row_write: bool,
    idle: int,
    blocked: int,
    core: state.Record,
    fields: state.Record,
    sizes: state.Sizes,
    weights: state.Weights,
) -> int:
    """Issue one bit plane in a macro unless it must wait; return the cause of the cycle.

    idle, blocked: the cause of a macro without a group, and without a place for its result
    """
    if core.read[macro] == core.written:
        return idle
    group = core.queue_ring[core.read[macro] % sizes.queue]
    if group[state.GROUP_VISIBLE] > t:
        return idle
    slot = group[state.GROUP_TILE] % TILE_SLOTS
    tile = weights.tiles[core.tile_of[slot]]
    if core.issue_left[macro] == 0:
        begin_group(macro, group, tile, core, fields, sizes, weights)
    if core.row_base[slot] + group[state.GROUP_ROW] >= core.rows_valid:
        return state.LOAD
    if row_write:
        return state.ROW_WRITE
    last = core.issue_left[macro] == 1
    result = (
        last
        and group[state.GROUP_END] == 1
        and (tile.last == 1 or group[state.GROUP_TILE_END] == 1)
    )
    if result and core.outstanding[macro] == RESULT_SLOTS:
        return blocked
    core.issue_left[macro] -= 1
    if last:
        core.read[macro] += 1
    active = core.issue_row[macro] >= 0
    if result:
        core.outstanding[macro] += 1
        entry = core.result_ring[macro, core.result_tail[macro] % state.RESULT_RING]
        entry[state.RESULT_VISIBLE] = t + sizes.macro_cycles
        entry[state.RESULT_EMIT] = tile.last == 1 and active
        entry[state.RESULT_DOUBLE] = tile.double
        entry[state.RESULT_TILE_END] = group[state.GROUP_TILE_END]
        entry[state.RESULT_ROW] = core.issue_row[macro]
        entry[state.RESULT_COLUMN] = core.issue_column[macro]
        core.result_tail[macro] += 1
    return state.BUSY if active else state.INACTIVE_POSITIONS


@compiled
def idle_cause(
    t: int,
    queue_full: bool,
    waits: bool,
    taken: bool,
    core: state.Record,
    fields: state.Record,
    sizes: state.Sizes,
) -> int:
    """Return why a macro of a core has no group in cycle t; waits: the walker for a tile."""
    if queue_full:
        return state.QUEUE
    if core.words_read != core.words_written:
        return state.SWITCH
    if core.walking == 0:
        return state.IMBALANCE
    if core.done == 1 and core.requested == 0:
        return last_cause(taken, core, fields, sizes)
    if t < core.start:
        return state.PIPELINE
    return state.LOAD if waits else state.SWITCH


@compiled
def last_cause(taken: bool, core: state.Record, fields: state.Record, sizes: state.Sizes) -> int:
    """Return what a macro waits for when its core has no further group in the step."""
    for macro in range(sizes.macros):
        if core.read[macro] < core.written:
            return state.IMBALANCE
    if core.stage[result_stages(fields, sizes) - 1] > 0 and not taken:
        return state.WRITE_BUS
    through = stages_empty(core) and core.retired == core.walk
    return state.IMBALANCE if through else state.PIPELINE


@compiled
def stages_empty(core: state.Record) -> bool:
    """Return whether no result is in the output stage."""
    empty = True
    for number in range(state.RESULT_STAGES):
        empty &= core.stage[number] == 0
    return empty


@compiled
def blocked_cause(taken: bool, core: state.Record, fields: state.Record, sizes: state.Sizes) -> int:
    """Return why a finished result has no place: all output stages wait for the bus, or not."""
    if taken:
        return state.OUTPUT
    for number in range(result_stages(fields, sizes)):
        if core.stage[number] == 0:
            return state.OUTPUT
    return state.WRITE_BUS


@compiled
def is_queue_full(core: state.Record, sizes: state.Sizes) -> bool:
    """Return whether the queue of some macro is full."""
    full = False
    for macro in range(sizes.macros):
        full |= core.written - core.read[macro] >= sizes.queue
    return full


@compiled
def waits_for_row(t: int, core: state.Record, sizes: state.Sizes) -> bool:
    """Return whether some macro has a group whose row of weights has not been written."""
    for macro in range(sizes.macros):
        if core.read[macro] < core.written:
            group = core.queue_ring[core.read[macro] % sizes.queue]
            row = core.row_base[group[state.GROUP_TILE] % TILE_SLOTS] + group[state.GROUP_ROW]
            if group[state.GROUP_VISIBLE] <= t and row >= core.rows_valid:
                return True
    return False


@compiled
def retire_tile(core: state.Record, macros: int, tiles: state.Table) -> None:
    """Free the oldest tile when every macro's last result of it has been popped."""
    for macro in range(macros):
        if core.popped[macro] == 0:
            return
    for macro in range(macros):
        core.popped[macro] -= 1
    tile = tiles[core.tile_of[core.retired % TILE_SLOTS]]
    core.rows_retired += tile.rows
    core.masks_retired += tile.mask_words
    core.retired += 1


@compiled
def output(
    t: int,
    core: state.Record,
    taken: bool,
    fields: state.Record,
    work: state.Record,
    sizes: state.Sizes,
) -> None:
    """Move the stages towards the buffers and pop one result, or take half of a double one."""
    stage, row, column = core.stage, core.stage_row, core.stage_column
    free = taken
    for number in range(result_stages(fields, sizes) - 1, -1, -1):
        free = stage[number] == 0 or free
        if free:
            stage[number] = stage[number - 1] if number > 0 else 0
            row[number] = row[number - 1] if number > 0 else 0
            column[number] = column[number - 1] if number > 0 else 0
    if not free:
        return
    for macro in range(sizes.macros):
        if core.halved > 0 and macro != core.halved - 1:
            continue
        if core.result_head[macro] < core.result_tail[macro]:
            entry = core.result_ring[macro, core.result_head[macro] % state.RESULT_RING]
            if entry[state.RESULT_VISIBLE] <= t:
                if entry[state.RESULT_EMIT] == 1:
                    row[0], column[0] = entry[state.RESULT_ROW], entry[state.RESULT_COLUMN]
                    stage[0] = request_of(row[0], row[0], 1, fields.raw == 1, work)
                    if entry[state.RESULT_DOUBLE] == 1 and core.halved == 0:
                        core.halved = macro + 1
                        return
                core.halved = 0
                core.result_head[macro] += 1
                core.outstanding[macro] -= 1
                core.popped[macro] += entry[state.RESULT_TILE_END]
                return
