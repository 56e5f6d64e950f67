"""Data of the cycle model: sizes, the stream as tables, and the state of each unit."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.dbpim.arch import ACTIVATION_BITS, MOST_GROUPS, MOST_MACROS, Arch
from hwgen.spec.dbpim.instructions import PACKETS, PARAMETER_BITS, Opcode
from hwgen.spec.dbpim.timing import (
    FETCH_SLOTS,
    REQUANTIZE_CYCLES,
    RESULT_SLOTS,
    SIMD_CYCLES,
    TILE_SLOTS,
)

Ints = NDArray[np.int64]
Record = Any
"""A row of a table, its fields as attributes; compiled functions get it by reference."""
Table = NDArray[np.void]

LAYER_OPCODES = (Opcode.CONV, Opcode.POOL, Opcode.ADD, Opcode.STORE, Opcode.END)
_LAYER_FIELDS = dict.fromkeys(field.name for code in LAYER_OPCODES for field in PACKETS[code])
LAYER_TYPE = np.dtype([(name, np.int64) for name in _LAYER_FIELDS])
"""One row for each instruction of the stream; fields that an opcode lacks are zero."""

_TILE_EXTRA = ("mask_beats", "row_beats", "selected_offset", "cost_offset")
TILE_TYPE = np.dtype(
    [(field.name, np.int64) for field in PACKETS[Opcode.TILE]]
    + [(name, np.int64) for name in _TILE_EXTRA]
)
"""One row for each tile packet of the stream, in its order."""

PACKET_TYPE = np.dtype([("is_tile", np.int64), ("row", np.int64)])
"""One row for each packet of the stream: whether it is a tile, and its row in the table of tiles or
of instructions."""

COMMAND_TYPE = np.dtype([("cycle", np.int64), ("address", np.int64), ("beats", np.int64)])
"""One row for each read command: its first active cycle (0: not yet known), address and length."""

CAUSES = (
    "busy",
    "inactive_positions",
    "empty_slots",
    "absent_filters",
    "simd",
    "row_write",
    "load",
    "switch",
    "queue",
    "output",
    "write_bus",
    "pipeline",
    "imbalance",
)
(
    BUSY,
    INACTIVE_POSITIONS,
    EMPTY_SLOTS,
    ABSENT_FILTERS,
    SIMD,
    ROW_WRITE,
    LOAD,
    SWITCH,
    QUEUE,
    OUTPUT,
    WRITE_BUS,
    PIPELINE,
    IMBALANCE,
) = range(len(CAUSES))
"""Where the cycles of a macro go, or those of a SIMD unit in a layer without weights.

busy: the macro issues a bit plane of a position; only the cells that hold its weights count
inactive_positions: it issues, but the last position vector has no position for it
empty_slots, absent_filters: cells of a busy macro whose compartment has no input in this row, or
whose cell column has no filter (`hwgen.model.dbpim.cells` divides `busy`)
simd: the SIMD unit reads
row_write: a row of weights is being written
load: for a tile, a row or the layer's instruction; switch: for the switch to fill a group
queue: for a slower macro of its core, whose queue is full
output: for the output stage, which takes one result of its core a cycle
write_bus: for the write bus, which another core has
pipeline: the layer starts, or its last results are still in the pipeline
imbalance: for slower macros and cores, or the core has no work in the layer
"""


class Sizes(NamedTuple):
    """The sizes of an architecture and an image that determine cycles.

    idle_cost: cycles of a group in a macro that has no position
    beat_filters: filters whose parameters share a beat
    """

    cores: int
    macros: int
    channels: int
    skew: int
    rate: int
    queue: int
    rows: int
    mask_words: int
    port_bytes: int
    latency: int
    simd_slices: int
    header_beats: int
    instruction_beats: int
    image_pixels: int
    pixel_bytes: int
    idle_cost: int
    filters: int
    beat_filters: int


class Weights(NamedTuple):
    """The tiles of the stream, for the cores.

    tiles: rows of TILE_TYPE
    selected: inputs that each mask word selects, the tiles' words one after the other
    cost: uint8, cycles of each group, (positions, rows) of each tile one after the other
    """

    tiles: Table
    selected: Ints
    cost: NDArray[np.uint8]


class Order(NamedTuple):
    """The packets of the stream, for the loader.

    packets: rows of PACKET_TYPE
    layers: rows of LAYER_TYPE; tiles: rows of TILE_TYPE
    """

    packets: Table
    layers: Table
    tiles: Table


RESULT_RING = RESULT_SLOTS + 2


WORD_VISIBLE, WORD_TILE, WORD_VECTOR, WORD_NUMBER, WORD_TILE_END = range(5)
GROUP_VISIBLE, GROUP_TILE, GROUP_VECTOR, GROUP_ROW, GROUP_END, GROUP_TILE_END = range(6)
RESULT_VISIBLE, RESULT_EMIT, RESULT_TILE_END = range(3)
RUNNING, START, POSITIONS, WORD, SLICE, TAP, STAGES = range(7)
"""Entries of a fetched word, a group, a result, and the SIMD unit; from STAGES on, one entry for
each stage of the SIMD unit from the read to the request, 1 when it is filled."""

_SCALARS = """
    number core_in_set walking start done left base vector word begun served occupied
    tiles_begun walk retired rows_begun rows_valid rows_retired masks_begun masks_retired
    words_read words_written moved fill row written
