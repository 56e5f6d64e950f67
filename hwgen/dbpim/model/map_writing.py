"""One cycle of the loader while it writes a map into the buffers: some pixels, or words.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.chip.memory import TAKEN
from hwgen.dbpim.model.state import Ints, Record, Sizes

# Registers. IN_BEAT: pixels, words or beats of the beat or word that have been used. EVEN, ODD:
# words that wait for an even or an odd bank. ALL_IN: no word of the LOAD is left in a beat.
ROW, COLUMN, WORD, PASSED, IN_BEAT, EVEN, ODD, ALL_IN = range(8)
WRITER_REGISTERS = 8


@compiled
def write_map(sizes: Sizes, fields: Record, writer: Ints, reader: Ints) -> tuple[bool, bool]:
    """Use the oldest beat for a cycle; return whether it is taken, and whether the map is done.

    fields: of the LOAD; rows and columns are at least 1
    """
    if fields.pixel_bytes == 0 and sizes.pair_words > 0:
        taken, done = write_pair(sizes, fields, writer)
        if done:
            writer[:] = 0
        reader[TAKEN] += taken
        return taken, done
    if fields.pixel_bytes == 0:
        row_ends, taken = write_word(sizes, fields, writer)
    else:
        row_ends, taken = pass_pixel(sizes, fields, writer)
    done = row_ends and writer[ROW] + 1 == fields.rows
    if row_ends:
        writer[COLUMN] = writer[PASSED] = 0
        writer[ROW] += 1
    if done:
        writer[:] = 0
    reader[TAKEN] += taken or done
    return taken or done, done


@compiled
def write_word(sizes: Sizes, fields: Record, writer: Ints) -> tuple[bool, bool]:
    """Use a word of the beat, or a beat of the word; return whether the row and the beat end."""
    writer[IN_BEAT] += 1
    if sizes.channels > sizes.port_bytes:
        taken = True
        if writer[IN_BEAT] < sizes.channels // sizes.port_bytes:
            return False, True
        writer[IN_BEAT] = 0
    else:
        taken = writer[IN_BEAT] == sizes.port_bytes // sizes.channels
        if taken:
            writer[IN_BEAT] = 0
    writer[WORD] += 1
    if writer[WORD] < fields.output_channel_words:
        return False, taken
    writer[WORD] = 0
    writer[COLUMN] += 1
    return bool(writer[COLUMN] == fields.columns), taken


@compiled
def write_pair(sizes: Sizes, fields: Record, writer: Ints) -> tuple[bool, bool]:
    """Take two words and write one of each kind; return whether the beat and the map end.

    Nothing is taken where one of the kinds has no room for both.
    """
    taken = False
    if writer[ALL_IN] == 0 and has_room_for_pair(sizes, fields, writer):
        for _ in range(2):
            if writer[ALL_IN] == 0:
                writer[EVEN + is_odd(sizes, fields, writer[ROW], writer[COLUMN])] += 1
                writer[IN_BEAT] += 1
                next_word(fields, writer)
        if writer[IN_BEAT] == sizes.port_bytes // sizes.channels:
            writer[IN_BEAT] = 0
            taken = writer[ALL_IN] == 0
    writer[EVEN] = max(0, writer[EVEN] - 1)
    writer[ODD] = max(0, writer[ODD] - 1)
    done = writer[ALL_IN] == 1 and writer[EVEN] == 0 and writer[ODD] == 0
    return taken or done, done


@compiled
def has_room_for_pair(sizes: Sizes, fields: Record, writer: Ints) -> bool:
    """Return whether the next two words find room: a full queue takes one, as one leaves."""
    row, column = writer[ROW], writer[COLUMN]
    kind = is_odd(sizes, fields, row, column)
    if writer[EVEN + kind] < sizes.pair_words:
        return True
    if writer[WORD] + 1 < fields.output_channel_words:
        return False
    column += 1
    if column == fields.columns:
        row, column = row + 1, 0
    return bool(row == fields.rows or is_odd(sizes, fields, row, column) != kind)


@compiled
def is_odd(sizes: Sizes, fields: Record, row: int, column: int) -> int:
    """Return the lowest bit of the bank of a pixel of the map."""
    stored = fields.first_row + row
    return int((fields.first_column + column + sizes.skew * stored) % 2)


@compiled
def next_word(fields: Record, writer: Ints) -> None:
    """Go to the next word of the map; behind the last one all are in."""
    writer[WORD] += 1
    if writer[WORD] < fields.output_channel_words:
        return
    writer[WORD] = 0
    writer[COLUMN] += 1
    if writer[COLUMN] < fields.columns:
        return
    writer[COLUMN] = 0
    writer[ROW] += 1
    writer[ALL_IN] = int(writer[ROW] == fields.rows)


@compiled
def pass_pixel(sizes: Sizes, fields: Record, writer: Ints) -> tuple[bool, bool]:
    """Pass pixels of the row or outside of it; return whether the row and the beat end.

    `pixel_lanes` of them, up to the end of the row and of the beat.
    """
    row_ends = taken = False
    for _ in range(sizes.pixel_lanes):
        column = writer[PASSED] - fields.window_padding
        inside = 0 <= column < fields.memory_columns
        if row_ends or (taken and inside):
            break
        row_ends, ends = pass_one(sizes, fields, writer)
        taken |= ends
    return row_ends, taken


@compiled
def pass_one(sizes: Sizes, fields: Record, writer: Ints) -> tuple[bool, bool]:
    """Pass a pixel of the row or one outside of it; return whether the row and the beat end.

    The word of a column is written with the last pixel of its window. The last beat stays until the
    map is done, because pixels outside the row may follow it.
    """
    passed = writer[PASSED]
    column = passed - fields.window_padding
    inside = 0 <= column < fields.memory_columns
    ahead = passed + 1 - fields.window_pixels
    if ahead >= 0 and ahead % fields.window_stride == 0 and writer[COLUMN] < fields.columns:
        writer[COLUMN] += 1
    writer[PASSED] += 1
    taken = False
    if inside:
        writer[IN_BEAT] += 1
        if writer[IN_BEAT] == sizes.port_bytes // fields.pixel_bytes:
            writer[IN_BEAT] = 0
            last = writer[ROW] + 1 == fields.rows and column + 1 == fields.memory_columns
            taken = not last
    passed_all = column + 1 >= fields.memory_columns
    return bool(passed_all and writer[COLUMN] == fields.columns), taken
