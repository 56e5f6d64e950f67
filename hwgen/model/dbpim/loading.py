"""One cycle of the loader and of the sequencer: the stream becomes tiles and layers."""

from numba import njit

from hwgen.model.dbpim.core import start_conv
from hwgen.model.dbpim.memory import TAKEN, beat_ready
from hwgen.model.dbpim.simd import simd_is_idle, start_simd
from hwgen.model.dbpim.state import Cores, Ints, Record, Sizes, Stream
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import INSTRUCTION_SLOTS, TILE_SLOTS

CONV, STORE, END = int(Opcode.CONV), int(Opcode.STORE), int(Opcode.END)

# Registers of the loader. ROW_CORES: cores of the row that is written in this cycle.
STATE, LEFT, PACKET, PIXEL, ROWS_LEFT, ROW_CORES, NEXT_ROW_CORES, IMAGE_DONE, PUSHED, POPPED = (
    range(10)
)
LOADER_REGISTERS = 10
BEGIN, BEGIN_CHECK, IMAGE, GATHER, CHECK, MASKS, PARAMETERS, ROWS, ENDED = range(9)

# Registers of the sequencer.
SEQUENCER, LAYER, WAIT_UNTIL = range(3)
SEQUENCER_REGISTERS = 3
WAIT_IMAGE, FETCH, GO, RUN, FINISHED = range(5)


@njit(cache=True)
def loader(
    t: int,
    sizes: Sizes,
    stream: Stream,
    cores: Cores,
    state: Ints,
    reader: Ints,
    commands: Ints,
    arrivals: Ints,
    instruction_at: Ints,
) -> bool:
    """Take at most one beat or make one check; return whether a beat was taken."""
    state[ROW_CORES], state[NEXT_ROW_CORES] = state[NEXT_ROW_CORES], 0
    if state[STATE] == BEGIN_CHECK:
        commands[1, 0] = commands[2, 0] = t + 1
        state[STATE] = IMAGE
        return False
    if state[STATE] == CHECK:
        check(t, sizes, stream, cores, state, instruction_at)
        return False
    if state[STATE] == ENDED or not beat_ready(t, reader, arrivals):
        return False
    if state[STATE] == IMAGE:
        return image_pixel(t, sizes, stream, state, reader)
    reader[TAKEN] += 1
    state[LEFT] -= 1
    if state[STATE] == ROWS and state[LEFT] == 0:
        state[NEXT_ROW_CORES] = stream.tiles[stream.order[state[PACKET], 1]].cores
        state[ROWS_LEFT] -= 1
        if state[ROWS_LEFT] > 0:
            state[LEFT] = stream.tiles[stream.order[state[PACKET], 1]].row_beats
    if state[LEFT] == 0:
        next_part(t, sizes, stream, cores, state)
    return True


@njit(cache=True)
def image_pixel(t: int, sizes: Sizes, stream: Stream, state: Ints, reader: Ints) -> bool:
    """Write one pixel; return whether its beat was the pixel's last use."""
    per_beat = sizes.port_bytes // stream.pixel_bytes
    state[PIXEL] += 1
    finished = state[PIXEL] == stream.image_pixels
    if finished:
        state[STATE] = GATHER
        state[LEFT] = packet_beats(sizes, stream, 0)
        state[IMAGE_DONE] = t
    if finished or state[PIXEL] % per_beat == 0:
        reader[TAKEN] += 1
        return True
    return False


@njit(cache=True)
def packet_beats(sizes: Sizes, stream: Stream, packet: int) -> int:
    """Return the beats of an instruction, or of a tile's header."""
    if packet >= len(stream.order):
        return 0
    return sizes.header_beats if stream.order[packet, 0] == 1 else sizes.instruction_beats


@njit(cache=True)
def next_part(t: int, sizes: Sizes, stream: Stream, cores: Cores, state: Ints) -> None:
    """Go on after the last beat of a part of a packet."""
    if state[STATE] == BEGIN:
        state[STATE] = BEGIN_CHECK
        return
    if state[STATE] == GATHER:
        state[STATE] = CHECK
        return
    tile = stream.tiles[stream.order[state[PACKET], 1]]
    if state[STATE] == MASKS:
        for core in range(sizes.cores):
            if tile.cores >> core & 1:
                cores.known_at[core, cores.tiles_begun[core] - 1] = t + 1
        state[STATE], state[LEFT] = PARAMETERS, tile.parameter_beats
        if state[LEFT] > 0:
            return
    if state[STATE] == PARAMETERS:
        state[STATE], state[LEFT], state[ROWS_LEFT] = ROWS, tile.row_beats, tile.rows
        return
    next_packet(sizes, stream, state)


