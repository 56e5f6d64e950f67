"""One cycle of the loader while it writes a map into the buffers: some pixels, or a word.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.chip.memory import TAKEN
from hwgen.dbpim.model.state import Ints, Record, Sizes

# Registers. IN_BEAT: pixels, words or beats of the beat or word that have been used.
ROW, COLUMN, WORD, PASSED, IN_BEAT = range(5)
WRITER_REGISTERS = 5


@compiled
def write_map(sizes: Sizes, fields: Record, writer: Ints, reader: Ints) -> tuple[bool, bool]:
    """Use the oldest beat for a cycle; return whether it is taken, and whether the map is done.

    fields: of the LOAD; rows and columns are at least 1
    """
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
def pass_pixel(sizes: Sizes, fields: Record, writer: Ints) -> tuple[bool, bool]:
    """Pass pixels of the row or outside of it; return whether the row and the beat end.

    As many as the bus has words, up to the end of the row and of the beat.
    """
    row_ends = taken = False
    for _ in range(sizes.bus_words):
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
