"""One cycle of what feeds the macros of a core: words become groups of inputs.

The sparse-allocation switch moves selected inputs into groups that queue; without it a word is a
group, which stays in its slot of the fetcher until all macros have left it.

Tests: `tests/dbpim/model/test_packed_rows.py`.
"""

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts.timing import FETCH_SLOTS, SWITCH_CYCLES, TILE_SLOTS
from hwgen.dbpim.model import state


@compiled
def push_group(
    visible: int, entry: state.Ints, vector_end: bool, core: state.Record, sizes: state.Sizes
) -> None:
    """Push the group of row `core.row`, whose last inputs are of a word."""
    group = core.queue_ring[core.written % sizes.queue]
    group[state.GROUP_VISIBLE] = visible
    group[state.GROUP_TILE] = entry[state.WORD_TILE]
    group[state.GROUP_ROW] = core.row
    group[state.GROUP_END] = vector_end
    group[state.GROUP_TILE_END] = entry[state.WORD_END]
    group[state.GROUP_IMAGE] = entry[state.WORD_IMAGE]
    group[state.GROUP_Y] = entry[state.WORD_Y]
    group[state.GROUP_X] = entry[state.WORD_X]
    core.written += 1


@compiled
def offer_word(t: int, core: state.Record, sizes: state.Sizes, weights: state.Weights) -> None:
    """Let all macros have the oldest word, unless some have not left the one before."""
    if core.moved == 1 or core.words_read == core.words_written:
        return
    entry = core.word_ring[core.words_read % FETCH_SLOTS]
    if entry[state.WORD_VISIBLE] > t:
        return
    tile = weights.tiles[core.tile_of[entry[state.WORD_TILE] % TILE_SLOTS]]
    core.moved = 1
    core.row = entry[state.WORD_NUMBER]
    push_group(t, entry, entry[state.WORD_NUMBER] == tile.mask_words - 1, core, sizes)


@compiled
def release_word(core: state.Record, sizes: state.Sizes) -> None:
    """Free the slot of a word that the last macro leaves in this cycle."""
    if core.moved == 0:
        return
    for macro in range(sizes.macros):
        if core.read[macro] < core.written:
            return
    core.words_read += 1
    core.occupied -= 1
    core.moved = 0


@compiled
def switch_inputs(
    t: int, core: state.Record, sizes: state.Sizes, weights: state.Weights, queue_full: bool
) -> None:
    """Move selected inputs of the oldest word into the group that is being filled."""
    if queue_full or core.words_read == core.words_written:
        return
    entry = core.word_ring[core.words_read % FETCH_SLOTS]
    if entry[state.WORD_VISIBLE] > t:
        return
    tile = weights.tiles[core.tile_of[entry[state.WORD_TILE] % TILE_SLOTS]]
    waiting = weights.selected[tile.selected_offset + entry[state.WORD_NUMBER]] - core.moved
    moved = min(sizes.rate, sizes.group - core.fill, waiting)
    released = moved == waiting
    vector_end = released and entry[state.WORD_NUMBER] == tile.mask_words - 1
    push = core.fill + moved == sizes.group or vector_end
    if push:
        push_group(t + SWITCH_CYCLES, entry, vector_end, core, sizes)
        core.row = 0 if vector_end else core.row + 1
    core.fill = 0 if push else core.fill + moved
    core.moved = 0 if released else core.moved + moved
    if released:
        core.words_read += 1
        core.occupied -= 1
