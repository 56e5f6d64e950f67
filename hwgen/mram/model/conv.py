"""The clock of a CONV: row reader, window, gather, sender and ring, one cycle after the other.

docs/mram-microarchitecture.md defines the units. Cycle 0 is the first one in which they work.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.memory import Ints
from hwgen.mram.facts.arch import WINDOW, Arch
from hwgen.mram.facts.records import and_counts
from hwgen.mram.facts.timing import LINES, WATCHDOG_CYCLES
from hwgen.mram.model.events import kernel_taps

CAUSES = ("input", "sums", "and", "window")
"""Why a cycle of the ring passes: a plane goes to the arrays, only a sum leaves them, it waits for
ANDs, it waits for a packet."""
INPUT, SUMS, AND, WINDOW_WAIT = range(len(CAUSES))


class Conv(NamedTuple):
    """What decides the cycles of a CONV.

    pixels: of a row of the input bank; steps: cycles of a load's ANDs
    taps: that a walk reads at each position; 0: a window is read
    tap_rows: rows of the bank that it reads of each
    behind: groups of slots by which sums follow planes: 2 with sum registers
    ahead: the input rows have room for two loads, and the chip has sum registers
    The rest are fields of the record.
    """

    in_height: int
    in_width: int
    out_height: int
    out_width: int
    stride_y: int
    stride_x: int
    pad_top: int
    pad_left: int
    last_column: int
    pixels: int
    taps: int
    tap_rows: int
    kernel_width: int
    input_planes: int
    rows: int
    steps: int
    behind: int
    ahead: bool
    groups: int
    positions: int
    last_positions: int
    loads: int
    blocks: int


def conv_of(fields: Mapping[str, int], arch: Arch, *, steps: int | None = None) -> Conv:
    """Return what decides the cycles of a record; steps: of a load's ANDs, None: one cycle each."""
    rows = 1 + fields["two_rows"]
    walks = fields.get("walk", 0)
    same = {name: fields[name] for name in Conv._fields if name in fields}
    same["kernel_width"] = fields["kernel_width"] if walks else 0
    same["tap_rows"] = fields["tap_rows"] if walks else 0
    pixels = arch.row_blocks >> fields["in_blocks_log"]
    return Conv(
        pixels=pixels,
        taps=kernel_taps(fields) if walks else 0,
        rows=rows,
        steps=sum(and_counts(fields)) if steps is None else steps,
        behind=1 + arch.overlap,
        ahead=arch.overlap and 2 * rows * fields["input_planes"] <= arch.input_rows,
        **same,
    )


# Registers. FILL: lines of the next row that are read; TAKES: of the packet in the gather.
FILL, CHUNK, READ_LINE, READS_LEFT, CURRENT = range(5)
NEED, COLUMN, OUT_X, OUT_Y, OVER = range(5, 10)
FULL, TAKES, ROW, VALID = range(10, 14)
SLOT, STEP, LAST_ISSUE, READS = range(14, 18)
# Rows of taps that a walk has read, and whether the last one of them waits for the gather.
WALKED, WAITS = range(18, 20)
REGISTERS = 20


@compiled
def conv_cycles(conv: Conv) -> tuple[int, int, Ints]:
    """Return the cycle of the last issue of a sum, the rows read, and cycles by cause.

    The cycle is -1 when nothing has moved for WATCHDOG_CYCLES.
    """
    state = np.zeros(REGISTERS, np.int64)
    state[NEED], state[COLUMN], state[READS_LEFT] = WINDOW, -conv.pad_left, 1
    free_at = np.zeros(2 * conv.groups, np.int64)
    causes = np.zeros(len(CAUSES), np.int64)
    t = quiet = 0
    while state[SLOT] < conv.loads + conv.behind * conv.groups:
        steps, last_plane = ring(t, conv, state, free_at, causes)
        moves = state[FULL] == 1 and (state[VALID] == 0 or last_plane)
        if conv.taps:
            worked = read = walk(conv, state, moves)
        else:
            released, worked = window(conv, state, moves)
        state[VALID] = 1 if moves else state[VALID] * (1 - last_plane)
        if not conv.taps:
            read = read_row(conv, state, released)
        quiet = 0 if steps or worked or read else quiet + 1
        if quiet > WATCHDOG_CYCLES + conv.steps:
            return -1, state[READS], causes
        t += 1
    return state[LAST_ISSUE], state[READS], causes


@compiled
def ring(t: int, conv: Conv, state: Ints, free_at: Ints, causes: Ints) -> tuple[bool, bool]:
    """Advance the ring; return whether it steps, and whether it sends the last plane of a packet.

    free_at: first cycle in which a slot of each group may begin, then the one behind its ANDs
    """
    slot, step = state[SLOT], state[STEP]
    group = slot % conv.groups
    planes = conv.rows * conv.input_planes if slot < conv.loads else 0
    sums = 0
    if slot >= conv.behind * conv.groups:
        last = slot - conv.behind * conv.groups == conv.loads - 1
        sums = (conv.last_positions if last else conv.positions) * conv.blocks
    sends = step < planes
    if step == 0 and t < free_at[group]:
        causes[AND] += 1
        return False, False
    if sends and state[VALID] == 0:
        causes[WINDOW_WAIT] += 1
        return False, False
    causes[INPUT if sends else SUMS] += 1
    if step < sums:
        state[LAST_ISSUE] = t
    if step + 1 >= max(planes, sums):
        state[SLOT], state[STEP] = slot + 1, 0
        end_slot(t, conv, slot, free_at)
    else:
        state[STEP] = step + 1
    return True, sends and (step + 1) % conv.input_planes == 0