"""
_ARRAYS: dict[str, tuple[int, ...]] = {
    "tile_of": (TILE_SLOTS,),
    "known_at": (TILE_SLOTS,),
    "row_base": (TILE_SLOTS,),
    "word_ring": (FETCH_SLOTS, WORD_TILE_END + 1),
    "queue_ring": (MOST_GROUPS, GROUP_TILE_END + 1),
    "read": (MOST_MACROS,),
    "issue_left": (MOST_MACROS,),
    "outstanding": (MOST_MACROS,),
    "result_head": (MOST_MACROS,),
    "result_tail": (MOST_MACROS,),
    "result_ring": (MOST_MACROS, RESULT_RING, RESULT_TILE_END + 1),
    "popped": (MOST_MACROS,),
    "stage": (REQUANTIZE_CYCLES,),
    "simd": (STAGES + SIMD_CYCLES,),
}
CORE_TYPE = np.dtype(
    [(name, np.int64) for name in _SCALARS.split()]
    + [(name, np.int64, shape) for name, shape in _ARRAYS.items()]
)
"""State of one core. Its tables have the size of the largest core, so that one compiled function
serves every architecture.

number, core_in_set: index of the core in the chip and in its set
walking .. occupied: walker and fetcher; left, base: vectors left, and done before this chunk
tiles_begun, walk, retired: tiles ever begun, walked, freed; tile_of, known_at, row_base: of the
latest TILE_SLOTS tiles
rows_*, masks_*: rows and mask words ever begun, written, freed
words_read, words_written, word_ring: words between fetcher and switch
moved, fill, row: of the switch; written, queue_ring, read: of the group queue
issue_left, outstanding, result_*: of each macro; popped: its tiles popped but not retired
stage: output stages that are filled; simd: see hwgen.model.dbpim.simd
"""


def new_cores(sizes: Sizes) -> Table:
    """Return the state of all cores after reset."""
    cores = np.zeros(sizes.cores, dtype=CORE_TYPE)
    cores["number"] = np.arange(sizes.cores)
    return cores


def sizes_of(
    arch: Arch, *, header_beats: int, instruction_beats: int, image_pixels: int, pixel_bytes: int
) -> Sizes:
    """Return the sizes of an architecture and an image."""
    return Sizes(
        cores=arch.cores,
        macros=arch.macros_per_core,
        channels=arch.macro.compartments,
        skew=arch.bank_skew,
        rate=arch.switch_rate,
        queue=arch.queue_depth,
        rows=arch.macro.rows,
        mask_words=arch.mask_words,
        port_bytes=arch.port_bytes,
        latency=arch.memory_latency_cycles,
        simd_slices=arch.macro.compartments // arch.simd_lanes,
        header_beats=header_beats,
        instruction_beats=instruction_beats,
        image_pixels=image_pixels,
        pixel_bytes=pixel_bytes,
        idle_cost=1 if arch.sparsity.input_bits else ACTIVATION_BITS,
        filters=arch.filters,
        beat_filters=min(arch.filters, arch.port_bits // PARAMETER_BITS),
    )
