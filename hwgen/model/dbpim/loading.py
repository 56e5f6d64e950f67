"""One cycle of the loader and of the sequencer: the stream becomes tiles and layers."""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.feeding import start_conv
from hwgen.model.dbpim.memory import TAKEN, beat_ready, store_cycles
from hwgen.model.dbpim.simd import simd_is_idle, start_simd
from hwgen.model.dbpim.state import Ints, Order, Record, Sizes, Table
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import INSTRUCTION_SLOTS, TILE_SLOTS

CONV, STORE, END = int(Opcode.CONV), int(Opcode.STORE), int(Opcode.END)

# Registers of the loader. ROW_CORES: cores of the row that is written in this cycle.
STATE, LEFT, PACKET, PIXEL, ROWS_LEFT, ROW_CORES, NEXT_ROW_CORES, IMAGE_DONE, PUSHED, POPPED = (
    range(10)
)
LOADER_REGISTERS = 10
BEGIN, BEGIN_CHECK, IMAGE, GATHER, CHECK, MASKS, PARAMETERS, ROWS, ENDED = range(9)

IMAGE_COMMAND, STREAM_COMMAND = 1, 2
"""Read commands after that of BEGIN."""

# Registers of the sequencer.
SEQUENCER, LAYER, WAIT_UNTIL = range(3)
SEQUENCER_REGISTERS = 3
WAIT_IMAGE, FETCH, GO, RUN, FINISHED = range(5)


@compiled
def loader(
    t: int,
    sizes: Sizes,
    order: Order,
    cores: Table,
    state: Ints,
    reader: Ints,
    commands: Table,
    arrivals: Ints,
    instruction_at: Ints,
) -> bool:
    """Take at most one beat or make one check; return whether a beat was taken."""
    state[ROW_CORES], state[NEXT_ROW_CORES] = state[NEXT_ROW_CORES], 0
    if state[STATE] == BEGIN_CHECK:
        commands[IMAGE_COMMAND].cycle, commands[STREAM_COMMAND].cycle = t + 1, t + 2
        state[STATE] = IMAGE
        return False
    if state[STATE] == CHECK:
        check(t, sizes, order, cores, state, instruction_at)
        return False
    if state[STATE] == ENDED or not beat_ready(t, reader, arrivals):
        return False
    if state[STATE] == IMAGE:
        return image_pixel(t, sizes, order, state, reader)
    state[LEFT] -= 1
    held = state[STATE] == PARAMETERS and state[LEFT] % sizes.beat_filters > 0
    reader[TAKEN] += not held
    if state[STATE] == ROWS and state[LEFT] == 0:
        state[NEXT_ROW_CORES] = order.tiles[order.packets[state[PACKET]].row].cores
        state[ROWS_LEFT] -= 1
        if state[ROWS_LEFT] > 0:
            state[LEFT] = order.tiles[order.packets[state[PACKET]].row].row_beats
    if state[LEFT] == 0:
        next_part(t, sizes, order, cores, state)
    return not held


@compiled
def image_pixel(t: int, sizes: Sizes, order: Order, state: Ints, reader: Ints) -> bool:
    """Write one pixel; return whether its beat was the pixel's last use."""
    per_beat = sizes.port_bytes // sizes.pixel_bytes
    state[PIXEL] += 1
    finished = state[PIXEL] == sizes.image_pixels
    if finished:
        state[STATE] = GATHER
        state[LEFT] = packet_beats(sizes, order, 0)
        state[IMAGE_DONE] = t
    if finished or state[PIXEL] % per_beat == 0:
        reader[TAKEN] += 1
        return True
    return False


@compiled
def packet_beats(sizes: Sizes, order: Order, packet: int) -> int:
    """Return the beats of an instruction, or of a tile's header."""
    if packet >= len(order.packets):
        return 0
    return sizes.header_beats if order.packets[packet].is_tile == 1 else sizes.instruction_beats


@compiled
def next_part(t: int, sizes: Sizes, order: Order, cores: Table, state: Ints) -> None:
    """Go on after the last beat of a part of a packet."""
    if state[STATE] == BEGIN:
        state[STATE] = BEGIN_CHECK
        return
    if state[STATE] == GATHER:
        state[STATE] = CHECK
        return
    tile = order.tiles[order.packets[state[PACKET]].row]
    if state[STATE] == MASKS:
        for core in cores:
            if tile.cores >> core.number & 1:
                core.known_at[(core.tiles_begun - 1) % TILE_SLOTS] = t + 1
        state[STATE], state[LEFT] = PARAMETERS, tile.parameters * sizes.filters
        if state[LEFT] > 0:
            return
    if state[STATE] == PARAMETERS:
        state[STATE], state[LEFT], state[ROWS_LEFT] = ROWS, tile.row_beats, tile.rows
        return
    next_packet(sizes, order, state)


