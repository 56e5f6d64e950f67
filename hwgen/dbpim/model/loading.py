"""One cycle of the loader: the stream becomes instructions, maps, tiles, taps and tables.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.chip.memory import TAKEN, beat_ready
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.timing import INSTRUCTION_SLOTS, TAP_SLOTS, TILE_SLOTS
from hwgen.dbpim.model.map_writing import write_map
from hwgen.dbpim.model.state import (
    FLOATS,
    INSTRUCTION,
    NEVER,
    TABLE,
    TAPS,
    TILE,
    Ints,
    Order,
    Record,
    Sizes,
)
from hwgen.dbpim.model.state import Table as Rows

LOAD = int(Opcode.LOAD)

# Registers of the loader. ROW_CORES: cores of the row that is written in this cycle. LOADS: LOADs
# begun. MAP_DONE: cycle of the last word of a map. PUSHED, POPPED: instructions. PIECES: of the
# next row, in beats taken.
(
    STATE,
    LEFT,
    PACKET,
    PARTS_LEFT,
    ROW_CORES,
    NEXT_ROW_CORES,
    LOADS,
    MAP_DONE,
    PUSHED,
    POPPED,
    PIECES,
) = range(11)
LOADER_REGISTERS = 11
GATHER, CHECK, HOLD, MAP, MASKS, PARAMETERS, PARTS, ENTRIES, ENDED = range(9)


@compiled
def loader(
    t: int,
    sizes: Sizes,
    order: Order,
    cores: Rows,
    state: Ints,
    writer: Ints,
    reader: Ints,
    arrivals: Ints,
    instruction_at: Ints,
) -> bool:
    """Take at most one beat or make one check; return whether a beat was taken."""
    state[ROW_CORES], state[NEXT_ROW_CORES] = state[NEXT_ROW_CORES], 0
    if state[STATE] == CHECK:
        check(t, sizes, order, cores, state, instruction_at)
        return False
    if state[STATE] == HOLD or state[STATE] == ENDED or not beat_ready(t, reader, arrivals):
        return False
    if state[STATE] == MAP:
        fields = order.steps[order.packets[state[PACKET]].row]
        taken, done = write_map(sizes, fields, writer, reader)
        if done:
            state[MAP_DONE] = t
            next_packet(order, state)
        return taken
    state[LEFT] -= 1
    held = state[STATE] == PARAMETERS and state[LEFT] % sizes.beat_parameters > 0
    reader[TAKEN] += not held
    if state[LEFT] == 0:
        next_part(t, sizes, order, cores, state)
    return not held


@compiled
def next_part(t: int, sizes: Sizes, order: Order, cores: Rows, state: Ints) -> None:
    """Go on after the last beat of a part of a packet."""
    kind = order.packets[state[PACKET]].kind
    if state[STATE] == GATHER:
        state[STATE] = CHECK
    elif kind == TILE:
        next_tile_part(t, sizes, order, cores, state)
    elif kind == TAPS:
        next_taps_part(t, sizes, order, cores, state)
    else:
        for core in cores:
            if order.packets[state[PACKET]].cores >> core.number & 1:
                if kind == TABLE:
                    core.table_at = t + 1
                else:
                    core.floats_at = t + 1
        next_packet(order, state)


@compiled
def next_taps_part(t: int, sizes: Sizes, order: Order, cores: Rows, state: Ints) -> None:
    """Go on after the last beat of the parameters or of a word of taps."""
    packet = order.packets[state[PACKET]]
    if state[STATE] == PARAMETERS:
        state[STATE], state[LEFT], state[PARTS_LEFT] = PARTS, sizes.tap_beats, packet.taps
        return
    state[PARTS_LEFT] -= 1
    state[LEFT] = sizes.tap_beats
    if state[PARTS_LEFT] > 0:
        return
    for core in cores:
        if packet.cores >> core.number & 1:
            core.taps_at[(core.taps_begun - 1) % TAP_SLOTS] = t + 1
    next_packet(order, state)


@compiled
def next_tile_part(t: int, sizes: Sizes, order: Order, cores: Rows, state: Ints) -> None:
    """Go on after the last beat of the masks, of the parameters or of a row of a tile."""
    tile = order.tiles[order.packets[state[PACKET]].row]
    if state[STATE] == MASKS:
        tile_is_known(t, sizes, tile, cores, state)
    elif state[STATE] == PARAMETERS:
        first_row(sizes, tile, state)
    else:
        end_row(sizes, tile, order, state)


@compiled
def tile_is_known(t: int, sizes: Sizes, tile: Record, cores: Rows, state: Ints) -> None:
    """Let the walkers see a tile, whose masks are complete, and go on with its parameters."""
    for core in cores:
        if tile.cores >> core.number & 1:
            core.known_at[(core.tiles_begun - 1) % TILE_SLOTS] = t + 1
    state[STATE], state[LEFT] = PARAMETERS, tile.parameters * sizes.filters << tile.double
    if state[LEFT] == 0:
        first_row(sizes, tile, state)


@compiled
def first_row(sizes: Sizes, tile: Record, state: Ints) -> None:
    """Go on with the rows of a tile."""
    state[STATE], state[PARTS_LEFT], state[PIECES] = PARTS, tile.rows, 0
    next_row(sizes, tile, state)


@compiled
def end_row(sizes: Sizes, tile: Record, order: Order, state: Ints) -> None:
    """Write a row of a tile in the next cycle, and go on with the next row or packet."""
    state[NEXT_ROW_CORES] = tile.cores
    state[PARTS_LEFT] -= 1
    if state[PARTS_LEFT] == 0:
        next_packet(order, state)
    else:
        next_row(sizes, tile, state)


@compiled
def next_row(sizes: Sizes, tile: Record, state: Ints) -> None:
    """Gather the beats that the next row still needs; what is left of the last one is kept."""
    needed = tile.row_pieces - state[PIECES]
    state[LEFT] = (needed + sizes.beat_pieces - 1) // sizes.beat_pieces
    state[PIECES] = state[LEFT] * sizes.beat_pieces - needed


@compiled
def next_packet(order: Order, state: Ints) -> None:
    """Gather the next packet, if there is one."""
    state[PACKET] += 1
    if state[PACKET] == len(order.packets):
        state[STATE] = ENDED
        return
    state[STATE], state[LEFT] = GATHER, order.packets[state[PACKET]].header_beats


@compiled
def check(
    t: int, sizes: Sizes, order: Order, cores: Rows, state: Ints, instruction_at: Ints
) -> None:
    """Push an instruction or begin the body of a packet, unless buffers are full."""
    packet = order.packets[state[PACKET]]
    if packet.kind == INSTRUCTION:
        push(t, order, state, instruction_at, packet.row)
        return
    for core in cores:
        if packet.cores >> core.number & 1 and not fits(core, sizes, order, packet):
            return
    for core in cores:
        if packet.cores >> core.number & 1:
            begin_body(core, order, packet)
    if packet.kind == TABLE:
        state[STATE], state[LEFT] = ENTRIES, sizes.table_beats
    elif packet.kind == FLOATS:
        state[STATE], state[LEFT] = ENTRIES, packet.body
    elif packet.kind == TAPS:
        state[STATE], state[LEFT] = PARAMETERS, sizes.channels
    else:
        tile = order.tiles[packet.row]
        state[STATE], state[LEFT] = MASKS, tile.mask_beats
        if tile.mask_beats == 0:
            tile_is_known(t, sizes, tile, cores, state)


@compiled
def push(t: int, order: Order, state: Ints, instruction_at: Ints, number: int) -> None:
    """Push an instruction to the sequencer unless the queue is full; after a LOAD, wait for it."""
    if state[PUSHED] - state[POPPED] == INSTRUCTION_SLOTS:
        return
    instruction_at[number] = t + 1
    state[PUSHED] += 1
    if order.steps[number].opcode == LOAD:
        state[STATE] = HOLD
    else:
        next_packet(order, state)


@compiled
def begin_body(core: Record, order: Order, packet: Record) -> None:
    """Take the space for a tile or for taps in a core."""
    if packet.kind == TAPS:
        core.taps_at[core.taps_begun % TAP_SLOTS] = NEVER
        core.taps_begun += 1
    elif packet.kind == TILE:
        slot = core.tiles_begun % TILE_SLOTS
        core.tile_of[slot] = packet.row
        core.known_at[slot] = NEVER
        core.row_base[slot] = core.rows_begun
        core.tiles_begun += 1
        core.rows_begun += order.tiles[packet.row].rows
        core.masks_begun += order.tiles[packet.row].mask_words


@compiled
def fits(core: Record, sizes: Sizes, order: Order, packet: Record) -> bool:
    """Return whether a core has space for a tile, for taps, for a table or floats."""
    if packet.kind == TABLE:
        return bool(core.table_at == NEVER)
    if packet.kind == FLOATS:
        return bool(core.floats_at == NEVER)
    if packet.kind == TAPS:
        return bool(core.taps_begun - core.taps_freed < TAP_SLOTS)
    tile = order.tiles[packet.row]
    rows = core.rows_begun - core.rows_retired + tile.rows
    masks = core.masks_begun - core.masks_retired + tile.mask_words
    has_masks = masks <= sizes.mask_words or not sizes.switches
    tiles = core.tiles_begun - core.retired + 1
    return bool(rows <= sizes.rows and has_masks and tiles <= TILE_SLOTS)
