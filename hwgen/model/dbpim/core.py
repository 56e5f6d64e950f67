"""One cycle of a core, unit by unit, in the order walker, switch, macros, output.

A unit that reads what another one registers runs before it, or looks at the cycle in which the
entry becomes visible. Timing rules: docs/dbpim-microarchitecture.md.
"""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.state import (
    BUSY,
    IMBALANCE,
    LOAD,
    OUTPUT,
    RESULT_RING,
    ROW_WRITE,
    SWITCH,
    Ints,
    Record,
    Sizes,
    Table,
    Weights,
)
from hwgen.spec.dbpim.timing import (
    FETCH_CYCLES,
    FETCH_SLOTS,
    MACRO_CYCLES,
    RESULT_SLOTS,
    SWITCH_CYCLES,
    TILE_SLOTS,
)

WORD_VISIBLE, WORD_TILE, WORD_QUAD, WORD_NUMBER, WORD_TILE_END = range(5)
GROUP_VISIBLE, GROUP_TILE, GROUP_QUAD, GROUP_ROW, GROUP_END, GROUP_TILE_END = range(6)
RESULT_VISIBLE, RESULT_EMIT, RESULT_TILE_END = range(3)


@compiled
def start_conv(t: int, core: Record, fields: Record) -> None:
    """`go` at cycle t."""
    share = core.number & ((1 << fields.share_log2) - 1)
    core.share = share
    core.walking = 1
    core.done = 0
    core.start = t + 1 + share
    core.left = fields.count_base + (share < fields.count_extra)
    core.base = 0
    core.quad = 0
    core.word = 0


@compiled
def is_active(fields: Record, sizes: Sizes, share: int, local_quad: int, lane: int) -> bool:
    """Return whether a lane of a core's quad is an output position of the layer."""
    shares = 1 << fields.share_log2
    quads = fields.count_base * shares + fields.count_extra
    positions = (quads - 1) * sizes.macros + fields.last_lanes
    return bool((local_quad * shares + share) * sizes.macros + lane < positions)


@compiled
def position(fields: Record, sizes: Sizes, share: int, local_quad: int, lane: int) -> int:
    """Return the raster number of a lane's output position."""
    return int(((local_quad << fields.share_log2) + share) * sizes.macros + lane)


@compiled
def waits_for_tile(t: int, core: Record) -> bool:
    """Return whether the walker could go on but knows no tile."""
    if core.walking == 0 or core.done == 1 or t < core.start:
        return False
    walk = core.walk
    return bool(walk >= core.tiles_begun or core.known_at[walk % TILE_SLOTS] > t)


@compiled
def walk_and_fetch(t: int, core: Record, fields: Record, sizes: Sizes, weights: Weights) -> None:
    """Grant bank reads to the walker's word; when all are granted, walk on."""
    if core.walking == 0 or core.done == 1 or t < core.start:
        return
    if waits_for_tile(t, core):
        return
    if core.begun == 0:
        if core.occupied >= FETCH_SLOTS:
            return
        core.begun = 1
        core.occupied += 1
        core.served = 0
    tile = weights.tiles[core.tile_of[core.walk % TILE_SLOTS]]
    if not grant_lanes(core, sizes, fields, tile):
        return
    count = min(fields.chunk_quads, core.left)
    slot = core.words_written % FETCH_SLOTS
    entry = core.word_ring[slot]
    entry[WORD_VISIBLE] = t + FETCH_CYCLES
    entry[WORD_TILE] = core.walk
    entry[WORD_QUAD] = core.base + core.quad
    entry[WORD_NUMBER] = core.word
    entry[WORD_TILE_END] = core.quad == count - 1
    core.words_written += 1
    core.begun = 0
    advance(core, fields, tile, count)


@compiled
def grant_lanes(core: Record, sizes: Sizes, fields: Record, tile: Record) -> bool:
    """Grant what the banks can read in this cycle; return whether the word is complete."""
    walked = (
        (tile.kernel_y * fields.kernel_width + tile.kernel_x) * fields.input_channel_words
        + tile.channel_word
        + core.word
    )
    pixel = walked // fields.input_channel_words
    kernel_y, kernel_x = pixel // fields.kernel_width, pixel % fields.kernel_width
    local_quad = core.base + core.quad
    owner_y, owner_x, busy = 0, 0, 0
    complete = True
    for bank in range(sizes.macros):
        busy = 0
        for macro in range(sizes.macros):
            if core.served >> macro & 1:
                continue
            lane = (macro - tile.turn) % sizes.macros
            if not is_active(fields, sizes, core.share, local_quad, lane):
                continue
            place = position(fields, sizes, core.share, local_quad, lane)
            y = place // fields.output_width * fields.stride + kernel_y - fields.padding
            x = place % fields.output_width * fields.stride + kernel_x - fields.padding
            if y < 0 or x < 0 or y >= fields.input_height or x >= fields.input_width:
                continue
            if (x + sizes.skew * y) % sizes.macros != bank:
                continue
            if busy == 0:
                busy, owner_y, owner_x = 1, y, x
            if y == owner_y and x == owner_x:
                core.served |= 1 << macro
            else:
                complete = False
    return complete


