"""A design as arrays, and what follows from it before anything moves: blocks, shares, distances.

A design is four arrays over the layers:
- copies: WtDup, 1 for fully connected layers; ignored for layers without weights
- macros: macros of a layer with weights, 0 for a layer that lives in those of its partner
- partner: the other layer of a pair that shares macros, or -1; the earlier one owns them
- clocks: clocks of a bit step, 1 but for fully connected layers under strict rules
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled, inlined
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.tables import (
    BUS_BITS,
    CONV,
    DATA_BITS,
    FC,
    FLIT_BITS,
    HOP,
    POOL,
    Floats,
    Ints,
    Tables,
)
from hwgen.crossbar.model.traffic import (
    PortTimes,
    ceil_div,
    chain_ns,
    gather_ns,
    hops,
    image_ns,
    port_times,
    send_ns,
    shares,
    transfer_flits,
)


@opaque
class Design(NamedTuple):
    """See the top of this module."""

    copies: Ints
    macros: Ints
    partner: Ints
    clocks: Ints


@opaque
class Layout(NamedTuple):
    """What follows from a design.

    copies, blocks: of every layer, those without weights too; a block is a computation block
    shared_macros: macros that a layer's weights are spread over, its partner's included; 1 without
        weights
    row_shares, copy_shares: parts that the rows and the copies are split into among macros; where
        they are uneven, so many as decide on the fullest macro
    chain_macros: macros of a copy, at most, whose partial sums are added up one after the other
    load, store: elements that one macro reads and writes for a block, by published rules
    transfer, image, chain, merge: ns on the network-on-chip for a block; 0 where nothing travels.
        The transfer is that of its inputs, or of its outputs where each pixel is sent once, to
        readers or off the chip; the image is what is new of it
    ports: what the ports of scratchpads make of loads, stores and sends
    total_macros: of the chip; a mesh of `mesh_rows` x `mesh_columns`
    first_macro: place of a layer's first macro in serpentine order
    merge_macro: place of the macro where a layer's outputs come together
    """

    copies: Ints
    blocks: Ints
    shared_macros: Ints
    row_shares: Ints
    copy_shares: Ints
    chain_macros: Ints
    load: Floats
    store: Floats
    transfer: Floats
    image: Floats
    chain: Floats
    merge: Floats
    ports: PortTimes
    total_macros: int
    mesh_columns: int
    first_macro: Ints
    merge_macro: Ints


@compiled
def owner_of(partner: Ints, layer: int) -> int:
    """Return the layer that owns the macros in which `layer` lives."""
    return partner[layer] if 0 <= partner[layer] < layer else layer


@inlined
def followed_blocks(tables: Tables, i: int, most: int) -> int:
    """Return the blocks of a layer without weights; most: of its providers.

    As many pixels a block may need fewer blocks; published rules keep those without a pixel.
    """
    blocks = min(most, tables.pixels[i])
    if not tables.rules.whole_parts:
        return int(blocks)
    return int(ceil_div(tables.pixels[i], ceil_div(tables.pixels[i], blocks)))


@compiled
def spread(tables: Tables, design: Design) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Return copies, blocks, macros, row shares and copy shares of every layer."""
    count = len(tables.kind)
    copies = np.ones(count, np.int64)
    blocks = np.ones(count, np.int64)
    macros = np.ones(count, np.int64)
    row_shares = np.ones(count, np.int64)
    copy_shares = np.ones(count, np.int64)
    for i in range(count):
        if tables.kind[i] == CONV:
            copies[i] = design.copies[i]
            blocks[i] = ceil_div(tables.pixels[i], copies[i])
        elif tables.kind[i] != FC:
            most = 1
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                most = max(most, blocks[tables.provider[e]])
            blocks[i] = followed_blocks(tables, i, most)
            copies[i] = ceil_div(tables.pixels[i], blocks[i])
        if tables.crossbars[i] > 0:
            macros[i] = design.macros[owner_of(design.partner, i)]
            row_shares[i], copy_shares[i] = shares(tables, copies[i], macros[i])
    return copies, blocks, macros, row_shares, copy_shares


@compiled
def most_macros(tables: Tables, copies: int, i: int) -> int:
    """Return the most macros that a layer may have: a row tile each (rule c).

    In whole parts, a copy of a grouped convolution stays in one macro.
    """
    whole = tables.rules.whole_parts and tables.grouped[i]
    return int(copies if whole else copies * tables.row_tiles[i])


@compiled
def elements(
    tables: Tables, copies: Ints, row_shares: Ints, copy_shares: Ints
) -> tuple[Floats, Floats]:
    """Return the elements that one macro loads and stores for a block (sheet, section 4).

    The published formulas take the mean over macros; strict rules count accesses, see `traffic`.
    """
    count = len(tables.kind)
    load = np.empty(count)
    store = np.empty(count)
    for i in range(count):
        out = copies[i] * tables.cout[i]
        if tables.crossbars[i] > 0:
            wide = tables.column_tiles[i] * tables.slices
            load[i] = (tables.rows[i] / row_shares[i]) * (copies[i] / copy_shares[i]) * wide
            store[i] = out / copy_shares[i]
        else:
            load[i] = out * (tables.taps[i] if tables.kind[i] == POOL else 1)
            store[i] = out
    return load, store


