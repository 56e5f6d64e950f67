"""Data of the cycle model: sizes, the stream as tables, and the state of each unit."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts import timing
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, MOST_GROUPS, MOST_MACROS, Arch
from hwgen.dbpim.facts.packing import PIECE_BITS
from hwgen.dbpim.facts.stream import taps_beats

Ints = NDArray[np.int64]
Record = Any
"""A row of a table, its fields as attributes; compiled functions get it by reference."""
Table = NDArray[np.void]


def _fields(cores: int) -> list[str]:
    """Return the fields of all instructions that no core owns (0), or that each core has (1)."""
    names = [
        field.name.removesuffix("_0")
        for code in isa.INSTRUCTIONS
        for field in isa.PACKETS[code]
        if isa.core_count(field.name) == cores
    ]
    return list(dict.fromkeys(names))


STEP_FIELDS, WORK_FIELDS = _fields(0), _fields(1)

STEP_TYPE = np.dtype([(name, np.int64) for name in STEP_FIELDS])
"""One row for each instruction of the stream; fields that an opcode lacks are zero."""

WORK_TYPE = np.dtype([(name, np.int64) for name in WORK_FIELDS])
"""One row for each core in each instruction of the stream."""

_PLACES = ("selected_offset", "first_position", "cost_offset", "cost_stride")
_TILE_EXTRA = ("mask_beats", "row_pieces", *_PLACES)
TILE_FIELDS = [each.name for each in isa.PACKETS[isa.Opcode.TILE] if each.name != "filter_enable"]
TILE_TYPE = np.dtype([(name, np.int64) for name in (*TILE_FIELDS, *_TILE_EXTRA)])
"""One row for each tile packet of the stream, in its order; `filter_enable` decides no cycle.

first_position: number of the step's first position, where positions count from image 0 on
cost_offset, cost_stride: see Weights
"""

INSTRUCTION, TILE, TAPS, TABLE, FLOATS = range(5)
PACKET_TYPE = np.dtype(
    [(name, np.int64) for name in ("kind", "row", "header_beats", "cores", "taps", "body")]
)
"""One row for each packet of the stream after BEGIN.

kind: one of the above; row: in the table of instructions or of tiles
header_beats: of the instruction, or of the header; cores, taps: of TAPS, TABLE and FLOATS
body: beats behind the header
"""

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
"""Where the cycles of a macro go, or those of a SIMD unit in a step without weights.

