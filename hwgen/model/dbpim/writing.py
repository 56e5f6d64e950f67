"""Where results go: to the own banks, or over the write bus to all buffers and to memory."""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.state import IN_MEMORY, PRIVATE, RESULT_STAGES, Record, Table
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.timing import REQUANTIZE_CYCLES

CONV = int(Opcode.CONV)


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
def result_stages(fields: Record) -> int:
    """Return the stages of a result of a CONV: those of the residual adder only where it adds."""
    return RESULT_STAGES if fields.adds == 1 else REQUANTIZE_CYCLES


@compiled
def request(core: Record, fields: Record) -> int:
    """Return what the core asks for in this cycle: 0, PRIVATE or more."""
    return int(core.stage[result_stages(fields) - 1] if fields.opcode == CONV else core.simd[-1])


@compiled
def grant(priority: int, cores: Table, fields: Record) -> int:
    """Return the core that gets the bus, the first that asks from `priority` on, or -1."""
    for step in range(len(cores)):
        number = (priority + step) % len(cores)
        if request(cores[number], fields) > PRIVATE:
            return number
    return -1


@compiled
def granted_row(core: Record, fields: Record) -> int:
    """Return the stored row of the word that the bus takes from a core, or IN_MEMORY."""
    if fields.opcode == CONV:
        return IN_MEMORY if fields.raw == 1 else int(core.stage_row[result_stages(fields) - 1])
    if fields.to_memory == 1:
        return IN_MEMORY
    return int(core.simd_row[-1] + (core.sent >= core.simd_first[-1]))


@compiled
def is_taken(core: Record, fields: Record, work: Record, granted: bool, bus_row: int) -> bool:
    """Return whether the core's request is over with this cycle.

    granted: the bus takes a word of it; bus_row: stored row of the word that the bus writes in this
    cycle, or IN_MEMORY. A buffer has one port for writing.
    """
    asked = request(core, fields)
    if asked == PRIVATE:
        return not work.keep_first <= bus_row < work.keep_first + work.keep_rows
    if not granted:
        return False
    if fields.opcode == CONV:
        return True
    core.sent += 1
    return bool(core.sent == asked - 1)
