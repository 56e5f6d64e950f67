"""How much a scratchpad must hold, from the times of loads and stores (sheet, section 6)."""

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Layout
from hwgen.model.crossbar.tables import DATA_BITS, FC, KILOBYTES, Tables
from hwgen.model.crossbar.timing import Times

PUBLISHED_FILL = 0.9
"""The published code counts this part of the bytes that it finds."""


@compiled
def input_need(tables: Tables, layout: Layout, i: int) -> float:
    """Return the most input elements that a macro of layer i holds at a time."""
    most = 0.0
    extra = 1 if tables.strict else 0
    for block in range(layout.blocks[i]):
        held = 0.0
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            p = tables.provider[e]
            first, last = 1, tables.pixels[p]
            if tables.kind[i] != FC:
                start = tables.window_start[i]
                last_out = min(tables.pixels[i], (block + 1) * layout.copies[i]) - 1
                first_out = min(tables.pixels[i] - 1, block * layout.copies[i])
                first = tables.first_pixel[start + first_out]
                last = tables.last_pixel[start + last_out]
            held += (last - first + extra) * tables.cout[p] / layout.row_shares[i]
        most = max(most, held)
    return most


@compiled
def output_need(tables: Tables, layout: Layout, times: Times, i: int) -> float:
    """Return the most output elements of layer i that wait for its readers at a time.

    The published code lets whichever reader moved last say what is still needed; strict rules keep
    what any reader needs.
    """
    first_reader, end_reader = tables.reader_start[i], tables.reader_start[i + 1]
    if first_reader == end_reader:
        return 0.0
    most = 0
    readers = end_reader - first_reader
    moved = [0] * readers
    needed = [1] * readers
    latest = 1
    extra = 1 if tables.strict else 0
    for block in range(layout.blocks[i]):
        now = times.store[times.block_start[i] + block]
        newest = -1
        for r in range(readers):
            j = tables.reader[first_reader + r]
            while (
                moved[r] < layout.blocks[j] and times.load[times.block_start[j] + moved[r]] <= now
            ):
                pixel = min(tables.pixels[j] - 1, moved[r] * layout.copies[j])
                needed[r] = (
                    1
                    if tables.kind[j] == FC
                    else tables.first_pixel[tables.window_start[j] + pixel]
                )
                when = times.load[times.block_start[j] + moved[r]]
                if when >= newest:
                    newest = when
                    latest = needed[r]
                moved[r] += 1
        oldest = latest
        if tables.strict:
            oldest = needed[0]
            for r in range(1, readers):
                oldest = min(oldest, needed[r])
        stored = min(tables.pixels[i], (block + 1) * layout.copies[i])
        most = max(most, stored - oldest + extra)
    return float(most * tables.cout[i])


@compiled
def kilobytes_needed(tables: Tables, layout: Layout, times: Times) -> float:
    """Return what the fullest scratchpad holds."""
    most = 0.0
    for i in range(len(tables.kind)):
        need = input_need(tables, layout, i) + output_need(tables, layout, times, i)
        most = max(most, need)
    kilobytes = most * tables.scalars[DATA_BITS] / 8 / 1024
    if not tables.strict:
        kilobytes *= PUBLISHED_FILL
    return float(kilobytes)


@compiled
def memory_class(tables: Tables, layout: Layout, times: Times) -> int:
    """Return the row of the smallest scratchpad that is large enough; one past the last: none."""
    kilobytes = kilobytes_needed(tables, layout, times)
    row = 0
    while row < len(tables.memories) and tables.memories[row, KILOBYTES] < kilobytes:
        row += 1
    return row