@njit(cache=True)
def next_packet(sizes: Sizes, stream: Stream, state: Ints) -> None:
    """Gather the next packet, if there is one."""
    state[PACKET] += 1
    state[STATE] = GATHER if state[PACKET] < len(stream.order) else ENDED
    state[LEFT] = packet_beats(sizes, stream, state[PACKET])


@njit(cache=True)
def check(
    t: int, sizes: Sizes, stream: Stream, cores: Cores, state: Ints, instruction_at: Ints
) -> None:
    """Hand an instruction to the sequencer or begin a tile, when there is room."""
    is_tile, number = stream.order[state[PACKET]]
    if is_tile == 0:
        if state[PUSHED] - state[POPPED] < INSTRUCTION_SLOTS:
            instruction_at[number] = t + 1
            state[PUSHED] += 1
            next_packet(sizes, stream, state)
        return
    tile = stream.tiles[number]
    for core in range(sizes.cores):
        if tile.cores >> core & 1 and not has_room(core, sizes, tile, cores):
            return
    for core in range(sizes.cores):
        if tile.cores >> core & 1:
            begun = cores.tiles_begun[core]
            cores.tile_of[core, begun] = number
            cores.known_at[core, begun] = 1 << 60
            cores.row_base[core, begun] = cores.rows_begun[core]
            cores.tiles_begun[core] += 1
            cores.rows_begun[core] += tile.rows
            cores.masks_begun[core] += tile.mask_words
    state[STATE], state[LEFT] = MASKS, tile.mask_beats


@njit(cache=True)
def has_room(core: int, sizes: Sizes, tile: Record, cores: Cores) -> bool:
    """Return whether a core has a tile slot, rows and mask words for a tile."""
    rows = cores.rows_begun[core] - cores.rows_retired[core] + tile.rows
    masks = cores.masks_begun[core] - cores.masks_retired[core] + tile.mask_words
    tiles = cores.tiles_begun[core] - cores.retired[core] + 1
    fits = rows <= sizes.rows and masks <= sizes.mask_words and tiles <= TILE_SLOTS
    return bool(fits)


@njit(cache=True)
def core_is_idle(c: int, cores: Cores) -> bool:
    """Return whether a core has nothing to do in this layer any more."""
    if cores.stage[c].sum() > 0 or not simd_is_idle(c, cores):
        return False
    through = cores.done[c] == 1 and cores.retired[c] == cores.walk[c]
    return bool(cores.walking[c] == 0 or through)


@njit(cache=True)
def sequencer(
    t: int,
    sizes: Sizes,
    stream: Stream,
    cores: Cores,
    loading: Ints,
    state: Ints,
    instruction_at: Ints,
    retired_at: Ints,
) -> bool:
    """Advance by a cycle; return whether it waits for the image or for an instruction."""
    if state[SEQUENCER] == WAIT_IMAGE:
        if loading[IMAGE_DONE] != t:
            return True
        retired_at[0] = t
        state[SEQUENCER] = FETCH
    elif state[SEQUENCER] == FETCH:
        number = loading[POPPED]
        if number == len(stream.layers) or not 0 < instruction_at[number] <= t:
            return True
        loading[POPPED] += 1
        state[LAYER] = number
        state[SEQUENCER] = GO
    elif state[SEQUENCER] == GO:
        go(t, sizes, stream, cores, state)
        state[SEQUENCER] = RUN
    elif state[SEQUENCER] == RUN and t >= state[WAIT_UNTIL]:
        for c in range(sizes.cores):
            if not core_is_idle(c, cores):
                return False
        for c in range(sizes.cores):
            cores.walking[c] = cores.done[c] = 0
        retired_at[1 + state[LAYER]] = t
        last = state[LAYER] == len(stream.layers) - 1
        state[SEQUENCER] = FINISHED if last else FETCH
    return False


@njit(cache=True)
def go(t: int, sizes: Sizes, stream: Stream, cores: Cores, state: Ints) -> None:
    """Start the units that a layer needs."""
    fields = stream.layers[state[LAYER]]
    state[WAIT_UNTIL] = t + 1
    if fields.opcode == STORE:
        state[WAIT_UNTIL] = t + 1
    elif fields.opcode != END:
        for c in range(sizes.cores):
            if fields.active_cores >> c & 1:
                if fields.opcode == CONV:
                    start_conv(t, c, sizes, stream, state[LAYER], cores)
                else:
                    start_simd(t, c, fields, cores)
