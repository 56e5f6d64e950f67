"""One cycle of the walker and the fetcher of a core: words of the input map, one after the other.

A unit that reads another unit's register runs before it, or compares the cycle in which the entry
becomes visible. Timing rules: docs/dbpim-microarchitecture.md.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts.instructions import PRODUCTS, ROWS, TWO_MAPS, Opcode, Operation
from hwgen.dbpim.facts.timing import (
    FETCH_CYCLES,
    FETCH_SLOTS,
    TAP_SLOTS,
    TILE_SLOTS,
)
from hwgen.dbpim.model.state import (
    WORD_END,
    WORD_HELD,
    WORD_IMAGE,
    WORD_LAST_TAP,
    WORD_NUMBER,
    WORD_TILE,
    WORD_VISIBLE,
    WORD_X,
    WORD_Y,
    Record,
    Sizes,
    Table,
    Weights,
)

CONV = int(Opcode.CONV)
DEPTHWISE, TABLE = int(Operation.DEPTHWISE), int(Operation.TABLE)
OF_TWO_MAPS = tuple(int(each) for each in TWO_MAPS)
MULTIPLIED = tuple(int(each) for each in PRODUCTS)
OF_ROWS = tuple(int(each) for each in ROWS)


@compiled
def start_core(t: int, core: Record, fields: Record, work: Record) -> None:
    """Start a core at cycle t (`go`), one cycle after the instruction was taken."""
    core.walking = 1
    core.done = 0
    core.start = t + 1
    if fields.opcode != CONV and is_product(fields):
        results = fields.stride_y
        core.start += work.word_first // results + work.word_first % results
    core.left = work.vectors
    first_vector(core, work)
    core.word = work.word_first
    core.channel_word = work.word_first
    core.vector = 0
    core.fetching = core.fetch_known = core.requested = 0
    core.kernel_y = core.kernel_x = 0
    core.tap = core.part = 0
    core.row_pass = core.row_channel = core.row_settles = 0


@compiled
def first_vector(core: Record, work: Record) -> None:
    """Go to the core's first position vector."""
    core.image = core.chunk_image = work.start_image
    core.y = core.chunk_y = work.start_y
    core.x = core.chunk_x = work.start_x


@compiled
def next_vector(core: Record, fields: Record, sizes: Sizes) -> None:
    """Go to the next position vector."""
    core.x += sizes.macros >> fields.patch
    if core.x < fields.output_width:
        return
    core.x = 0
    core.y += 1 + fields.patch
    if core.y >= fields.output_end_row:
        core.y = fields.output_first_row
        core.image += 1


