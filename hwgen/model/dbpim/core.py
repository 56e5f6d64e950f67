"""One cycle of a core, unit by unit, in the order walker, switch, macros, output.

A unit that reads what another one registers runs before it, or looks at the cycle in which the
entry becomes visible. Timing rules: docs/dbpim-microarchitecture.md.
"""

from numba import njit

from hwgen.model.dbpim.state import (
    BUSY,
    IMBALANCE,
    LOAD,
    OUTPUT,
    RESULT_RING,
    ROW_WRITE,
    SWITCH,
    Cores,
    Ints,
    Record,
    Sizes,
    Stream,
)
from hwgen.spec.dbpim.timing import (
    FETCH_CYCLES,
    FETCH_SLOTS,
    MACRO_CYCLES,
    RESULT_SLOTS,
    SWITCH_CYCLES,
)

WORD_VISIBLE, WORD_TILE, WORD_QUAD, WORD_NUMBER, WORD_TILE_END = range(5)
GROUP_VISIBLE, GROUP_TILE, GROUP_QUAD, GROUP_ROW, GROUP_END, GROUP_TILE_END = range(6)
RESULT_VISIBLE, RESULT_EMIT, RESULT_TILE_END = range(3)


@njit(cache=True)
def start_conv(t: int, c: int, sizes: Sizes, stream: Stream, layer: int, cores: Cores) -> None:
    """`go` at cycle t."""
    fields = stream.layers[layer]
    share = c & ((1 << fields.share_log2) - 1)
    cores.walking[c] = 1
    cores.done[c] = 0
    cores.start[c] = t + 1 + share
    cores.left[c] = fields.count_base + (share < fields.count_extra)
    cores.base[c] = 0
    cores.quad[c] = 0
    cores.word[c] = 0


@njit(cache=True)
def is_active(fields: Record, sizes: Sizes, c: int, local_quad: int, lane: int) -> bool:
    """Return whether a lane of a core's quad is an output position of the layer."""
    share = c & ((1 << fields.share_log2) - 1)
    shares = 1 << fields.share_log2
    quads = fields.count_base * shares + fields.count_extra
    positions = (quads - 1) * sizes.macros + fields.last_lanes
    return bool((local_quad * shares + share) * sizes.macros + lane < positions)


@njit(cache=True)
def position(fields: Record, sizes: Sizes, c: int, local_quad: int, lane: int) -> int:
    """Return the raster number of a lane's output position."""
    share = c & ((1 << fields.share_log2) - 1)
    return int(((local_quad << fields.share_log2) + share) * sizes.macros + lane)


@njit(cache=True)
def waits_for_tile(t: int, c: int, cores: Cores) -> bool:
    """Return whether the walker could go on but knows no tile."""
    if cores.walking[c] == 0 or cores.done[c] == 1 or t < cores.start[c]:
        return False
    walk = cores.walk[c]
    return bool(walk >= cores.tiles_begun[c] or cores.known_at[c, walk] > t)


@njit(cache=True)
def walk_and_fetch(t: int, c: int, sizes: Sizes, stream: Stream, layer: int, cores: Cores) -> None:
    """Grant bank reads to the walker's word; when all are granted, walk on."""
    if cores.walking[c] == 0 or cores.done[c] == 1 or t < cores.start[c]:
        return
    if waits_for_tile(t, c, cores):
        return
    if cores.begun[c] == 0:
        if cores.occupied[c] >= FETCH_SLOTS:
            return
        cores.begun[c] = 1
        cores.occupied[c] += 1
        cores.served[c] = 0
    fields = stream.layers[layer]
    tile = stream.tiles[cores.tile_of[c, cores.walk[c]]]
    if not grant_lanes(c, sizes, fields, tile, cores):
        return
    count = min(fields.chunk_quads, cores.left[c])
    slot = cores.words[c, 1] % FETCH_SLOTS
    entry = cores.word_ring[c, slot]
    entry[WORD_VISIBLE] = t + FETCH_CYCLES
    entry[WORD_TILE] = cores.walk[c]
    entry[WORD_QUAD] = cores.base[c] + cores.quad[c]
    entry[WORD_NUMBER] = cores.word[c]
    entry[WORD_TILE_END] = cores.quad[c] == count - 1
    cores.words[c, 1] += 1
    cores.begun[c] = 0
    advance(c, fields, tile, count, cores)


