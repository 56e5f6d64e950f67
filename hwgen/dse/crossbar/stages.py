"""How fast the blocks of one layer follow each other at least, whatever surrounds it.

A hop of the mesh is one, and a pipeline step as long as the box allows.
"""

from typing import NamedTuple

import numpy as np

from hwgen.dse.crossbar.boxes import Box, least_scratchpad
from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import ceil_div
from hwgen.model.crossbar.tables import (
    ACCESS_NS,
    BUS_BITS,
    CONV,
    DATA_BITS,
    FLIT_BITS,
    HOP,
    Ints,
    Tables,
)
from hwgen.model.crossbar.timing import (
    ACTIVATE,
    ADD,
    CONVERT,
    LOAD,
    MERGE,
    MVM,
    SHIFT,
    STORE,
    TRANSFER,
    link,
    steps_of,
)


class Stage(NamedTuple):
    """What the pace of a layer depends on, besides its own choice.

    reads: whether anything travels to it; beside: its single macro may be that of its image
    starts: whether its last operation counts as over when it starts (published, last layer)
    rows, wide, cin, cout, stride, kernel: of its weights, in elements; conv: 1 for a convolution
    hop, access, step: ns of a hop, of an access to the scratchpad, of a pipeline step
    data, flit, bus: bits
    """

    strict: bool
    reads: bool
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
        bool(tables.provider_start[i + 1] > tables.provider_start[i]),
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
        float(scalars[HOP]),
        float(least_scratchpad(tables, box)[ACCESS_NS]),
        float(box.step_high),
        float(scalars[DATA_BITS]),
        float(scalars[FLIT_BITS]),
        float(scalars[BUS_BITS]),
    )


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
def least_travel(stage: Stage, elements: int) -> int:
    """Return the steps of a travel of so many elements over a single hop."""
    flits = np.ceil(elements * stage.data / stage.flit)
    return steps_of(stage.hop * (1 + flits), stage.step)


@compiled
def least_transfer(stage: Stage, share: int, row_shares: int) -> int:
    """Return the least steps in which a macro receives its share of a block; 0: nothing travels."""
    if not stage.reads:
        return 0
    pixels = share * stage.stride + stage.kernel if stage.conv else 1
    return least_travel(stage, pixels * ceil_div(stage.cin, row_shares))


@compiled
def scratchpad_steps(stage: Stage, elements: float) -> int:
    """Return the steps of reading or writing so many elements."""
    return steps_of(np.ceil(elements * stage.data / stage.bus) * stage.access, stage.step)


@compiled
def loads_and_stores(
    stage: Stage, copies: int, row_shares: int, copy_shares: int
) -> tuple[float, float]:
    """Return the elements that one macro reads and writes for a block."""
    if stage.strict:
        share = ceil_div(copies, copy_shares)
        loaded = float(ceil_div(stage.rows, row_shares) * share * stage.wide)
        return loaded, float(share * stage.cout)
    loaded = (stage.rows / row_shares) * (copies / copy_shares) * stage.wide
    return loaded, copies * stage.cout / copy_shares


@compiled
def pace_of(
    stage: Stage, clocks: int, transfer: int, load: int, store: int, merge: int, scratch: Ints
) -> tuple[int, int]:
    """Return steps from block to block, and of one block; a transfer or merge of 0 is none."""
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
    if stage.activated:
        operation[n], steps[n] = ACTIVATE, 1
        n += 1
    operation[n], steps[n] = STORE, store
    n += 1
    if merge > 0:
        operation[n], steps[n] = MERGE, merge
        n += 1
    link(operation, steps, to_next, to_block, n, stage.bit_steps)
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
    row_shares = ceil_div(macros, copies)
    copy_shares = ceil_div(macros, row_shares)
    share = ceil_div(copies, copy_shares)
    transfer = least_transfer(stage, share, row_shares)
    # A single macro may be that of the provider; then nothing travels, see `pairs`.
    if macros == 1 and (transfer > stage.bit_steps or stage.beside):
        transfer = 0
    loaded, stored = loads_and_stores(stage, copies, row_shares, copy_shares)
    load, store = scratchpad_steps(stage, loaded), scratchpad_steps(stage, stored)
    merge = least_travel(stage, share * stage.cout) if macros > 1 else 0
    return pace_of(stage, clocks, transfer, load, store, merge, scratch)


@compiled
def least_pace(stage: Stage, clocks: int, scratch: Ints) -> tuple[int, int]:
    """Return what `pace` is at least with more than one macro, if nothing takes long to move."""
    return pace_of(stage, clocks, 1 if stage.reads else 0, 1, 1, 1, scratch)