@compiled
def down(number: int, fields: Record, sizes: Sizes) -> int:
    """Return the rows from the first position of a vector to another one."""
    return int(fields.patch == 1 and number >= sizes.macros // 2)


@compiled
def right(number: int, fields: Record, sizes: Sizes) -> int:
    """Return the columns from the first position of a vector to another one."""
    return number - down(number, fields, sizes) * (sizes.macros // 2)


@compiled
def is_active(y: int, x: int, number: int, fields: Record, sizes: Sizes) -> bool:
    """Return whether a position of the vector at (y, x) is an output position of the step."""
    inside = x + right(number, fields, sizes) < fields.output_width
    return bool(inside and y + down(number, fields, sizes) < fields.output_end_row)


@compiled
def waits_for_tile(t: int, core: Record, fields: Record) -> bool:
    """Return whether the walker has work but no tile, taps or table yet."""
    if core.walking == 0 or core.done == 1 or t < core.start:
        return False
    if fields.opcode == CONV:
        walk = core.walk
        return bool(walk >= core.tiles_begun or core.known_at[walk % TILE_SLOTS] > t)
    if fields.operation == DEPTHWISE:
        walk = core.taps_walked
        return bool(walk >= core.taps_begun or core.taps_at[walk % TAP_SLOTS] > t)
    if fields.operation == TABLE:
        return bool(core.table_at > t)
    return bool(is_row(fields) and core.floats_at > t)


@compiled
def hold_stream(cores: Table, fields: Record) -> None:
    """Hold all cores of a CONV until each that walks can read the next word of their stream.

    The tiles of all cores have the same words, so cores that begin together stay together.
    """
    held = False
    for core in cores:
        if core.walking == 1 and (core.done == 0 or core.requested == 1):
            busy = core.fetching == 1 or core.occupied >= FETCH_SLOTS
            held |= busy or core.requested == 0
    for core in cores:
        core.held = held and fields.opcode == CONV


@compiled
def fetch(t: int, core: Record, fields: Record, sizes: Sizes) -> None:
    """Grant bank reads of the requested word; with the last one the request is taken."""
    if core.requested == 0:
        return
    if core.fetching == 0:
        if core.occupied >= FETCH_SLOTS or core.held == 1:
            return
        core.occupied += 1
        core.fetching = 1
        for bank in range(sizes.macros):
            core.bank_left[bank] = core.requested_reads[bank]
    if not grant_reads(core, fields, sizes):
        return
    core.fetching = core.requested = 0
    entry = core.word_ring[core.words_written % FETCH_SLOTS]
    core.words_written += 1
    entry[:] = core.request
    entry[WORD_VISIBLE] = t + FETCH_CYCLES


@compiled
def walk(
    t: int, core: Record, fields: Record, work: Record, sizes: Sizes, weights: Weights
) -> None:
    """Put the walker's word into the register of the request, if that is free, and advance."""
    if core.walking == 0 or core.done == 1 or t < core.start:
        return
    if core.requested == 1 or waits_for_tile(t, core, fields):
        return
    if fields.opcode == CONV and core.word == 0:
        tile = weights.tiles[core.tile_of[core.walk % TILE_SLOTS]]
        core.kernel_y, core.kernel_x = tile.kernel_y, tile.kernel_x
        core.channel_word = tile.channel_word
        core.fetch_known = 0
    if core.fetch_known == 0:
        if fields.opcode != CONV and (is_product(fields) or is_row(fields)):
            count_reads_at_output(core, fields, sizes)
        else:
            count_reads(core, fields, sizes)
        core.fetch_known = 1
    core.requested = 1
    for bank in range(sizes.macros):
        core.requested_reads[bank] = core.bank_reads[bank]
    request = core.request
    request[WORD_IMAGE] = core.image
    request[WORD_Y] = core.y
    request[WORD_X] = core.x
    if fields.opcode == CONV:
        count = min(fields.chunk_vectors, core.left)
        request[WORD_TILE] = core.walk
        request[WORD_NUMBER] = core.word
        request[WORD_END] = core.vector == count - 1
        tile = weights.tiles[core.tile_of[core.walk % TILE_SLOTS]]
        advance_conv(core, fields, work, sizes, tile, count)
    else:
        last = is_last_tap(core, fields)
        end = last and core.left == 1
        request[WORD_LAST_TAP] = last
        request[WORD_HELD] = is_product(fields) and core.kernel_x == 0
        request[WORD_END] = end
        advance_simd(core, fields, work, sizes, last, end)


@compiled
def added_bank(core: Record, fields: Record, sizes: Sizes) -> int:
    """Return the bank that the residual adder reads in this cycle, or -1."""
    last = sizes.requantize_cycles - 1
    if fields.adds == 0 or core.stage[last] == 0:
        return -1
    column = core.stage_column[last] + fields.second_column
    return int((column + sizes.skew * core.stage_row[last]) % sizes.macros)


@compiled
def grant_reads(core: Record, fields: Record, sizes: Sizes) -> bool:
    """Let each bank serve one of the reads that wait; return whether none is left."""
    added, left = added_bank(core, fields, sizes), False
    for bank in range(sizes.macros):
        if core.bank_left[bank] > 0:
            core.bank_left[bank] -= bank != added
            left |= core.bank_left[bank] > 0
    return not left


@compiled
def count_reads(core: Record, fields: Record, sizes: Sizes) -> None:
    """Set the reads of each bank for a word of the current pixel.

    In each cycle a bank reads one address, for all macros that need it.
    """
    for bank in range(sizes.macros):
        core.bank_reads[bank] = 0
    second = fields.opcode != CONV and core.tap == 1 and reads_second(fields)
    if not second and core.channel_word >= fields.input_channel_words:
        return
    for number in range(sizes.macros):
        core.read_row[number] = -1
        if not is_active(core.y, core.x, number, fields, sizes):
            continue
        y, x = core.y + down(number, fields, sizes), core.x + right(number, fields, sizes)
        if second:
            if fields.second_broadcast == 1:
                y = x = 0
            row = core.image * fields.second_image_rows + y
            column = core.image * fields.second_image_columns + x
        else:
            y = y * fields.stride_y + core.kernel_y - fields.padding_top
            x = x * fields.stride_x + core.kernel_x - fields.padding_left
            if is_outside(y, x, fields):
                continue
            y, x = y >> fields.grow_y, x >> fields.grow_x
            row = core.image * fields.input_image_rows + y
            column = core.image * fields.input_image_columns + x
        core.read_row[number], core.read_column[number] = row, column
        shared = False
        for other in range(number):
            shared |= core.read_row[other] == row and core.read_column[other] == column
        if not shared:
            bank = (column + sizes.skew * row) % sizes.macros
            core.bank_reads[bank] += 1


@compiled
def count_reads_at_output(core: Record, fields: Record, sizes: Sizes) -> None:
    """Set the reads of a word at each position, or of the pixel of map b that all meet."""
    for bank in range(sizes.macros):
        core.bank_reads[bank] = 0
    if core.kernel_x > 0 and is_product(fields):
        core.bank_reads[0] = 1
        return
    for number in range(sizes.macros):
        if is_active(core.y, core.x, number, fields, sizes):
            row = core.image * fields.input_image_rows + core.y + down(number, fields, sizes)
            column = core.image * fields.input_image_columns + core.x
            column += right(number, fields, sizes)
            core.bank_reads[(column + sizes.skew * row) % sizes.macros] += 1


@compiled
def is_outside(y: int, x: int, fields: Record) -> bool:
    """Return whether a window sees no pixel of the map; between pixels there may be zeros."""
    down, across = 1 << fields.grow_y, 1 << fields.grow_x
    if y < 0 or x < 0 or y >= fields.input_height * down or x >= fields.input_width * across:
        return True
    return bool(fields.grow_zeros == 1 and y % down + x % across > 0)


@compiled
def reads_second(fields: Record) -> bool:
    """Return whether a SIMD step reads a second map, as its second tap."""
    return bool(fields.operation in OF_TWO_MAPS)


@compiled
def is_product(fields: Record) -> bool:
    """Return whether a SIMD step multiplies two maps: a word of map a, then pixels of map b."""
    return bool(fields.operation in MULTIPLIED)


@compiled
def is_row(fields: Record) -> bool:
    """Return whether a SIMD step is one of the row unit."""
    return bool(fields.operation in OF_ROWS)


@compiled
def next_pixel(core: Record, fields: Record) -> None:
    """Go to the next column or row of the window."""
    core.fetch_known = 0
    core.kernel_x += 1
    if core.kernel_x == fields.kernel_width:
        core.kernel_x = 0
        core.kernel_y += 1


@compiled
def advance_conv(
    core: Record, fields: Record, work: Record, sizes: Sizes, tile: Record, count: int
) -> None:
    """Go to the next word: of the vector, of the tile's next vector, of the next tile."""
    core.word += 1
    core.channel_word += 1
    if core.channel_word == fields.input_channel_words:
        core.channel_word = 0
        next_pixel(core, fields)
    if core.word < tile.mask_words:
        return
    core.word = 0
    next_vector(core, fields, sizes)
    core.vector += 1
    if core.vector < count:
        return
    core.vector = 0
    core.walk += 1
    if tile.last == 0:
        core.image, core.y, core.x = core.chunk_image, core.chunk_y, core.chunk_x
        return
    core.left -= count
    core.chunk_image, core.chunk_y, core.chunk_x = core.image, core.y, core.x
    if core.left == 0:
        core.left = work.vectors
        first_vector(core, work)
        core.done = tile.last_group


@compiled
def is_last_tap(core: Record, fields: Record) -> bool:
    """Return whether the walker's word-vector is the last one of a result of a SIMD step."""
    if reads_second(fields):
        return bool(core.tap == 1)
    if fields.operation == TABLE:
        return True
    return bool(core.tap == fields.kernel_height * fields.kernel_width - 1)


@compiled
def advance_simd(
    core: Record, fields: Record, work: Record, sizes: Sizes, last: bool, end: bool
) -> None:
    """Go to the next tap, position vector, channel word."""
    core.fetch_known = 0
    if not last:
        core.tap += 1
        if not reads_second(fields):
            next_pixel(core, fields)
        return
    core.tap = core.kernel_y = core.kernel_x = 0
    core.left -= 1
    next_vector(core, fields, sizes)
    if not end:
        return
    core.left = work.vectors
    first_vector(core, work)
    words = fields.kernel_width if is_row(fields) else 1
    core.word += words
    core.channel_word += words
    core.taps_walked += fields.operation == DEPTHWISE
    core.done = core.word == work.word_first + words * work.word_count
