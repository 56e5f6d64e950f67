"""How long data take between the macros of the mesh, and at the one port of each scratchpad.

All that reads and writes a scratchpad shares its port. What arrives comes first, then loads, stores
and sends, the shortest first. Each begins at most once in a period, in which all of them fit; so
each is through after what comes before it.

Tests: `tests/crossbar/synthesis/test_sharing.py`.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.layout import IMAGE_MACRO
from hwgen.crossbar.model.tables import (
    CONV,
    DATA_BITS,
    ELTWISE,
    FC,
    FLIT_BITS,
    HOP,
    LANES,
    POOL,
    Ints,
    Tables,
)

CHAIN_CLOCKS = 11
"""Of a macro of a chain: a hop, and an addition of a vector."""


@inlined
def ceil_div(a: int, b: int) -> int:
    """Return a / b, rounded up."""
    return -(-a // b)


@inlined
def shares(tables: Tables, copies: int, macros: int) -> tuple[int, int]:
    """Return into how many parts rows and copies are split."""
    if tables.rules.whole_parts:
        return max(1, macros // max(1, copies)), min(macros, copies)
    row_shares = ceil_div(macros, copies)
    return row_shares, ceil_div(macros, row_shares)


@inlined
def share_of(copies: int, tiles: int, macros: int, place: int) -> tuple[int, int]:
    """Return copies x row tiles in a macro of a layer, and copies whose sums are whole there."""
    if macros <= copies:
        own = (place + 1) * copies // macros - place * copies // macros
        return own * tiles, own
    copy = ceil_div((place + 1) * copies, macros) - 1
    first, end = copy * macros // copies, (copy + 1) * macros // copies
    at, count = place - first, end - first
    return (at + 1) * tiles // count - at * tiles // count, 1 if at + 1 == count else 0


@compiled
def results_in(tables: Tables, i: int, copies: int, macros: int, place: int) -> int:
    """Return the copies whose sums are whole in a macro of layer i."""
    return share_of(copies, tables.row_tiles[i], macros, place)[1]


@compiled
def result_flits(tables: Tables, i: int, copies: int) -> float:
    """Return the flits of the results of some copies."""
    return float(np.ceil(copies * tables.cout[i] * tables.out_bits[i] / tables.scalars[FLIT_BITS]))


@inlined
def serpentine(place: int, columns: int) -> tuple[int, int]:
    """Return row and column of a place in serpentine order."""
    row = place // columns
    column = place % columns
    return row, column if row % 2 == 0 else columns - 1 - column


@inlined
def hops(a: int, b: int, columns: int) -> int:
    """Return the Manhattan distance of two places."""
    row_a, column_a = serpentine(a, columns)
    row_b, column_b = serpentine(b, columns)
    return abs(row_a - row_b) + abs(column_a - column_b)


@compiled
def transfer_flits(tables: Tables, layout_row: tuple[int, int, int], i: int) -> int:
    """Return the flits that a block of layer i receives; layout_row: copies, shares."""
    copies, row_shares, copy_shares = layout_row
    data, flit = tables.scalars[DATA_BITS], tables.scalars[FLIT_BITS]
    channels = ceil_div(tables.cin[i], row_shares)
    if tables.kind[i] == CONV:
        pixels = ceil_div(copies, copy_shares) * tables.stride[i] + tables.kernel[i]
    elif tables.kind[i] == POOL:
        pixels, channels = copies * tables.stride[i] + tables.kernel[i], tables.cout[i]
    elif tables.kind[i] == ELTWISE:
        pixels, channels = copies, tables.cout[i]
    else:
        pixels = 1
    return int(np.ceil(pixels * channels * data / flit))


@compiled
def send_ns(
    tables: Tables, i: int, copies: int, first: Ints, macros: Ints, merge: Ints, columns: int
) -> float:
    """Return how long a block of layer i takes to all macros of its readers; 0: it is there.

    Of a layer that nobody reads it goes off the chip.

    first, macros, merge: macros of all layers, and where their results meet
    """
    farthest = 0
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        r = tables.reader[e]
        for place in range(first[r], first[r] + macros[r]):
            farthest = max(farthest, hops(merge[i], place, columns))
    if tables.reader_start[i] == tables.reader_start[i + 1]:
        farthest = hops(merge[i], IMAGE_MACRO, columns)
    elif farthest == 0:
        return 0.0
    return float(tables.scalars[HOP] * (farthest + 1 + result_flits(tables, i, copies)))


@compiled
def image_pixels(tables: Tables, i: int, copies: int) -> int:
    """Return the most pixels of the image that a block of layer i needs and none before it did."""
    if tables.kind[i] == FC:
        return 1
    start, end = tables.window_start[i], tables.window_start[i + 1]
    most, before, place = 0, 0, start
    while place < end:
        place = min(end, place + copies)
        most = max(most, tables.last_pixel[place - 1] - before)
        before = tables.last_pixel[place - 1]
    return int(most)


@compiled
def image_ns(tables: Tables, i: int, copies: int, first: int, macros: int, columns: int) -> float:
    """Return how long the new pixels of a block take to all macros of layer i; 0: it reads none."""
    if tables.image[i] == 0:
        return 0.0
    farthest = 0
    for place in range(first, first + macros):
        farthest = max(farthest, hops(IMAGE_MACRO, place, columns))
    elements = image_pixels(tables, i, copies) * tables.cin[i]
    flits = np.ceil(elements * tables.scalars[DATA_BITS] / tables.scalars[FLIT_BITS])
    return float(tables.scalars[HOP] * (farthest + 1 + flits))


@compiled
def chain_ns(tables: Tables, i: int, macros: int) -> float:
    """Return how long the partial sums of a copy take along its macros.

    Each macro passes on a vector of sums as soon as it has added its own: a vector's flits, a hop
    and 10 clocks later than the one before it.
    """
    if macros <= 1:
        return 0.0
    flit, bits = tables.scalars[FLIT_BITS], tables.sum_bits[i]
    whole = np.ceil(tables.cout[i] * bits / flit)
    vector = np.ceil(tables.scalars[LANES] * bits / flit)
    return float(tables.scalars[HOP] * (whole + (macros - 1) * (vector + CHAIN_CLOCKS)))


@compiled
def gather_ns(
    tables: Tables, copies: int, macros: int, i: int, merge_place: int, first: int, columns: int
) -> float:
    """Return how long the results of a block take to one macro, one source after the other.

    merge_place: of that macro, among all
    """
    clocks, farthest = 0.0, 0
    for place in range(macros):
        results = results_in(tables, i, copies, macros, place)
        if results > 0 and first + place != merge_place:
            clocks += 1 + result_flits(tables, i, results)
            farthest = max(farthest, hops(first + place, merge_place, columns))
    return float(tables.scalars[HOP] * (clocks + farthest))


@opaque
class PortTimes(NamedTuple):
    """Accesses until an operation of each layer is through, in its slowest macro.

    load, store, send: of the operation, with all that may come before it; a result is a send
    image: until what is new of the image is written
    load_period, store_period: between the beginnings of two blocks; a send has that of its store
    """

    load: Ints
    store: Ints
    send: Ints
    load_period: Ints
    store_period: Ints
    image: Ints


@compiled
def block_words(tables: Tables, i: int, copies: int) -> int:
    """Return the words of a block of results of layer i, however it lies in them."""
    elements = copies * tables.cout[i]
    return int(max(1, ceil_div(elements - tables.align[i], tables.out_word[i]) + 1))


@compiled
def block_reads(tables: Tables, i: int, copies: int) -> int:
    """Return the reads of a block of all macros of layer i, as if it were full."""
    if tables.kind[i] != ELTWISE:
        return int(copies * tables.copy_reads[i])
    reads = 0
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        single = tables.pixels[p] == 1
        reads += block_words(tables, p, 1 if single else copies)
    return reads


@compiled
def most_reads(tables: Tables, i: int, copies: int, macros: int) -> int:
    """Return the reads of a block in the fullest macro of layer i."""
    if tables.crossbars[i] == 0:
        return block_reads(tables, i, copies)
    row_shares, copy_shares = shares(tables, copies, macros)
    if macros <= copies:
        return int(ceil_div(copies, copy_shares) * ceil_div(tables.copy_reads[i], row_shares))
    most, tiles = 0, tables.row_tiles[i]
    reads = tables.tile_reads[tables.tile_start[i] : tables.tile_start[i + 1]]
    for copy in range(copies):
        count = (copy + 1) * macros // copies - copy * macros // copies
        for at in range(count):
            held = reads[at * tiles // count : (at + 1) * tiles // count].sum()
            most = max(most, held)
    return int(most)


@compiled
def port_times(
    tables: Tables, copies: Ints, macros: Ints, first: Ints, merge: Ints, away: Ints, total: int
) -> PortTimes:
    """Return what the ports of all macros make of loads, stores and sends; zeros: nobody asks.

    copies, macros, first, merge: of the layers; away: 1 where a layer sends; total: macros
    """
    count = len(copies)
    rows = np.zeros((6, count), np.int64)
    times = PortTimes(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5])
    if not tables.rules.one_port:
        return times
    reads, words, images = np.zeros((3, count), np.int64)
    for i in range(count):
        reads[i] = most_reads(tables, i, copies[i], macros[i])
        words[i] = block_words(tables, i, copies[i])
        images[i] = image_words(tables, i, copies[i])
    for macro in range(total):
        received, everything = 0, 0
        for i in range(count):
            inside = first[i] <= macro < first[i] + macros[i]
            if inside:
                received += images[i] + received_by(tables, copies, macros, first, merge, i)
                everything += reads[i]
            if merge[i] == macro:
                everything += words[i] * (1 + away[i])
        period = 1 + 2 * received + everything
        for i in range(count):
            if first[i] <= macro < first[i] + macros[i]:
                before = accesses_before(macro, reads[i], reads, words, macros, first, merge, away)
                times.load[i] = max(times.load[i], 1 + 2 * received + before)
                times.load_period[i] = max(times.load_period[i], period)
                times.image[i] = max(times.image[i], 1 + 2 * received)
            if merge[i] == macro:
                before = accesses_before(macro, words[i], reads, words, macros, first, merge, away)
                times.store[i] = times.send[i] = 1 + 2 * received + before
                times.store_period[i] = period
    return times


@compiled
def accesses_before(
    macro: int,
    most: int,
    reads: Ints,
    words: Ints,
    macros: Ints,
    first: Ints,
    merge: Ints,
    away: Ints,
) -> int:
    """Return the accesses in a macro of loads, stores and sends that have no more than `most`."""
    before = 0
    for i in range(len(reads)):
        if first[i] <= macro < first[i] + macros[i] and reads[i] <= most:
            before += reads[i]
        if merge[i] == macro and words[i] <= most:
            before += words[i] * (1 + away[i])
    return int(before)


@compiled
def received_by(
    tables: Tables, copies: Ints, macros: Ints, first: Ints, merge: Ints, i: int
) -> int:
    """Return the words that each macro of layer i receives of a block of all its providers."""
    words = 0
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        if macros[i] > 1 or first[i] != merge[p]:
            words += block_words(tables, p, copies[p])
    return words


@compiled
def image_words(tables: Tables, i: int, copies: int) -> int:
    """Return the words of what is new of the image for a block of layer i, however it lies."""
    if tables.image[i] == 0:
        return 0
    elements = image_pixels(tables, i, copies) * tables.cin[i]
    align = np.gcd(tables.cin[i], tables.word)
    return int(max(1, ceil_div(elements - align, tables.word) + 1))
