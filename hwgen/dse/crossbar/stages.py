"""How fast the blocks of one layer follow each other at least, whatever surrounds it.

A hop of the mesh is one, and a pipeline step as long as the box allows.
"""

from typing import NamedTuple

import numpy as np

from hwgen.dse.crossbar.boxes import Box, least_scratchpad
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.pipeline import (
    ACTIVATE,
    ADD,
    CHAIN,
    CONVERT,
    GATHER,
    LOAD,
    MERGE,
    MVM,
    SEND,
    SHIFT,
    STORE,
    TRANSFER,
    link,
    steps_of,
)
from hwgen.model.crossbar.tables import (
    ACCESS_NS,
    BUS_BITS,
    CONV,
    DATA_BITS,
    FLIT_BITS,
    HOP,
    LANES,
    Ints,
    Tables,
)
from hwgen.model.crossbar.travels import CHAIN_CLOCKS, ceil_div
from hwgen.spec.crossbar.rules import Corrections


class Stage(NamedTuple):
    """What the pace of a layer depends on, besides its own choice.

    reads: whether anything travels to it; sends: whether its outputs travel to layers with weights;
    beside: its single macro may be that of its image
    starts: whether its last operation counts as over when it starts (published, last layer)
    rows, wide, cin, cout, stride, kernel: of its weights, in elements; conv: 1 for a convolution
    side, row_tiles: of a crossbar, of a copy; sum_bits: of a partial sum; lanes: of a vector
    copy_reads, align, word: as in `Tables`
    hop, access, step: ns of a hop, of an access to the scratchpad, of a pipeline step
    data, flit, bus: bits
    """

    strict: bool
    rules: Corrections
    reads: bool
    sends: bool
    beside: bool
    activated: bool
    starts: bool
    conv: bool
    bit_steps: int
    rows: int
    wide: int
    cin: int
    cout: int
    stride: int
    kernel: int
    side: int
    row_tiles: int
    sum_bits: int
    lanes: int
    copy_reads: int
    align: int
    word: int
    hop: float
    access: float
    step: float
    data: float
    flit: float
    bus: float


@compiled
def stage_of(tables: Tables, i: int, box: Box) -> Stage:
    """Return what the pace of layer i depends on within a box."""
    scalars = tables.scalars
    last = tables.reader_start[i + 1] == tables.reader_start[i]
    return Stage(
        bool(tables.strict),
        tables.rules,
        bool(tables.provider_start[i + 1] > tables.provider_start[i]),
        is_read_by_weights(tables, i),
        beside_image(tables, i),
        bool(tables.activated[i] > 0),
        bool(last and not tables.strict),
        bool(tables.kind[i] == CONV),
        int(tables.bit_steps),
        int(tables.rows[i]),
        int(tables.column_tiles[i] * tables.slices),
        int(tables.cin[i]),
        int(tables.cout[i]),
        int(tables.stride[i]),
        int(tables.kernel[i]),
        int(tables.crossbar_side),
        int(tables.row_tiles[i]),
        int(tables.sum_bits[i]),
        int(scalars[LANES]),
        int(tables.copy_reads[i]),
        int(tables.align[i]),
        int(tables.word),
        float(scalars[HOP]),
        float(least_scratchpad(tables, box)[ACCESS_NS]),
        float(box.step_high),
        float(scalars[DATA_BITS]),
        float(scalars[FLIT_BITS]),
        float(scalars[BUS_BITS]),
    )


@compiled
def is_read_by_weights(tables: Tables, i: int) -> bool:
    """Return whether a layer with weights reads layer i: one with other macros, or its mate."""
    for e in range(tables.reader_start[i], tables.reader_start[i + 1]):
        if tables.crossbars[tables.reader[e]] > 0:
            return True
    return False


@compiled
def beside_image(tables: Tables, i: int) -> bool:
    """Return whether layer i reads the image through layers without weights alone.

    They work on the very first macro; if that is the only one of layer i, nothing travels.
    """
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        while tables.crossbars[p] == 0:
            if tables.provider_start[p] == tables.provider_start[p + 1]:
                return True
            p = tables.provider[tables.provider_start[p]]
    return False