@compiled
def place_macros(
    tables: Tables, design: Design, copies: Ints, macros: Ints
) -> tuple[int, int, Ints, Ints]:
    """Return total macros, mesh columns, and each layer's first macro and merge macro.

    Results of a layer that is in the macros of another one meet in the first macro, strict: in the
    first in which sums become whole.
    Macros lie in serpentine order, those of a layer after those of the one before; a layer without
    weights works on the merge macro of its first provider, on macro 0 if it reads the image.
    """
    count = len(tables.kind)
    first = np.zeros(count, np.int64)
    merge = np.zeros(count, np.int64)
    total = 0
    for i in range(count):
        owner = owner_of(design.partner, i)
        if tables.crossbars[i] > 0:
            if owner == i:
                first[i] = total
                total += macros[i]
                merge[i] = total - 1
            else:
                first[i] = merge[i] = first[owner]
                if tables.rules.chain_before_activation:
                    merge[i] += max(1, macros[i] // copies[i]) - 1
        elif tables.provider_start[i + 1] > tables.provider_start[i]:
            first[i] = merge[i] = merge[tables.provider[tables.provider_start[i]]]
    mesh_rows = int(np.ceil(np.sqrt(total)))
    return total, ceil_div(total, mesh_rows), first, merge


@compiled
def reaches(
    tables: Tables, i: int, first: int, macros: int, merge: Ints, columns: int
) -> tuple[int, int]:
    """Return the hops of a layer's farthest macro from where its outputs meet, and from inputs.

    first, macros: of layer i; merge: of all layers
    """
    longest, farthest = 0, 0
    for place in range(first, first + macros):
        longest = max(longest, hops(place, merge[i], columns))
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            farthest = max(farthest, hops(merge[tables.provider[e]], place, columns))
    return longest, farthest


@compiled
def lay_out(tables: Tables, design: Design) -> Layout:
    """Return everything that follows from a design before anything moves (sheet, 4 and 5)."""
    count = len(tables.kind)
    copies, blocks, macros, row_shares, copy_shares = spread(tables, design)
    load, store = elements(tables, copies, row_shares, copy_shares)
    total, columns, first, merge_macro = place_macros(tables, design, copies, macros)
    data, flit, hop = tables.scalars[DATA_BITS], tables.scalars[FLIT_BITS], tables.scalars[HOP]
    transfer, image = np.zeros(count), np.zeros(count)
    chain, merge = np.zeros(count), np.zeros(count)
    chain_macros = np.ones(count, np.int64)
    for i in range(count):
        longest, farthest = reaches(tables, i, first[i], macros[i], merge_macro, columns)
        if tables.crossbars[i] > 0:
            chain_macros[i] = ceil_div(macros[i], copies[i])
        image[i] = image_ns(tables, i, copies[i], first[i], macros[i], columns)
        if tables.rules.chain_before_activation:
            chain[i] = chain_ns(tables, i, chain_macros[i])
            if tables.crossbars[i] > 0:
                merge[i] = gather_ns(
                    tables, copies[i], macros[i], i, merge_macro[i], first[i], columns
                )
        elif longest > 0:
            out = ceil_div(copies[i], copy_shares[i]) * tables.cout[i]
            merge[i] = hop * (longest + np.ceil(out * data / flit))
        if tables.rules.send_once:
            transfer[i] = send_ns(tables, i, copies[i], first, macros, merge_macro, columns)
        elif farthest > 0:
            shares = (copies[i], row_shares[i], copy_shares[i])
            transfer[i] = hop * (farthest + transfer_flits(tables, shares, i))
    away = (transfer > 0).astype(np.int64)
    ports = port_times(tables, copies, macros, first, merge_macro, away, total)
    return Layout(
        copies,
        blocks,
        macros,
        row_shares,
        copy_shares,
        chain_macros,
        load,
        store,
        transfer,
        image,
        chain,
        merge,
        ports,
        total,
        columns,
        first,
        merge_macro,
    )


@compiled
def accesses(tables: Tables, element_count: float) -> float:
    """Return how often the bus of a scratchpad is used for so many elements."""
    return float(np.ceil(element_count * tables.scalars[DATA_BITS] / tables.scalars[BUS_BITS]))


def copies_for(tables: Tables, blocks: int) -> Ints:
    """Return the copies with which no convolution takes more than so many blocks."""
    copies: Ints = np.where(tables.kind == CONV, -(-tables.pixels // blocks), 1)
    return copies


def most_copies_for(tables: Tables, fits: Callable[[Ints], bool]) -> Ints:
    """Return the most copies, in proportion to pixels, that fit; else those of the most blocks."""
    low, high = 1, int(tables.pixels.max())
    while low < high:
        blocks = (low + high) // 2
        if fits(copies_for(tables, blocks)):
            high = blocks
        else:
            low = blocks + 1
    return copies_for(tables, high)
