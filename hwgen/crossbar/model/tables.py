"""A network at one point of the design space as arrays, for the compiled evaluators.

Symbols follow the published sheet: a layer has R rows of weights, RT row tiles and CT column tiles
of crossbars, S cells a weight, B bit steps an input; its weights are held D times (WtDup).
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.opaque import opaque
from hwgen.crossbar.facts.rules import Rules

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
IntGrid = Annotated[Ints, 2]
Grid = Annotated[Floats, 2]

CONV, FC, POOL, ELTWISE = range(4)
KINDS = {"conv": CONV, "fc": FC, "pool": POOL, "eltwise": ELTWISE}

COMPONENTS = ("dac", "adc", "shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")
DAC, ADC, SHIFT_ADD, ADDITION, RELU, SIGMOID, POOLING, ADDING = range(len(COMPONENTS))
PER_BIT = (DAC, ADC, SHIFT_ADD)
"""Components that work in each bit step; the others work once a computation block."""

STATIC, DYNAMIC, PEAK, RATE, LATENCY, AREA = range(6)
"""Columns of the component table: W, W, W, operations per ns, ns, um2."""


@opaque
class Tables(NamedTuple):
    """Everything that an evaluation reads; arrays of layers unless said otherwise.

    rules: what a design is charged for
    kind, pixels, side, kernel, stride, padding, cin, cout: of the layer; side is that of its map.
        Where rows and columns differ, those of columns; kernel with the gaps of a dilation
    taps: pixels of a window that are read
    image: elements of the image that comes over the mesh, of layers that read it; 0: none
    rows, row_tiles, column_tiles: R, RT, CT; zeros without weights
    crossbars: of one copy of the weights (Eq. 1), 0 without weights
    work: (layers, components), operations in a step for one copy (a unit handles `lanes` at once)
    activated: 1 where an activation is a step of its own
    provider_start, provider: whom layer i reads is provider[provider_start[i]:provider_start[i+1]]
    reader_start, reader: who reads layer i, in the same form
    window_start: layer i's part of `last_pixel` and `first_pixel`, by output pixel: the last and
        the first pixel (from 1) of a provider's map that it needs
    parts: (components, 6), see STATIC and so on
    crossbar: static, dynamic and peak W, latency in ns, area
    memories: (capacities, 6): kilobytes, leakage W, latency ns, read nJ, write nJ, area
    sections: parts of a row tile that read other inputs, see `hwgen.crossbar.facts.holdings`
    lane_groups: vectors of columns of a row tile and slice; none spans two crossbars
    sum_bits: width of a partial sum
    tile_start, tile_reads: reads of each row tile of a copy, of layer i from tile_start[i] on
    copy_reads: reads of one copy, or of one pixel of a pooling
    pool_clocks: of one pixel of a pooling, with all lanes; 0: of other layers
    out_bits: of an element of results; out_word: such elements of a word
    align: what all blocks of results begin at a multiple of; word: inputs of a word
    grouped: 1 where a copy may not be split over macros
    bit_steps, slices, crossbar_side: B, S, XbSize
    scalars: see POWER and so on
    """

    rules: Rules
    kind: Ints
    pixels: Ints
    side: Ints
    kernel: Ints
    stride: Ints
    padding: Ints
    cin: Ints
    cout: Ints
    taps: Ints
    image: Ints
    rows: Ints
    row_tiles: Ints
    column_tiles: Ints
    crossbars: Ints
    work: Grid
    activated: Ints
    provider_start: Ints
    provider: Ints
    reader_start: Ints
    reader: Ints
    window_start: Ints
    last_pixel: Ints
    first_pixel: Ints
    parts: Grid
    crossbar: Floats
    memories: Grid
    sections: Ints
    lane_groups: Ints
    sum_bits: Ints
    grouped: Ints
    tile_start: Ints
    tile_reads: Ints
    copy_reads: Ints
    pool_clocks: Ints
    out_bits: Ints
    out_word: Ints
    align: Ints
    word: int
    bit_steps: int
    slices: int
    crossbar_side: int
    scalars: Floats


POWER, RATIO, FLOOR, NOC_POWER, FLIT_BITS, HOP, BUS_BITS, DATA_BITS, OPERATIONS = range(9)
LANES, STREAM, IDENTICAL = 9, 10, 11
"""Places in `Tables.scalars`: W, -, ns, W, bits, ns, bits, bits, operations an image,
elements of a vector, 1 where designs are judged by a stream of images, 1 where all macros are
identical."""

KILOBYTES, LEAKAGE, ACCESS_NS, READ_NJ, WRITE_NJ, MEMORY_AREA = range(6)
"""Columns of `Tables.memories`."""