@compiled
def end_slot(t: int, conv: Conv, slot: int, free_at: Ints) -> None:
    """Start the ANDs of a slot's load, or move sums to registers, when the ANDs before are over."""
    group = slot % conv.groups
    if conv.behind == 1:
        if slot < conv.loads:
            free_at[group] = t + 1 + conv.steps
        return
    if slot >= conv.loads + conv.groups:
        return
    begin = max(t + 2, free_at[conv.groups + group])
    over = begin + (conv.steps if slot < conv.loads else 0)
    free_at[conv.groups + group] = over
    free_at[group] = begin if conv.ahead or slot >= conv.loads else over - 1


@compiled
def window(conv: Conv, state: Ints, moves: bool) -> tuple[bool, bool]:
    """Advance window and gather; return whether the current row is released, whether one works."""
    ready = state[FULL] == 0 or moves
    take = state[NEED] == 0 and state[OVER] == 0 and ready
    row_take = take and state[ROW] == conv.rows - 1
    line_end = row_take and state[OUT_X] == conv.out_width - 1
    map_end = line_end and state[OUT_Y] == conv.out_height - 1
    need, column = state[NEED], state[COLUMN]
    if row_take:
        need = WINDOW if line_end else conv.stride_x
    if line_end:
        column = -conv.pad_left
    shifts = released = False
    if need > 0 and state[OVER] == 0 and not map_end:
        inside = 0 <= column < conv.in_width
        shifts = not inside or state[CURRENT] == 1
        row_end = column % conv.pixels == conv.pixels - 1 or column == conv.last_column
        released = shifts and 0 <= column <= conv.last_column and row_end
    if take:
        gather(conv, state, map_end)
    elif moves:
        state[FULL] = 0
    if row_take:
        state[OUT_X] = 0 if line_end else state[OUT_X] + 1
        state[OUT_Y] += line_end
        state[OVER] = map_end
    state[NEED], state[COLUMN] = need - shifts, column + shifts
    return released, take or shifts


@compiled
def walk(conv: Conv, state: Ints, moves: bool) -> bool:
    """Advance walker and gather; return whether one works."""
    reads_of_set = conv.taps * conv.tap_rows
    each = conv.rows * reads_of_set
    total = conv.out_height * conv.out_width * each
    take = state[WAITS] == 1 and (state[FULL] == 0 or moves)
    if take and state[WALKED] % reads_of_set == 0:
        gather(conv, state, state[WALKED] == total)
    elif take or moves:
        state[FULL] = 0
    reads = state[WALKED] < total and (state[WAITS] == 0 or take)
    if reads:
        position, tap = state[WALKED] // each, state[WALKED] % reads_of_set // conv.tap_rows
        line = position // conv.out_width * conv.stride_y - conv.pad_top + tap // conv.kernel_width
        column = position % conv.out_width * conv.stride_x - conv.pad_left + tap % conv.kernel_width
        state[READS] += 0 <= line < conv.in_height and 0 <= column < conv.in_width
        state[WALKED] += 1
    state[WAITS] = reads or (state[WAITS] == 1 and not take)
    return take or reads


@compiled
def gather(conv: Conv, state: Ints, map_end: bool) -> None:
    """Put a window into the packet: whole with the positions of a load, or one row of two."""
    if conv.rows > 1:
        state[ROW] = (state[ROW] + 1) % conv.rows
        state[FULL] = 1
        return
    state[TAKES] += 1
    state[FULL] = state[TAKES] == conv.positions or map_end
    if state[FULL] == 1:
        state[TAKES] = 0


@compiled
def read_row(conv: Conv, state: Ints, released: bool) -> bool:
    """Advance the row reader; return whether a line of the next row passes."""
    moves = state[FILL] == LINES and (state[CURRENT] == 0 or released)
    reads = state[READS_LEFT] == 1 and (state[FILL] < LINES or moves)
    state[CURRENT] = 1 if moves else state[CURRENT] * (1 - released)
    if moves:
        state[FILL] = 0
    if not reads:
        return False
    line = state[READ_LINE] * conv.stride_y - conv.pad_top + state[FILL]
    state[READS] += 0 <= line < conv.in_height
    state[FILL] += 1
    if state[FILL] == LINES:
        state[CHUNK] += 1
        if state[CHUNK] * conv.pixels > conv.last_column:
            state[CHUNK] = 0
            state[READ_LINE] += 1
            state[READS_LEFT] = state[READ_LINE] < conv.out_height
    return True
