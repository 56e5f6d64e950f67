"""How long the one port of each scratchpad takes, shared by all that reads and writes there.

What arrives comes first, then loads, stores and sends, the shortest first. Each begins at most once
in a period, in which all of them fit; so each is through after what comes before it.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.tables import ELTWISE, Ints, Tables
from hwgen.crossbar.model.travels import ceil_div, image_pixels, shares


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