@njit(cache=True)
def grant_lanes(c: int, sizes: Sizes, fields: Record, tile: Record, cores: Cores) -> bool:
    """Grant what the banks can read in this cycle; return whether the word is complete."""
    walked = (
        (tile.kernel_y * fields.kernel_width + tile.kernel_x) * fields.input_channel_words
        + tile.channel_word
        + cores.word[c]
    )
    pixel = walked // fields.input_channel_words
    kernel_y, kernel_x = pixel // fields.kernel_width, pixel % fields.kernel_width
    local_quad = cores.base[c] + cores.quad[c]
    owner_y, owner_x, busy = 0, 0, 0
    complete = True
    for bank in range(sizes.macros):
        busy = 0
        for macro in range(sizes.macros):
            if cores.served[c] >> macro & 1:
                continue
            lane = (macro - tile.turn) % sizes.macros
            if not is_active(fields, sizes, c, local_quad, lane):
                continue
            place = position(fields, sizes, c, local_quad, lane)
            y = place // fields.output_width * fields.stride + kernel_y - fields.padding
            x = place % fields.output_width * fields.stride + kernel_x - fields.padding
            if y < 0 or x < 0 or y >= fields.input_height or x >= fields.input_width:
                continue
            if (x + sizes.skew * y) % sizes.macros != bank:
                continue
            if busy == 0:
                busy, owner_y, owner_x = 1, y, x
            if y == owner_y and x == owner_x:
                cores.served[c] |= 1 << macro
            else:
                complete = False
    return complete


@njit(cache=True)
def advance(c: int, fields: Record, tile: Record, count: int, cores: Cores) -> None:
    """Go to the next word: of the quad, of the tile's next quad, of the next tile."""
    cores.word[c] += 1
    if cores.word[c] < tile.mask_words:
        return
    cores.word[c] = 0
    cores.quad[c] += 1
    if cores.quad[c] < count:
        return
    cores.quad[c] = 0
    cores.walk[c] += 1
    if tile.last == 0:
        return
    cores.left[c] -= count
    cores.base[c] += count
    if cores.left[c] == 0:
        share = c & ((1 << fields.share_log2) - 1)
        cores.left[c] = fields.count_base + (share < fields.count_extra)
        cores.base[c] = 0
        cores.done[c] = tile.last_group


@njit(cache=True)
def switch_inputs(t: int, c: int, sizes: Sizes, stream: Stream, cores: Cores) -> None:
    """Move kept inputs of the oldest word into the forming group."""
    if cores.words[c, 0] == cores.words[c, 1]:
        return
    entry = cores.word_ring[c, cores.words[c, 0] % FETCH_SLOTS]
    if entry[WORD_VISIBLE] > t or cores.written[c] - cores.read[c].min() >= sizes.queue:
        return
    tile = stream.tiles[cores.tile_of[c, entry[WORD_TILE]]]
    waiting = stream.kept[tile.kept_offset + entry[WORD_NUMBER]] - cores.moved[c]
    moved = min(sizes.rate, sizes.channels - cores.fill[c], waiting)
    released = moved == waiting
    quad_end = released and entry[WORD_NUMBER] == tile.mask_words - 1
    push = cores.fill[c] + moved == sizes.channels or quad_end
    if push:
        group = cores.queue_ring[c, cores.written[c] % sizes.queue]
        group[GROUP_VISIBLE] = t + SWITCH_CYCLES
        group[GROUP_TILE] = entry[WORD_TILE]
        group[GROUP_QUAD] = entry[WORD_QUAD]
        group[GROUP_ROW] = cores.row[c]
        group[GROUP_END] = quad_end
        group[GROUP_TILE_END] = entry[WORD_TILE_END]
        cores.written[c] += 1
        cores.row[c] = 0 if quad_end else cores.row[c] + 1
    cores.fill[c] = 0 if push else cores.fill[c] + moved
    cores.moved[c] = 0 if released else cores.moved[c] + moved
    if released:
        cores.words[c, 0] += 1
        cores.occupied[c] -= 1


@njit(cache=True)
def group_cost(
    c: int, macro: int, group: Ints, sizes: Sizes, stream: Stream, layer: int, cores: Cores
) -> int:
    """Return the bit columns of a group in one macro."""
    fields = stream.layers[layer]
    tile = stream.tiles[cores.tile_of[c, group[GROUP_TILE]]]
    lane = (macro - tile.turn) % sizes.macros
    if not is_active(fields, sizes, c, group[GROUP_QUAD], lane):
        return 0
    place = position(fields, sizes, c, group[GROUP_QUAD], lane)
    return int(stream.cost[tile.cost_offset + place * tile.rows + group[GROUP_ROW]])


