"""One cycle of a core's SIMD unit: reads in order, then stages to the bus."""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.state import (
    IMBALANCE,
    PIPELINE,
    POSITIONS,
    RUNNING,
    SIMD,
    SLICE,
    STAGES,
    START,
    TAP,
    WORD,
    WRITE_BUS,
    Record,
    Sizes,
)
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import DISPATCH_CYCLES, SIMD_CYCLES

ADD = int(Opcode.ADD)
REQUEST = STAGES + SIMD_CYCLES - 1
"""The last stage; its word waits for the bus."""


@compiled
def start_simd(t: int, core: Record, fields: Record) -> None:
    """`go_simd` at cycle t, one after the instruction was taken."""
    state = core.simd
    state[RUNNING] = 1
    state[START] = t - 1 + DISPATCH_CYCLES + core.number
    state[POSITIONS] = fields.count_base + (core.number < fields.count_extra)
    state[WORD] = state[SLICE] = state[TAP] = 0


@compiled
def simd_is_idle(core: Record) -> bool:
    """Return whether all reads have been made and all stages are empty."""
    state = core.simd
    return bool(state[RUNNING] == 0 and state[STAGES:].sum() == 0)


@compiled
def simd_step(t: int, core: Record, granted: bool, sizes: Sizes, fields: Record) -> int:
    """Advance unless a request waits; return the cause of the cycle, `SIMD` if a read was made."""
    state = core.simd
    if state[REQUEST] == 1 and not granted:
        return WRITE_BUS
    idle = IMBALANCE if simd_is_idle(core) else PIPELINE
    for stage in range(REQUEST, STAGES, -1):
        state[stage] = state[stage - 1]
    state[STAGES] = 0
    if state[RUNNING] == 0 or t < state[START]:
        return idle
    taps = 2 if fields.opcode == ADD else fields.kernel_height * fields.kernel_width
    state[TAP] += 1
    if state[TAP] < taps:
        return SIMD
    state[TAP] = 0
    state[STAGES] = 1
    state[SLICE] += 1
    if state[SLICE] < sizes.simd_slices:
        return SIMD
    state[SLICE] = 0
    state[WORD] += 1
    if state[WORD] < fields.output_channel_words:
        return SIMD
    state[WORD] = 0
    state[POSITIONS] -= 1
    state[RUNNING] = state[POSITIONS] > 0
    return SIMD
