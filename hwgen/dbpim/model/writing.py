"""Where results go: to the own banks, or over the write bus to all buffers and to memory."""

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.model.state import (
    IN_MEMORY,
    PRIVATE,
    SUM_REQUESTS,
    Ints,
    Record,
    Sizes,
    Table,
)

CONV = int(Opcode.CONV)

# Registers of a lane of the write bus: the core of the highest priority, and stored row and bank
# of the word that is written in this cycle.
PRIORITY, WRITTEN_ROW, WRITTEN_BANK = range(3)
LANE_REGISTERS = 3


@compiled
def request_of(first_row: int, last_row: int, words: int, to_memory: bool, work: Record) -> int:
    """Return the request of a result: PRIVATE, or 1 + its words for the bus.

    first_row, last_row: stored rows of its first and last position
    """
    begin, end = work.private_first, work.private_first + work.private_rows
    if not to_memory and begin <= first_row and last_row < end:
        return PRIVATE
    return 1 + words


@compiled
def result_stages(fields: Record, sizes: Sizes) -> int:
    """Return the stages of a result of a CONV: those of the residual adder only where it adds."""
    return sizes.requantize_cycles + (sizes.sum_cycles if fields.adds == 1 else 0)


@compiled
def request(core: Record, fields: Record, sizes: Sizes) -> int:
    """Return what the core asks for in this cycle: 0, PRIVATE or more."""
    if fields.opcode == CONV:
        return int(core.stage[result_stages(fields, sizes) - 1])
    return int(core.simd[-1])


@compiled
def place_of(core: Record, word: int, fields: Record, sizes: Sizes) -> tuple[int, int]:
    """Return stored row and bank of a word of the result on offer; IN_MEMORY: no core keeps it."""
    if fields.opcode == CONV:
        last = result_stages(fields, sizes) - 1
        if fields.raw == 1:
            return IN_MEMORY, 0
        row, column = core.stage_row[last], core.stage_column[last]
    else:
        if fields.to_memory == 1:
            return IN_MEMORY, 0
        below = word >= core.simd_first[-1]
        row = core.simd_row[-1] + below
        column = core.simd_column[-1] + word - below * core.simd_first[-1]
        if fields.sums == 1:
            column = SUM_REQUESTS * column + SUM_REQUESTS - core.resends
    return int(row), int((column + sizes.skew * row) % sizes.macros)


@compiled
def grant(lanes: Ints, cores: Table, fields: Record, sizes: Sizes) -> int:
    """Let each lane write a word of the first core that asks for it; return a bit for each core.

    lanes: registers of each lane. A word belongs to the lane of its bank.
    """
    granted = 0
    for number in range(sizes.bus_words):
        lane = lanes[number]
        lane[WRITTEN_ROW] = IN_MEMORY
        first = lane[PRIORITY]
        for step in range(sizes.cores):
            core = cores[(first + step) % sizes.cores]
            if request(core, fields, sizes) <= PRIVATE:
                continue
            row, bank = place_of(core, core.sent, fields, sizes)
            if bank % sizes.bus_words != number:
                continue
            granted |= 1 << core.number
            lane[PRIORITY] = (core.number + 1) % sizes.cores
            lane[WRITTEN_ROW], lane[WRITTEN_BANK] = row, bank
            break
    return granted


@compiled
def is_stored(lanes: Ints, core: Record, fields: Record, work: Record, sizes: Sizes) -> bool:
    """Return whether a private result is stored: the bus writes to none of its banks.

    lanes: as in the cycle before; a bank has one port for writing
    """
    words = 1 if fields.opcode == CONV else core.simd_words[-1]
    for word in range(words):
        bank = place_of(core, word, fields, sizes)[1]
        for number in range(sizes.bus_words):
            row = lanes[number, WRITTEN_ROW]
            kept = work.keep_first <= row < work.keep_first + work.keep_rows
            if kept and lanes[number, WRITTEN_BANK] == bank:
                return False
    return True


@compiled
def is_sent(core: Record, fields: Record, sizes: Sizes) -> bool:
    """Count a word that the bus takes; return whether it is the last one of the request."""
    if fields.opcode == CONV:
        return True
    core.sent += 1
    return bool(core.sent == request(core, fields, sizes) - 1)
