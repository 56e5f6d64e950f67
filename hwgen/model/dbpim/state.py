"""What the cycle model knows: sizes, the stream as tables, and the state of each unit."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import PACKETS, Opcode
from hwgen.spec.dbpim.timing import FETCH_SLOTS, RESULT_SLOTS

Ints = NDArray[np.int64]
Record = Any
"""A row of a table, its fields as attributes."""

LAYER_OPCODES = (Opcode.CONV, Opcode.POOL, Opcode.ADD, Opcode.STORE, Opcode.END)
_LAYER_FIELDS = dict.fromkeys(field.name for code in LAYER_OPCODES for field in PACKETS[code])
LAYER_TYPE = np.dtype([(name, np.int64) for name in _LAYER_FIELDS])
"""One row for each instruction of the stream; fields that an opcode lacks are zero."""

_TILE_EXTRA = ("mask_beats", "parameter_beats", "row_beats", "kept_offset", "cost_offset")
TILE_TYPE = np.dtype(
    [(field.name, np.int64) for field in PACKETS[Opcode.TILE]]
    + [(name, np.int64) for name in _TILE_EXTRA]
)
"""One row for each tile packet of the stream, in its order."""

CAUSES = ("busy", "row_write", "load", "switch", "output", "imbalance")
"""Where the cycles of a macro go during a CONV layer: it issues; a row is being written; it waits
for a tile or a row; for the switch to fill a group; for a place for its result; for other cores."""
BUSY, ROW_WRITE, LOAD, SWITCH, OUTPUT, IMBALANCE = range(len(CAUSES))


class Sizes(NamedTuple):
    """The numbers of the architecture that cost cycles."""

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


class Stream(NamedTuple):
    """The program as tables.

    order: (packets, 2): 1 for a tile or 0 for an instruction, and its row in the table
    kept: ones in each mask word, the tiles' words one after the other
    cost: uint8, cycles of each group, (positions, rows) of each tile one after the other
    """

    order: Ints
    layers: NDArray[np.void]
    tiles: NDArray[np.void]
    kept: Ints
    cost: NDArray[np.uint8]
    image_pixels: int
    pixel_bytes: int


class Loader(NamedTuple):
    """Memory reader, loader and sequencer; arrays of one element are registers."""

    register: Ints
    arrivals: Ints
    queue: Ints


class Cores(NamedTuple):
    """State of all cores; the first index is the core."""

    walking: Ints
    start: Ints
    done: Ints
    left: Ints
    base: Ints
    quad: Ints
    word: Ints
    begun: Ints
    served: Ints
    occupied: Ints
    tile_of: Ints
    known_at: Ints
    row_base: Ints
    tiles_begun: Ints
    walk: Ints
    retired: Ints
    rows_begun: Ints
    rows_valid: Ints
    rows_retired: Ints
    masks_begun: Ints
    masks_retired: Ints
    words: Ints
    word_ring: Ints
    moved: Ints
    fill: Ints
    row: Ints
    written: Ints
    queue_ring: Ints
    read: Ints
    issue_left: Ints
    outstanding: Ints
    result_head: Ints
    result_tail: Ints
    result_ring: Ints
    popped: Ints
    stage: Ints
    simd: Ints


WORD_FIELDS = 5
QUEUE_FIELDS = 6
RESULT_FIELDS = 3
RESULT_RING = RESULT_SLOTS + 2
SIMD_FIELDS = 10


def sizes_of(arch: Arch, *, header_beats: int, instruction_beats: int) -> Sizes:
    """Return the sizes of an architecture."""
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
    )


def new_cores(sizes: Sizes, tiles: int) -> Cores:
    """Return the state of all cores after reset, with room to know `tiles` tiles each."""
    cores, macros = sizes.cores, sizes.macros
    shapes: dict[str, tuple[int, ...]] = {
        "tile_of": (cores, tiles + 1),
        "known_at": (cores, tiles + 1),
        "row_base": (cores, tiles + 1),
        "words": (cores, 2),
        "word_ring": (cores, FETCH_SLOTS, WORD_FIELDS),
        "queue_ring": (cores, sizes.queue, QUEUE_FIELDS),
        "read": (cores, macros),
        "issue_left": (cores, macros),
        "outstanding": (cores, macros),
        "result_head": (cores, macros),
        "result_tail": (cores, macros),
        "result_ring": (cores, macros, RESULT_RING, RESULT_FIELDS),
        "popped": (cores, macros),
        "stage": (cores, 3),
        "simd": (cores, SIMD_FIELDS),
    }
    names = Cores._fields
    return Cores(*(np.zeros(shapes.get(name, (cores,)), dtype=np.int64) for name in names))
