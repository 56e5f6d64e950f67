"""What the least pace of a layer depends on, besides its own choice.

A hop of the mesh is one, and a pipeline step as long as the box allows.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.rules import Rules
from hwgen.crossbar.model.pipeline import steps_of
from hwgen.crossbar.model.tables import (
    ACCESS_NS,
    BUS_BITS,
    CONV,
    DATA_BITS,
    FLIT_BITS,
    HOP,
    LANES,
    Tables,
)
from hwgen.crossbar.synthesis.boxes import Box, least_scratchpad
from hwgen.crossbar.synthesis.company import is_beside_image


@opaque
class Stage(NamedTuple):
    """What the pace of a layer depends on, besides its own choice.

    reads: whether anything travels to it; sends: whether its outputs travel to layers with weights;
    beside: its single macro may be that of its image
    starts: whether its last operation counts as over when it starts (published, last layer)
    rows, wide, cin, cout, stride, kernel: of its weights, in elements; conv: 1 for a convolution
    side, row_tiles: of a crossbar, of a copy; sum_bits: of a partial sum; lanes: of a vector
    copy_reads, align, word, out_word: as in `Tables`
    hop, access, step: ns of a hop, of an access to the scratchpad, of a pipeline step
    data, flit, bus: bits
    """

    rules: Rules
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
    out_word: int
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
        tables.rules,
        bool(tables.provider_start[i + 1] > tables.provider_start[i]),
        is_read_by_weights(tables, i),
        beside_image(tables, i),
        bool(tables.activated[i] > 0),
        bool(last and not tables.rules.registers),
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
        int(tables.out_word[i]),
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
        if is_beside_image(tables, tables.provider[e]):
            return True
    return False


@compiled
def travel_ns(stage: Stage, elements: int, clocks: int) -> float:
    """Return the ns of a travel of so many elements; clocks: beside flits."""
    return float(stage.hop * (clocks + np.ceil(elements * stage.data / stage.flit)))


@compiled
def least_travel(stage: Stage, elements: int, clocks: int) -> int:
    """Return the steps of a travel of so many elements over a single hop; clocks: beside flits."""
    return steps_of(travel_ns(stage, elements, clocks), stage.step)
