"""What moves through the memory port: a program, an image, an answer.

Tests: `tests/mram/model/test_predict.py`.
"""

import numpy as np

from hwgen.chip import memory
from hwgen.chip.axi import READ_FIFO_BEATS
from hwgen.chip.compiled import compiled
from hwgen.mram.facts.timing import FIRST_COMMAND_CYCLE


@compiled
def last_beat(port: memory.Port, commands: memory.Commands, header_beats: int) -> int:
    """Return the cycle in which the last beat of all commands is taken.

    header_beats: after which the second command follows two cycles later; 0: no header
    """
    reader = np.zeros(memory.REGISTERS, np.int64)
    reader[memory.LAST_ARRIVAL] = -1
    arrivals = np.zeros(READ_FIFO_BEATS, np.int64)
    total, t = commands["beats"].sum(), 0
    while reader[memory.TAKEN] < total:
        t += 1
        memory.read_engine(t, port, reader, commands, arrivals)
        if memory.beat_ready(t, reader, arrivals):
            reader[memory.TAKEN] += 1
            if reader[memory.TAKEN] == header_beats:
                commands[1]["cycle"] = t + 2
    return t


def image_cycles(port: memory.Port, address: int, beats: int) -> int:
    """Return the cycles from the request of an image to its last beat, both counted."""
    commands = np.array([(1, address, beats)], dtype=memory.COMMAND_TYPE)
    return last_beat(port, commands, 0)


def program_cycles(port: memory.Port, header_beats: int, beats: int) -> int:
    """Return the cycle of the last beat of a program after the accepted start."""
    header = header_beats * port.port_bytes
    rows = [(FIRST_COMMAND_CYCLE, 0, header_beats), (0, header, beats)]
    return last_beat(port, np.array(rows, dtype=memory.COMMAND_TYPE), header_beats)