@compiled
def least_travel(stage: Stage, elements: int, clocks: int = 1) -> int:
    """Return the steps of a travel of so many elements over a single hop; clocks: beside flits."""
    flits = np.ceil(elements * stage.data / stage.flit)
    return steps_of(stage.hop * (clocks + flits), stage.step)


@compiled
def least_transfer(stage: Stage, share: int, row_shares: int) -> int:
    """Return the least steps in which a macro receives its share of a block; 0: nothing travels."""
    if not stage.reads or stage.rules.sends:
        return 0
    pixels = share * stage.stride + stage.kernel if stage.conv else 1
    return least_travel(stage, pixels * ceil_div(stage.cin, row_shares))


@compiled
def least_send(stage: Stage, copies: int) -> int:
    """Return the least steps in which a block goes to its readers; 0: it need not travel."""
    if not (stage.rules.sends and stage.sends):
        return 0
    return least_travel(stage, copies * stage.cout, 2)


@compiled
def spared_travel(stage: Stage, copies: int) -> int:
    """Return the steps on the mesh that a layer in one macro with its neighbour is spared."""
    if stage.rules.sends:
        return least_send(stage, copies)
    return 0 if stage.beside else least_transfer(stage, copies, 1)


@compiled
def scratchpad_steps(stage: Stage, elements: float) -> int:
    """Return the steps of reading or writing so many elements."""
    return steps_of(np.ceil(elements * stage.data / stage.bus) * stage.access, stage.step)


@compiled
def port_steps(stage: Stage, copies: int, row_shares: int, copy_shares: int) -> tuple[int, int]:
    """Return the least steps of a load and a store, if nothing else uses the port."""
    reads = ceil_div(copies, copy_shares) * ceil_div(stage.copy_reads, row_shares)
    words = max(1, ceil_div(copies * stage.cout - stage.align, stage.word) + 1)
    load = steps_of((1 + reads) * stage.access, stage.step)
    return load, steps_of((1 + words) * stage.access, stage.step)


@compiled
def loads_and_stores(
    stage: Stage, copies: int, row_shares: int, copy_shares: int
) -> tuple[float, float]:
    """Return the elements that one macro reads and writes for a block."""
    if stage.strict:
        share = ceil_div(copies, copy_shares)
        rows = ceil_div(stage.rows, row_shares)
        if stage.rules.parts:
            rows = min(stage.rows, ceil_div(stage.row_tiles, row_shares) * stage.side)
        stored = copies if stage.rules.merge else share
        return float(rows * share * stage.wide), float(stored * stage.cout)
    loaded = (stage.rows / row_shares) * (copies / copy_shares) * stage.wide
    return loaded, copies * stage.cout / copy_shares


@compiled
def pace_of(
    stage: Stage,
    clocks: int,
    transfer: int,
    load: int,
    store: int,
    merge: int,
    chain: int,
    send: int,
    scratch: Ints,
) -> tuple[int, int]:
    """Return steps from block to block, and of one block; a travel of 0 is none.

    merge: if results are merged before they are activated, that is the gather before the store
    """
    operation, steps, to_next, to_block = scratch[0], scratch[1], scratch[2], scratch[3]
    n = 0
    if transfer > 0:
        operation[n], steps[n] = TRANSFER, transfer
        n += 1
    operation[n], steps[n] = LOAD, load
    n += 1
    for what in (MVM, CONVERT, SHIFT, ADD):
        operation[n], steps[n] = what, clocks
        n += 1
    if chain > 0:
        operation[n], steps[n] = CHAIN, chain
        n += 1
    if stage.activated:
        operation[n], steps[n] = ACTIVATE, 1
        n += 1
    if merge > 0 and stage.rules.merge:
        operation[n], steps[n] = GATHER, merge
        n += 1
    operation[n], steps[n] = STORE, store
    n += 1
    if merge > 0 and not stage.rules.merge:
        operation[n], steps[n] = MERGE, merge
        n += 1
    if send > 0:
        operation[n], steps[n] = SEND, send
        n += 1
    link(operation, steps, to_next, to_block, n, stage.bit_steps, stage.rules.registers)
    slowest, through = 0, 0
    for k in range(n):
        slowest = max(slowest, to_block[k])
        through += to_next[k]
    if stage.starts:
        through += 1 - to_next[n - 1]
    return slowest, through