busy: the macro issues a bit plane of a position; only the cells that hold its weights count
inactive_positions: it issues, but the position vector has no position for it
empty_slots, absent_filters: cells of a busy macro whose compartment has no input in this row, or
whose cell column has no filter (`hwgen.dbpim.model.cells` divides `busy`)
simd: the SIMD unit moves a part of a word
row_write: a row of weights is being written
load: for a tile, a row, taps, a table or the step's instruction
switch: for the switch to fill a group; of the SIMD unit, and on a chip without a switch, for the
fetcher
queue: for a slower macro of its core, whose queue is full, or which has not left their word
output: for the output stage, which takes one result of its core a cycle, of the SIMD unit for the
requantizers that its lanes share
write_bus: for the write bus, which another core has, or for the write port of the buffer
pipeline: the step starts, or its last results are still in the pipeline
imbalance: for slower macros and cores, or the core has no work in the step
"""


class Sizes(NamedTuple):
    """The sizes of an architecture that determine cycles.

    channels: of a word; group: inputs of a row
    simd_parts, table_parts: parts of a word-vector in the SIMD unit, and of one with lookups
    simd_turns, table_turns: cycles of such a part of a last tap in the requantizers
    begin_beats: beats of BEGIN
    idle_cost: cycles of a group in a macro that has no position
    beat_parameters: parameters of a tile or of taps that share a beat
    tap_beats: beats of one word of taps; table_beats: of a table
    beat_pieces: pieces of a row of weights in a beat
    macro_cycles: from the last bit plane of a result to its entry in the result queue
    requantize_cycles, sum_cycles, simd_cycles: those of the architecture
    shares_stream: all cores compute with the words of one stream
    switches: a switch makes groups of the words; else each word is one
    """

    cores: int
    macros: int
    channels: int
    group: int
    skew: int
    rate: int
    queue: int
    rows: int
    mask_words: int
    bus_words: int
    pixel_lanes: int
    pair_words: int
    port_bytes: int
    latency: int
    read_ahead: int
    simd_parts: int
    table_parts: int
    simd_turns: int
    table_turns: int
    begin_beats: int
    idle_cost: int
    filters: int
    beat_parameters: int
    tap_beats: int
    table_beats: int
    beat_pieces: int
    macro_cycles: int
    requantize_cycles: int
    sum_cycles: int
    simd_cycles: int
    shares_stream: bool
    switches: bool


class Weights(NamedTuple):
    """The tiles of the stream, for the cores.

    tiles: rows of TILE_TYPE
    selected: inputs that each mask word selects, the tiles' words one after the other
    cost: cycles of each group: (positions, rows) of each tile one after the other, or rows alone
        where all positions cost the same; position number p of a tile and row r are at
        cost_offset + p * cost_stride + r
    """

    tiles: Table
    selected: NDArray[np.uint8]
    cost: NDArray[np.uint8]


class Order(NamedTuple):
    """The packets of the stream, for loader and sequencer.

    packets: rows of PACKET_TYPE; steps: rows of STEP_TYPE; tiles: rows of TILE_TYPE
    work: rows of WORK_TYPE, (instructions, cores)
    """

    packets: Table
    steps: Table
    work: Table
    tiles: Table


RESULT_RING = timing.RESULT_SLOTS + 2


(
    WORD_VISIBLE,
    WORD_TILE,
    WORD_NUMBER,
    WORD_END,
    WORD_IMAGE,
    WORD_Y,
    WORD_X,
    WORD_LAST_TAP,
    WORD_HELD,
) = range(9)
"""Entries of a fetched word. WORD_END: last vector of the chunk; of a SIMD step: last
word-vector of its channel word. WORD_HELD: a word of map a of a product, which enters no sum."""
GROUP_VISIBLE, GROUP_TILE, GROUP_ROW, GROUP_END, GROUP_TILE_END, GROUP_IMAGE, GROUP_Y, GROUP_X = (
    range(8)
)
RESULT_VISIBLE, RESULT_EMIT, RESULT_TILE_END, RESULT_ROW, RESULT_COLUMN, RESULT_DOUBLE = range(6)
"""Entries of a result. RESULT_DOUBLE: it is of two filter groups, and leaves in two cycles."""

RESULT_STAGES = timing.REQUANTIZE_CYCLES + timing.SUM_CYCLES + 2 * timing.FLOAT32_CYCLES
"""Stages from a popped result to the request of its write, at most: those beyond
`requantize_cycles` only in a step that adds another map, which is read while the result is in the
last of these."""

SIMD_STAGES = timing.SIMD_CYCLES + timing.FLOAT32_CYCLES
"""Stages of the SIMD unit at most. The last one is the request; a chip with fewer of them has none
in front of its first one."""

PRIVATE = 1
"""A request for the own banks. One for the bus is 1 + the words that are still to be granted."""

SUM_REQUESTS = 3
"""Requests of a result of the SIMD unit that leaves as three bytes."""

IN_MEMORY = -1
"""Stored row of a word for the logit buffer: no core keeps it."""

_SCALARS = """
    number walking start done left vector image y x chunk_image chunk_y chunk_x
    word kernel_y kernel_x channel_word fetch_known requested fetching occupied
    held halved tiles_begun walk retired rows_begun rows_valid rows_retired masks_begun
    masks_retired words_read words_written moved fill row written
    tap part turn sent resends taps_begun taps_walked taps_freed table_at
    floats_at row_pass row_channel row_settles row_step row_leaving row_written
"""
_ARRAYS: dict[str, tuple[int, ...]] = {
    "tile_of": (timing.TILE_SLOTS,),
    "known_at": (timing.TILE_SLOTS,),
    "row_base": (timing.TILE_SLOTS,),
    "taps_at": (timing.TAP_SLOTS,),
    "request": (WORD_HELD + 1,),
    "requested_reads": (MOST_MACROS,),
    "word_ring": (timing.FETCH_SLOTS, WORD_HELD + 1),
    "queue_ring": (MOST_GROUPS, GROUP_X + 1),
    "read": (MOST_MACROS,),
    "issue_left": (MOST_MACROS,),
    "issue_row": (MOST_MACROS,),
    "issue_column": (MOST_MACROS,),
    "outstanding": (MOST_MACROS,),
    "result_head": (MOST_MACROS,),
    "result_tail": (MOST_MACROS,),
    "result_ring": (MOST_MACROS, RESULT_RING, RESULT_DOUBLE + 1),
    "popped": (MOST_MACROS,),
    "bank_reads": (MOST_MACROS,),
    "bank_left": (MOST_MACROS,),
    "read_row": (MOST_MACROS,),
    "read_column": (MOST_MACROS,),
    "stage": (RESULT_STAGES,),
    "stage_row": (RESULT_STAGES,),
    "stage_column": (RESULT_STAGES,),
    "simd_full": (SIMD_STAGES,),
    "simd": (SIMD_STAGES,),
    "simd_row": (SIMD_STAGES,),
    "simd_column": (SIMD_STAGES,),
    "simd_words": (SIMD_STAGES,),
    "simd_first": (SIMD_STAGES,),
    "simd_end": (SIMD_STAGES,),
    "row_word": (WORD_HELD + 1,),
}
CORE_TYPE = np.dtype(
    [(name, np.int64) for name in _SCALARS.split()]
    + [(name, np.int64, shape) for name, shape in _ARRAYS.items()]
)
"""State of one core. Its tables have the size of the largest core, so that one compiled function
serves every architecture.

