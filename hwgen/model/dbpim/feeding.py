"""One cycle of the feeding side of a core: walker, fetcher and sparse-allocation switch.

A unit that reads another unit's register runs before it, or compares the cycle in which the entry
becomes visible. Timing rules: docs/dbpim-microarchitecture.md.
"""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.state import (
    GROUP_END,
    GROUP_ROW,
    GROUP_TILE,
    GROUP_TILE_END,
    GROUP_VECTOR,
    GROUP_VISIBLE,
    WORD_NUMBER,
    WORD_TILE,
    WORD_TILE_END,
    WORD_VECTOR,
    WORD_VISIBLE,
    Record,
    Sizes,
    Weights,
)
from hwgen.spec.dbpim.timing import (
    DISPATCH_CYCLES,
    FETCH_CYCLES,
    FETCH_SLOTS,
    SWITCH_CYCLES,
    TILE_SLOTS,
)


@compiled
def start_conv(t: int, core: Record, fields: Record) -> None:
    """Start a core at cycle t (`go`), one cycle after the instruction was taken."""
    core_in_set = core.number & ((1 << fields.cores_per_set_log2) - 1)
    core.core_in_set = core_in_set
    core.walking = 1
    core.done = 0
    core.start = t - 1 + DISPATCH_CYCLES + core_in_set
    core.left = fields.count_base + (core_in_set < fields.count_extra)
    core.base = 0
    core.vector = 0
    core.word = 0


@compiled
def is_active(fields: Record, sizes: Sizes, core: Record, local_vector: int, offset: int) -> bool:
    """Return whether an entry of a core's position vector is an output position of the layer.

    local_vector: index among the vectors of the core; offset: of the entry in the vector
    """
    vectors = (fields.count_base << fields.cores_per_set_log2) + fields.count_extra
    positions = (vectors - 1) * sizes.macros + fields.last_positions
    return bool(position(fields, sizes, core, local_vector, offset) < positions)


@compiled
def position(fields: Record, sizes: Sizes, core: Record, local_vector: int, offset: int) -> int:
    """Return the raster number of an entry of a core's position vector."""
    vector = (local_vector << fields.cores_per_set_log2) + core.core_in_set
    return int(vector * sizes.macros + offset)


@compiled
def waits_for_tile(t: int, core: Record) -> bool:
    """Return whether the walker has work but no tile header yet."""
    if core.walking == 0 or core.done == 1 or t < core.start:
        return False
    walk = core.walk
    return bool(walk >= core.tiles_begun or core.known_at[walk % TILE_SLOTS] > t)


@compiled
def walk_and_fetch(t: int, core: Record, fields: Record, sizes: Sizes, weights: Weights) -> None:
    """Grant bank reads of the walker's word; when all are granted, advance to the next word."""
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
    if not grant_reads(core, sizes, fields, tile):
        return
    count = min(fields.chunk_vectors, core.left)
    slot = core.words_written % FETCH_SLOTS
    entry = core.word_ring[slot]
    entry[WORD_VISIBLE] = t + FETCH_CYCLES
    entry[WORD_TILE] = core.walk
    entry[WORD_VECTOR] = core.base + core.vector
    entry[WORD_NUMBER] = core.word
    entry[WORD_TILE_END] = core.vector == count - 1
    core.words_written += 1
    core.begun = 0
    advance(core, fields, tile, count)


@compiled
def grant_reads(core: Record, sizes: Sizes, fields: Record, tile: Record) -> bool:
    """Grant what the banks can read in this cycle; return whether the word is complete."""
    walked = (
        (tile.kernel_y * fields.kernel_width + tile.kernel_x) * fields.input_channel_words
        + tile.channel_word
        + core.word
    )
    pixel = walked // fields.input_channel_words
    kernel_y, kernel_x = pixel // fields.kernel_width, pixel % fields.kernel_width
    local_vector = core.base + core.vector
    owner_y, owner_x, busy = 0, 0, 0
    complete = True
    for bank in range(sizes.macros):
        busy = 0
        for macro in range(sizes.macros):
            if core.served >> macro & 1:
                continue
            offset = (macro - tile.turn) % sizes.macros
            if not is_active(fields, sizes, core, local_vector, offset):
                continue
            raster = position(fields, sizes, core, local_vector, offset)
            y = raster // fields.output_width * fields.stride + kernel_y - fields.padding
            x = raster % fields.output_width * fields.stride + kernel_x - fields.padding
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
    """Go to the next word: of the vector, of the tile's next vector, of the next tile."""
    core.word += 1
    if core.word < tile.mask_words:
        return
    core.word = 0
    core.vector += 1
    if core.vector < count:
        return
    core.vector = 0
    core.walk += 1
    if tile.last == 0:
        return
    core.left -= count
    core.base += count
    if core.left == 0:
        core.left = fields.count_base + (core.core_in_set < fields.count_extra)
        core.base = 0
        core.done = tile.last_group


@compiled
def switch_inputs(t: int, core: Record, sizes: Sizes, weights: Weights) -> None:
    """Move selected inputs of the oldest word into the group that is being filled."""
    if core.words_read == core.words_written:
        return
    entry = core.word_ring[core.words_read % FETCH_SLOTS]
    if entry[WORD_VISIBLE] > t or core.written - core.read[: sizes.macros].min() >= sizes.queue:
        return
    tile = weights.tiles[core.tile_of[entry[WORD_TILE] % TILE_SLOTS]]
    waiting = weights.selected[tile.selected_offset + entry[WORD_NUMBER]] - core.moved
    moved = min(sizes.rate, sizes.channels - core.fill, waiting)
    released = moved == waiting
    vector_end = released and entry[WORD_NUMBER] == tile.mask_words - 1
    push = core.fill + moved == sizes.channels or vector_end
    if push:
        group = core.queue_ring[core.written % sizes.queue]
        group[GROUP_VISIBLE] = t + SWITCH_CYCLES
        group[GROUP_TILE] = entry[WORD_TILE]
        group[GROUP_VECTOR] = entry[WORD_VECTOR]
        group[GROUP_ROW] = core.row
        group[GROUP_END] = vector_end
        group[GROUP_TILE_END] = entry[WORD_TILE_END]
        core.written += 1
        core.row = 0 if vector_end else core.row + 1
    core.fill = 0 if push else core.fill + moved
    core.moved = 0 if released else core.moved + moved
    if released:
        core.words_read += 1
        core.occupied -= 1