@compiled
def advance(core: Record, fields: Record, tile: Record, count: int) -> None:
    """Go to the next word: of the quad, of the tile's next quad, of the next tile."""
    core.word += 1
    if core.word < tile.mask_words:
        return
    core.word = 0
    core.quad += 1
    if core.quad < count:
        return
    core.quad = 0
    core.walk += 1
    if tile.last == 0:
        return
    core.left -= count
    core.base += count
    if core.left == 0:
        core.left = fields.count_base + (core.share < fields.count_extra)
        core.base = 0
        core.done = tile.last_group


@compiled
def switch_inputs(t: int, core: Record, sizes: Sizes, weights: Weights) -> None:
    """Move kept inputs of the oldest word into the forming group."""
    if core.words_read == core.words_written:
        return
    entry = core.word_ring[core.words_read % FETCH_SLOTS]
    if entry[WORD_VISIBLE] > t or core.written - core.read[: sizes.macros].min() >= sizes.queue:
        return
    tile = weights.tiles[core.tile_of[entry[WORD_TILE] % TILE_SLOTS]]
    waiting = weights.kept[tile.kept_offset + entry[WORD_NUMBER]] - core.moved
    moved = min(sizes.rate, sizes.channels - core.fill, waiting)
    released = moved == waiting
    quad_end = released and entry[WORD_NUMBER] == tile.mask_words - 1
    push = core.fill + moved == sizes.channels or quad_end
    if push:
        group = core.queue_ring[core.written % sizes.queue]
        group[GROUP_VISIBLE] = t + SWITCH_CYCLES
        group[GROUP_TILE] = entry[WORD_TILE]
        group[GROUP_QUAD] = entry[WORD_QUAD]
        group[GROUP_ROW] = core.row
        group[GROUP_END] = quad_end
        group[GROUP_TILE_END] = entry[WORD_TILE_END]
        core.written += 1
        core.row = 0 if quad_end else core.row + 1
    core.fill = 0 if push else core.fill + moved
    core.moved = 0 if released else core.moved + moved
    if released:
        core.words_read += 1
        core.occupied -= 1


@compiled
def group_cost(
    macro: int, group: Ints, core: Record, fields: Record, sizes: Sizes, weights: Weights
) -> int:
    """Return the bit columns of a group in one macro."""
    tile = weights.tiles[core.tile_of[group[GROUP_TILE] % TILE_SLOTS]]
    lane = (macro - tile.turn) % sizes.macros
    if not is_active(fields, sizes, core.share, group[GROUP_QUAD], lane):
        return sizes.idle_cost
    place = position(fields, sizes, core.share, group[GROUP_QUAD], lane)
    return int(weights.cost[tile.cost_offset + place * tile.rows + group[GROUP_ROW]])


@compiled
def issue(
    t: int,
    macro: int,
    row_write: bool,
    core: Record,
    fields: Record,
    sizes: Sizes,
    weights: Weights,
) -> int:
    """Issue one bit column in a macro if nothing forbids it; return the cause of the cycle."""
    if core.read[macro] == core.written:
        return idle_cause(t, core)
    group = core.queue_ring[core.read[macro] % sizes.queue]
    if group[GROUP_VISIBLE] > t:
        return idle_cause(t, core)
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
        return OUTPUT
    core.issue_left[macro] -= 1
    if last:
        core.read[macro] += 1
    if result:
        core.outstanding[macro] += 1
        lane = (macro - tile.turn) % sizes.macros
        active = is_active(fields, sizes, core.share, group[GROUP_QUAD], lane)
        entry = core.result_ring[macro, core.result_tail[macro] % RESULT_RING]
        entry[RESULT_VISIBLE] = t + MACRO_CYCLES
        entry[RESULT_EMIT] = tile.last == 1 and active
        entry[RESULT_TILE_END] = group[GROUP_TILE_END]
        core.result_tail[macro] += 1
    return BUSY


@compiled
def idle_cause(t: int, core: Record) -> int:
    """Return why a macro has no group: no tile, a slow switch, or its core is through."""
    if core.words_read != core.words_written:
        return SWITCH
    if core.walking == 0 or core.done == 1:
        return IMBALANCE
    return LOAD if waits_for_tile(t, core) else SWITCH


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
    """Move the three stages towards the bus and pop one result."""
    stage = core.stage
    take_3 = stage[2] == 0 or granted
    take_2 = stage[1] == 0 or take_3
    take_1 = stage[0] == 0 or take_2
    if take_3:
        stage[2] = stage[1]
    if take_2:
        stage[1] = stage[0]
    if not take_1:
        return
    stage[0] = 0
    for macro in range(sizes.macros):
        if core.result_head[macro] < core.result_tail[macro]:
            entry = core.result_ring[macro, core.result_head[macro] % RESULT_RING]
            if entry[RESULT_VISIBLE] <= t:
                core.result_head[macro] += 1
                core.outstanding[macro] -= 1
                core.popped[macro] += entry[RESULT_TILE_END]
                stage[0] = entry[RESULT_EMIT]
                return
