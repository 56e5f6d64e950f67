"""One cycle of the computing side of a core: macros, tile store and output stage.

It runs after the feeding side, whose entries name the cycle in which they become visible. Timing
rules: docs/dbpim-microarchitecture.md.
"""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.feeding import is_active, position, waits_for_tile
from hwgen.model.dbpim.state import (
    BUSY,
    GROUP_END,
    GROUP_ROW,
    GROUP_TILE,
    GROUP_TILE_END,
    GROUP_VECTOR,
    GROUP_VISIBLE,
    IMBALANCE,
    INACTIVE_POSITIONS,
    LOAD,
    OUTPUT,
    PIPELINE,
    QUEUE,
    RESULT_EMIT,
    RESULT_RING,
    RESULT_TILE_END,
    RESULT_VISIBLE,
    ROW_WRITE,
    SWITCH,
    WRITE_BUS,
    Ints,
    Record,
    Sizes,
    Table,
    Weights,
)
from hwgen.spec.dbpim.timing import MACRO_CYCLES, REQUANTIZE_CYCLES, RESULT_SLOTS, TILE_SLOTS


@compiled
def group_cost(
    macro: int, group: Ints, core: Record, fields: Record, sizes: Sizes, weights: Weights
) -> int:
    """Return the cycles of a group in one macro: its bit planes with a one."""
    tile = weights.tiles[core.tile_of[group[GROUP_TILE] % TILE_SLOTS]]
    offset = (macro - tile.turn) % sizes.macros
    if not is_active(fields, sizes, core, group[GROUP_VECTOR], offset):
        return sizes.idle_cost
    raster = position(fields, sizes, core, group[GROUP_VECTOR], offset)
    return int(weights.cost[tile.cost_offset + raster * tile.rows + group[GROUP_ROW]])


@compiled
def issue(
    t: int,
    macro: int,
    row_write: bool,
    idle: int,
    blocked: int,
    core: Record,
    fields: Record,
    sizes: Sizes,
    weights: Weights,
) -> int:
    """Issue one bit plane in a macro unless it must wait; return the cause of the cycle.

    idle, blocked: the cause of a macro without a group, and without a place for its result
    """
    if core.read[macro] == core.written:
        return idle
    group = core.queue_ring[core.read[macro] % sizes.queue]
    if group[GROUP_VISIBLE] > t:
        return idle
    if core.issue_left[macro] == 0:
        core.issue_left[macro] = group_cost(macro, group, core, fields, sizes, weights)
    if core.row_base[group[GROUP_TILE] % TILE_SLOTS] + group[GROUP_ROW] >= core.rows_valid:
        return LOAD
    if row_write:
        return ROW_WRITE
    tile = weights.tiles[core.tile_of[group[GROUP_TILE] % TILE_SLOTS]]
    last = core.issue_left[macro] == 1
    result = last and group[GROUP_END] == 1 and (tile.last == 1 or group[GROUP_TILE_END] == 1)
    if result and core.outstanding[macro] == RESULT_SLOTS:
        return blocked
    core.issue_left[macro] -= 1
    if last:
        core.read[macro] += 1
    offset = (macro - tile.turn) % sizes.macros
    active = is_active(fields, sizes, core, group[GROUP_VECTOR], offset)
    if result:
        core.outstanding[macro] += 1
        entry = core.result_ring[macro, core.result_tail[macro] % RESULT_RING]
        entry[RESULT_VISIBLE] = t + MACRO_CYCLES
        entry[RESULT_EMIT] = tile.last == 1 and active
        entry[RESULT_TILE_END] = group[GROUP_TILE_END]
        core.result_tail[macro] += 1
    return BUSY if active else INACTIVE_POSITIONS


@compiled
def idle_cause(t: int, queue_full: bool, granted: bool, core: Record, sizes: Sizes) -> int:
    """Return why a macro of a core has no group in cycle t."""
    if queue_full:
        return QUEUE
    if core.words_read != core.words_written:
        return SWITCH
    if core.walking == 0:
        return IMBALANCE
    if core.done == 1:
        return last_cause(granted, core, sizes)
    if t < core.start:
        return PIPELINE
    return LOAD if waits_for_tile(t, core) else SWITCH


@compiled
def last_cause(granted: bool, core: Record, sizes: Sizes) -> int:
    """Return what a macro waits for when its core has no further group in the layer."""
    if core.read[: sizes.macros].min() < core.written:
        return IMBALANCE
    if core.stage[-1] == 1 and not granted:
        return WRITE_BUS
    through = core.stage.sum() == 0 and core.retired == core.walk
    return IMBALANCE if through else PIPELINE


@compiled
def blocked_cause(granted: bool, core: Record) -> int:
    """Return why a finished result has no place: all output stages wait for the bus, or not."""
    return OUTPUT if granted or core.stage.min() == 0 else WRITE_BUS


@compiled
def waits_for_row(t: int, core: Record, sizes: Sizes) -> bool:
    """Return whether some macro has a group whose row of weights has not been written."""
    for macro in range(sizes.macros):
        if core.read[macro] < core.written:
            group = core.queue_ring[core.read[macro] % sizes.queue]
            row = core.row_base[group[GROUP_TILE] % TILE_SLOTS] + group[GROUP_ROW]
            if group[GROUP_VISIBLE] <= t and row >= core.rows_valid:
                return True
    return False


@compiled
def retire_tile(core: Record, macros: int, tiles: Table) -> None:
    """Free the oldest tile when every macro's last result of it has been popped."""
    if core.popped[:macros].min() == 0:
        return
    for macro in range(macros):
        core.popped[macro] -= 1
    tile = tiles[core.tile_of[core.retired % TILE_SLOTS]]
    core.rows_retired += tile.rows
    core.masks_retired += tile.mask_words
    core.retired += 1


@compiled
def output(t: int, core: Record, granted: bool, sizes: Sizes) -> None:
    """Move the stages towards the bus and pop one result."""
    stage = core.stage
    free = granted
    for number in range(REQUANTIZE_CYCLES - 1, -1, -1):
        free = stage[number] == 0 or free
        if free:
            stage[number] = stage[number - 1] if number > 0 else 0
    if not free:
        return
    for macro in range(sizes.macros):
        if core.result_head[macro] < core.result_tail[macro]:
            entry = core.result_ring[macro, core.result_head[macro] % RESULT_RING]
            if entry[RESULT_VISIBLE] <= t:
                core.result_head[macro] += 1
                core.outstanding[macro] -= 1
                core.popped[macro] += entry[RESULT_TILE_END]
                stage[0] = entry[RESULT_EMIT]
                return