@njit(cache=True)
def issue(
    t: int,
    c: int,
    macro: int,
    row_write: bool,
    idle_cost: int,
    sizes: Sizes,
    stream: Stream,
    layer: int,
    cores: Cores,
) -> int:
    """Issue one bit column in a macro if nothing forbids it; return the cause of the cycle."""
    if cores.read[c, macro] == cores.written[c]:
        return idle_cause(t, c, cores)
    group = cores.queue_ring[c, cores.read[c, macro] % sizes.queue]
    if group[GROUP_VISIBLE] > t:
        return idle_cause(t, c, cores)
    if cores.issue_left[c, macro] == 0:
        cost = group_cost(c, macro, group, sizes, stream, layer, cores)
        cores.issue_left[c, macro] = cost if cost > 0 else idle_cost
    if cores.row_base[c, group[GROUP_TILE]] + group[GROUP_ROW] >= cores.rows_valid[c]:
        return LOAD
    if row_write:
        return ROW_WRITE
    tile = stream.tiles[cores.tile_of[c, group[GROUP_TILE]]]
    last = cores.issue_left[c, macro] == 1
    result = last and group[GROUP_END] == 1 and (tile.last == 1 or group[GROUP_TILE_END] == 1)
    if result and cores.outstanding[c, macro] == RESULT_SLOTS:
        return OUTPUT
    cores.issue_left[c, macro] -= 1
    if last:
        cores.read[c, macro] += 1
    if result:
        cores.outstanding[c, macro] += 1
        lane = (macro - tile.turn) % sizes.macros
        active = is_active(stream.layers[layer], sizes, c, group[GROUP_QUAD], lane)
        entry = cores.result_ring[c, macro, cores.result_tail[c, macro] % RESULT_RING]
        entry[RESULT_VISIBLE] = t + MACRO_CYCLES
        entry[RESULT_EMIT] = tile.last == 1 and active
        entry[RESULT_TILE_END] = group[GROUP_TILE_END]
        cores.result_tail[c, macro] += 1
    return BUSY


@njit(cache=True)
def idle_cause(t: int, c: int, cores: Cores) -> int:
    """Return why a macro has no group: no tile, a slow switch, or its core is through."""
    if cores.words[c, 0] != cores.words[c, 1]:
        return SWITCH
    if cores.walking[c] == 0 or cores.done[c] == 1:
        return IMBALANCE
    return LOAD if waits_for_tile(t, c, cores) else SWITCH


@njit(cache=True)
def waits_for_row(t: int, c: int, sizes: Sizes, cores: Cores) -> bool:
    """Return whether some macro has a group whose row of weights has not been written."""
    for macro in range(sizes.macros):
        if cores.read[c, macro] < cores.written[c]:
            group = cores.queue_ring[c, cores.read[c, macro] % sizes.queue]
            row = cores.row_base[c, group[GROUP_TILE]] + group[GROUP_ROW]
            if group[GROUP_VISIBLE] <= t and row >= cores.rows_valid[c]:
                return True
    return False


@njit(cache=True)
def retire_tile(c: int, stream: Stream, cores: Cores) -> None:
    """Free the oldest tile when every macro's last result of it has been popped."""
    if cores.popped[c].min() == 0:
        return
    for macro in range(len(cores.popped[c])):
        cores.popped[c, macro] -= 1
    tile = stream.tiles[cores.tile_of[c, cores.retired[c]]]
    cores.rows_retired[c] += tile.rows
    cores.masks_retired[c] += tile.mask_words
    cores.retired[c] += 1


@njit(cache=True)
def output(t: int, c: int, granted: bool, sizes: Sizes, cores: Cores) -> None:
    """Move the three stages towards the bus and pop one result."""
    stage = cores.stage[c]
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
        if cores.result_head[c, macro] < cores.result_tail[c, macro]:
            entry = cores.result_ring[c, macro, cores.result_head[c, macro] % RESULT_RING]
            if entry[RESULT_VISIBLE] <= t:
                cores.result_head[c, macro] += 1
                cores.outstanding[c, macro] -= 1
                cores.popped[c, macro] += entry[RESULT_TILE_END]
                stage[0] = entry[RESULT_EMIT]
                return