@compiled
def next_packet(sizes: Sizes, order: Order, state: Ints) -> None:
    """Gather the next packet, if there is one."""
    state[PACKET] += 1
    state[STATE] = GATHER if state[PACKET] < len(order.packets) else ENDED
    state[LEFT] = packet_beats(sizes, order, state[PACKET])


@compiled
def check(
    t: int, sizes: Sizes, order: Order, cores: Table, state: Ints, instruction_at: Ints
) -> None:
    """Push an instruction to the sequencer or begin a tile, unless its buffers are full."""
    packet = order.packets[state[PACKET]]
    number = packet.row
    if packet.is_tile == 0:
        if state[PUSHED] - state[POPPED] < INSTRUCTION_SLOTS:
            instruction_at[number] = t + 1
            state[PUSHED] += 1
            next_packet(sizes, order, state)
        return
    tile = order.tiles[number]
    for core in cores:
        if tile.cores >> core.number & 1 and not fits(core, sizes, tile):
            return
    for core in cores:
        if tile.cores >> core.number & 1:
            begun = core.tiles_begun
            core.tile_of[begun % TILE_SLOTS] = number
            core.known_at[begun % TILE_SLOTS] = 1 << 60
            core.row_base[begun % TILE_SLOTS] = core.rows_begun
            core.tiles_begun += 1
            core.rows_begun += tile.rows
            core.masks_begun += tile.mask_words
    state[STATE], state[LEFT] = MASKS, tile.mask_beats


@compiled
def fits(core: Record, sizes: Sizes, tile: Record) -> bool:
    """Return whether a core has a tile slot, rows and mask words for a tile."""
    rows = core.rows_begun - core.rows_retired + tile.rows
    masks = core.masks_begun - core.masks_retired + tile.mask_words
    tiles = core.tiles_begun - core.retired + 1
    return bool(rows <= sizes.rows and masks <= sizes.mask_words and tiles <= TILE_SLOTS)


@compiled
def core_is_idle(core: Record) -> bool:
    """Return whether a core has finished its part of the layer."""
    if core.stage.sum() > 0 or not simd_is_idle(core):
        return False
    through = core.done == 1 and core.retired == core.walk
    return bool(core.walking == 0 or through)


@compiled
def sequencer(
    t: int,
    sizes: Sizes,
    order: Order,
    cores: Table,
    loading: Ints,
    state: Ints,
    instruction_at: Ints,
    retired_at: Ints,
) -> bool:
    """Advance by a cycle; return whether it waits for the image or for an instruction."""
    if state[SEQUENCER] == WAIT_IMAGE:
        if loading[IMAGE_DONE] == t:
            retired_at[0] = t
            state[SEQUENCER] = FETCH
        return True
    elif state[SEQUENCER] == FETCH:
        number = loading[POPPED]
        if number == len(order.layers) or not 0 < instruction_at[number] <= t:
            return True
        loading[POPPED] += 1
        state[LAYER] = number
        state[SEQUENCER] = GO
    elif state[SEQUENCER] == GO:
        go(t, sizes, order, cores, state)
    if is_through(t, cores, state):
        retired_at[1 + state[LAYER]] = t
        last = state[LAYER] == len(order.layers) - 1
        state[SEQUENCER] = FINISHED if last else FETCH
    return False


@compiled
def go(t: int, sizes: Sizes, order: Order, cores: Table, state: Ints) -> None:
    """Start the units that a layer needs."""
    fields = order.layers[state[LAYER]]
    state[SEQUENCER], state[WAIT_UNTIL] = RUN, t + 1
    if fields.opcode == END:
        state[WAIT_UNTIL] = t
    elif fields.opcode == STORE:
        state[WAIT_UNTIL] = t + store_cycles(fields.words, sizes)
    else:
        for core in cores:
            if fields.active_cores >> core.number & 1:
                if fields.opcode == CONV:
                    start_conv(t, core, fields)
                else:
                    start_simd(t, core, fields)


@compiled
def is_through(t: int, cores: Table, state: Ints) -> bool:
    """Return whether the layer that runs retires in this cycle; its cores then rest."""
    if state[SEQUENCER] != RUN or t < state[WAIT_UNTIL]:
        return False
    for core in cores:
        if not core_is_idle(core):
            return False
    for core in cores:
        core.walking = core.done = 0
    return True
