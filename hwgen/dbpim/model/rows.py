"""One cycle of a core's row unit: bytes in three passes, results of the last one to the buffers."""

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts import timing
from hwgen.dbpim.facts.instructions import (
    GROUP_BITS,
    PASSES_WITHOUT_MEAN,
    ROW_PASSES,
    Operation,
)
from hwgen.dbpim.model.simd import enter, waiting_cause
from hwgen.dbpim.model.state import (
    PIPELINE,
    SIMD,
    SIMD_STAGES,
    SWITCH,
    WORD_VISIBLE,
    WRITE_BUS,
    Record,
    Sizes,
)

NORM = int(Operation.NORM)
ON_WAY = (1 << timing.NORM_CYCLES) - 1
LAST_PASS = ROW_PASSES - 1
MOST_CHANNELS = 1 << GROUP_BITS
"""Above the channels of a group `bias` has keys, which no cycle depends on."""


@compiled
def row_step(
    t: int, core: Record, taken: bool, waits: bool, fields: Record, work: Record, sizes: Sizes
) -> int:
    """Advance unless a request waits; return the cause of the cycle, `SIMD` if bytes are read.

    taken: the request is over with this cycle; waits: the walker for floats
    """
    last = SIMD_STAGES - 1
    if taken:
        core.sent = 0
    if core.simd[last] > 0 and not taken:
        return WRITE_BUS
    core.simd[last] = 0
    if core.row_pass == 0 and without_mean(fields):
        core.row_pass = 1
    drained = core.row_leaving == 0
    leaves = core.row_leaving >> (timing.NORM_CYCLES - 1) & 1
    core.row_leaving = core.row_leaving << 1 & ON_WAY
    if leaves:
        leave(core, fields, work, sizes)
    if core.row_settles == 1:
        settle(core, fields, drained)
        return PIPELINE
    if core.words_read == core.words_written:
        return waiting_cause(t, core, waits)
    if core.word_ring[core.words_read % timing.FETCH_SLOTS][WORD_VISIBLE] > t:
        return SWITCH
    read(core, fields, sizes)
    return SIMD


@compiled
def without_mean(fields: Record) -> bool:
    """Return whether a step is a norm that leaves the first pass out."""
    return bool(fields.operation == NORM and fields.kernel_height == PASSES_WITHOUT_MEAN)


@compiled
def leave(core: Record, fields: Record, work: Record, sizes: Sizes) -> None:
    """Take a byte of each position; the last one of a word makes a result."""
    core.row_written += 1
    ends = core.row_written == fields.bias % MOST_CHANNELS
    if ends or core.row_written % sizes.channels == 0:
        enter(core, SIMD_STAGES - 1, core.row_word, fields, work, sizes)
        core.resends = 1
    if ends:
        core.row_written = 0


@compiled
def settle(core: Record, fields: Record, drained: bool) -> None:
    """Wait for what the next pass needs."""
    if fields.operation == NORM and core.row_pass == LAST_PASS:
        ends = core.row_step == timing.SCALED_READY
    elif fields.operation == NORM:
        ends = core.row_step == (timing.MEAN_READY if core.row_pass == 0 else timing.INVERSE_READY)
    else:
        ends = core.row_step >= timing.SHARE_READY and drained
    core.row_step += 1
    if ends:
        core.row_settles = 0
        core.row_pass = 0 if core.row_pass == LAST_PASS else core.row_pass + 1


@compiled
def read(core: Record, fields: Record, sizes: Sizes) -> None:
    """Read a byte of each position, or in the first pass of a softmax a word."""
    norm = fields.operation == NORM
    whole = not norm and core.row_pass == 0
    if core.row_pass == LAST_PASS:
        core.row_leaving |= 1 if norm else 1 << (timing.NORM_CYCLES - timing.SHARE_CYCLES)
        if core.row_channel == 0:
            core.row_word[:] = core.word_ring[core.words_read % timing.FETCH_SLOTS]
    word_ends = whole or core.row_channel % sizes.channels == sizes.channels - 1
    core.row_channel += sizes.channels if whole else 1
    last = core.row_channel >= fields.bias % MOST_CHANNELS
    if last or word_ends:
        core.words_read += 1
        core.occupied -= 1
    if not last:
        return
    core.row_channel = 0
    core.row_step = 1
    behind = core.row_pass != LAST_PASS or without_mean(fields)
    core.row_settles = behind if norm else core.row_pass == 1
    if core.row_settles == 0:
        core.row_pass = 1 if core.row_pass == 0 else 0