walking .. chunk_x: vectors of the walker; left: from the chunk's first one on; image, y, x: of the
current one, chunk_*: of the chunk's first one
word .. channel_word: its word; fetch_known: `bank_reads` is that of this pixel; requested: a word
is in the register of the request, `request` as in the ring, with `requested_reads` of each bank;
fetching: it is being read; occupied: slots of the fetcher; held: the next word of the shared stream
waits for another core
tiles_begun, walk, retired: tiles ever begun, walked, freed; tile_of, known_at, row_base: of the
latest TILE_SLOTS tiles
rows_*, masks_*: rows and mask words ever begun, written, freed
words_read, words_written, word_ring: words between fetcher and switch or SIMD unit
moved, fill, row: of the switch; moved: without one, 1 while macros have a word
written, queue_ring, read: of the group queue
issue_left, issue_row, issue_column, outstanding, result_*: of each macro: bit planes left, stored
row (-1: none) and column of the position, results; popped: its tiles popped but not retired
bank_reads, read_row, read_column: reads of each bank for a word of this pixel, and their places;
bank_left: of the word that is being read
halved: 1 + the macro whose result has its second filter group left, 0: none
stage, stage_row, stage_column: requests in the output stage and their stored rows and columns
tap, part: of the SIMD unit; simd_full: stages with a part of a last tap, turn: cycles of the one in
the requantizers; simd: requests in the stages, simd_row, simd_column: stored place of
the first word, simd_words: words, simd_first: those in that row, simd_end: last one of a channel
word
sent, resends: words granted, and requests to follow, of the request of the SIMD unit
taps_begun, taps_walked, taps_freed, taps_at: channel words of taps; table_at: cycle from which the
table is known (`NEVER`: not loaded)
floats_at: the same of floats; row_pass, row_channel: that the row unit reads next, row_settles: it
waits for results, row_step: since the last byte of a pass; row_leaving: a bit for each byte on its
way, by its cycles; row_written: bytes of the group that have left; row_word: of these bytes
"""

NEVER = 1 << 60


def new_cores(sizes: Sizes) -> Table:
    """Return the state of all cores after reset."""
    cores = np.zeros(sizes.cores, dtype=CORE_TYPE)
    cores["number"] = np.arange(sizes.cores)
    cores["table_at"] = cores["floats_at"] = NEVER
    return cores


def sizes_of(arch: Arch, *, begin_beats: int) -> Sizes:
    """Return the sizes of an architecture."""
    size = arch.word
    return Sizes(
        cores=arch.cores,
        macros=arch.macros_per_core,
        channels=size,
        group=arch.macro.compartments,
        skew=arch.bank_skew,
        rate=arch.switch_rate,
        queue=max(1, arch.groups_queued),
        rows=arch.macro.rows,
        mask_words=arch.mask_words,
        bus_words=arch.bus_words,
        pixel_lanes=arch.pixel_lanes,
        pair_words=arch.pair_words,
        port_bytes=arch.port_bytes,
        latency=arch.memory_latency_cycles,
        read_ahead=arch.read_ahead_beats,
        simd_parts=arch.simd_parts,
        table_parts=arch.macros_per_core * size // arch.table_lookups,
        simd_turns=arch.lanes_per_requantizer,
        table_turns=arch.table_turns,
        begin_beats=begin_beats,
        idle_cost=1 if arch.sparsity.input_bits else ACTIVATION_BITS,
        filters=arch.filters,
        beat_parameters=max(1, arch.port_bits // isa.PARAMETER_BITS),
        tap_beats=taps_beats(arch).tap,
        table_beats=isa.TABLE_BYTES // arch.port_bytes,
        beat_pieces=arch.port_bits // PIECE_BITS,
        macro_cycles=arch.macro_cycles,
        requantize_cycles=arch.requantize_cycles,
        sum_cycles=arch.sum_cycles,
        simd_cycles=arch.simd_cycles,
        shares_stream=arch.shares_stream,
        switches=arch.sparse_parts,
    )