@compiled
def pace(stage: Stage, copies: int, macros: int, clocks: int, scratch: Ints) -> tuple[int, int]:
    """Return the least steps from block to block, and those of one block from end to end."""
    return pace_between(stage, copies, copies, macros, macros, clocks, scratch)


@compiled
def pace_between(
    stage: Stage, copies: int, upto: int, fewest: int, macros: int, clocks: int, scratch: Ints
) -> tuple[int, int]:
    """Return the least of `pace` with `copies` to `upto` copies on `fewest` to `macros` macros.

    Where results are merged in whole parts: loads grow with the copies and shrink with the macros,
    a gather grows with both, and a chain grows with the macros for each copy.
    """
    row_shares, copy_shares = split_into(stage, copies, macros)
    share = ceil_div(copies, copy_shares)
    transfer = least_transfer(stage, share, row_shares)
    # A single macro may be that of the provider; then nothing travels, see `pairs`.
    if macros == 1 and (transfer > stage.bit_steps or stage.beside):
        transfer = 0
    loaded, stored = loads_and_stores(stage, copies, row_shares, copy_shares)
    load, store = scratchpad_steps(stage, loaded), scratchpad_steps(stage, stored)
    if stage.rules.ports:
        load, store = port_steps(stage, copies, row_shares, copy_shares)
    merge = least_travel(stage, share * stage.cout) if macros > 1 else 0
    if stage.rules.merge:
        merge = least_gather(stage, copies, fewest)
    chain, send = least_chain(stage, upto, fewest), least_send(stage, copies)
    if fewest == 1 and send > stage.bit_steps:
        send = 0
    return pace_of(stage, clocks, transfer, load, store, merge, chain, send, scratch)


@compiled
def split_into(stage: Stage, copies: int, macros: int) -> tuple[int, int]:
    """Return into how many parts rows and copies are split, as `design.shares` does."""
    if stage.rules.parts:
        return max(1, macros // copies), min(macros, copies)
    row_shares = ceil_div(macros, copies)
    return row_shares, ceil_div(macros, row_shares)


@compiled
def least_chain(stage: Stage, copies: int, macros: int) -> int:
    """Return the least steps of partial sums along the macros of a copy; 0: there is one."""
    count = ceil_div(macros, copies)
    if count <= 1 or not (stage.rules.merge and stage.rules.parts):
        return 0
    whole = np.ceil(stage.cout * stage.sum_bits / stage.flit)
    vector = np.ceil(stage.lanes * stage.sum_bits / stage.flit)
    return steps_of(stage.hop * (whole + (count - 1) * (vector + CHAIN_CLOCKS)), stage.step)


@compiled
def least_gather(stage: Stage, copies: int, macros: int) -> int:
    """Return the least steps in which all results but those of one macro meet there."""
    sources = min(copies, macros) - 1
    if sources <= 0:
        return 0
    if not stage.rules.parts:
        return 1
    others = copies - ceil_div(copies, min(copies, macros))
    flits = np.ceil(others * stage.cout * stage.data / stage.flit)
    return steps_of(stage.hop * (1 + sources + flits), stage.step)


@compiled
def least_pace(stage: Stage, clocks: int, scratch: Ints) -> tuple[int, int]:
    """Return what `pace` is at least with more than one macro, if nothing takes long to move."""
    transfer = 1 if stage.reads and not stage.rules.sends else 0
    merge = 0 if stage.rules.merge else 1
    send = 1 if stage.rules.sends and stage.sends else 0
    return pace_of(stage, clocks, transfer, 1, 1, merge, 0, send, scratch)
