"""The memory port: when each beat of the image and of the stream can be taken by the loader."""

from hwgen.model.compiled import compiled
from hwgen.model.dbpim.state import Ints, Sizes
from hwgen.spec.dbpim.timing import BURST_BEATS, READ_FIFO_BEATS

PAGE_BYTES = 4096

# Registers of the reader.
COMMAND_BEATS, ADDRESS, ADDRESS_VALID, ASKED, TAKEN, LAST_ARRIVAL, NEXT_COMMAND = range(7)
REGISTERS = 7


@compiled
def read_engine(t: int, sizes: Sizes, reader: Ints, commands: Ints, arrivals: Ints) -> None:
    """Decide on the next burst; its address is on the bus, and accepted, in cycle t + 1.

    commands: rows (first cycle in which the command can be active, address, beats)
    arrivals: cycle in which beat k can be taken, for all beats asked for
    """
    if reader[ADDRESS_VALID] == 1:
        reader[ADDRESS_VALID] = 0
        return
    if reader[COMMAND_BEATS] == 0:
        number = reader[NEXT_COMMAND]
        if number == len(commands) or commands[number, 0] > t or commands[number, 0] == 0:
            return
        reader[ADDRESS], reader[COMMAND_BEATS] = commands[number, 1], commands[number, 2]
        reader[NEXT_COMMAND] += 1
        return
    page_beats = (PAGE_BYTES - reader[ADDRESS] % PAGE_BYTES) // sizes.port_bytes
    beats = min(reader[COMMAND_BEATS], BURST_BEATS, page_beats)
    if READ_FIFO_BEATS - (reader[ASKED] - reader[TAKEN]) < beats:
        return
    reader[ADDRESS_VALID] = 1
    first = max(t + 1 + sizes.latency, reader[LAST_ARRIVAL] + 1)
    for beat in range(beats):
        arrivals[reader[ASKED] + beat] = first + beat + 1
    reader[LAST_ARRIVAL] = first + beats - 1
    reader[ASKED] += beats
    reader[COMMAND_BEATS] -= beats
    reader[ADDRESS] += beats * sizes.port_bytes


@compiled
def beat_ready(t: int, reader: Ints, arrivals: Ints) -> bool:
    """Return whether the loader can take a beat in cycle t."""
    taken = reader[TAKEN]
    return bool(taken < reader[ASKED] and arrivals[taken] <= t)
