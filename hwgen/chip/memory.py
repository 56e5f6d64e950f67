"""The memory port: when each beat can be taken, and how long stores take.

Tests: `tests/commands/test_every_field.py`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.axi import BURST_BEATS, PAGE_BYTES, RESPONSE_CYCLES
from hwgen.chip.compiled import compiled

Ints = NDArray[np.int64]

COMMAND_TYPE = np.dtype([("cycle", np.int64), ("address", np.int64), ("beats", np.int64)])
"""One row for each read command: its first active cycle (0: not yet known), address and length."""

Commands = NDArray[np.void]


class Port(NamedTuple):
    """A memory port: bytes of a beat; cycles from an accepted address to its first beat.

    read_ahead: beats that the read engine holds or has requested
    """

    port_bytes: int
    latency: int
    read_ahead: int


# Registers of the reader.
COMMAND_BEATS, ADDRESS, ADDRESS_VALID, ASKED, TAKEN, LAST_ARRIVAL, NEXT_COMMAND = range(7)
REGISTERS = 7


@compiled
def read_engine(t: int, port: Port, reader: Ints, commands: Commands, arrivals: Ints) -> None:
    """Advance the read engine by a cycle: ask for a burst, take a command.

    commands: rows of COMMAND_TYPE
    arrivals: ring of `read_ahead` beats: cycle in which beat k can be taken, of beats asked for
    """
    takes_command = reader[COMMAND_BEATS] == 0
    if reader[ADDRESS_VALID] == 1:
        reader[ADDRESS_VALID] = 0
    elif reader[COMMAND_BEATS] > 0:
        ask(t, port, reader, arrivals)
    number = reader[NEXT_COMMAND]
    if takes_command and number < len(commands) and 0 < commands[number]["cycle"] <= t:
        command = commands[number]
        reader[ADDRESS], reader[COMMAND_BEATS] = command["address"], command["beats"]
        reader[NEXT_COMMAND] += 1


@compiled
def ask(t: int, port: Port, reader: Ints, arrivals: Ints) -> None:
    """Request the next burst if the FIFO can take it; its address handshake is at t + 1."""
    beats = burst_beats(reader[ADDRESS], reader[COMMAND_BEATS], port.port_bytes)
    if port.read_ahead - (reader[ASKED] - reader[TAKEN]) < beats:
        return
    reader[ADDRESS_VALID] = 1
    first = max(t + 1 + port.latency, reader[LAST_ARRIVAL] + 1)
    for beat in range(beats):
        arrivals[(reader[ASKED] + beat) % port.read_ahead] = first + beat + 1
    reader[LAST_ARRIVAL] = first + beats - 1
    reader[ASKED] += beats
    reader[COMMAND_BEATS] -= beats
    reader[ADDRESS] += beats * port.port_bytes


@compiled
def burst_beats(address: int, beats: int, port_bytes: int) -> int:
    """Return the beats of the next burst of a transfer."""
    page_beats = (PAGE_BYTES - address % PAGE_BYTES) // port_bytes
    return min(beats, BURST_BEATS, page_beats)


@compiled
def store_cycles(address: int, size: int, port: Port) -> int:
    """Return the cycles from the start of the write engine to its last response.

    Each burst waits for the response before it, which comes in the cycle after its last beat.
    """
    beats, cycles = -(-size // port.port_bytes), 0
    while beats > 0:
        burst = burst_beats(address, beats, port.port_bytes)
        cycles += burst + RESPONSE_CYCLES
        address += burst * port.port_bytes
        beats -= burst
    return cycles


@compiled
def beat_ready(t: int, reader: Ints, arrivals: Ints) -> bool:
    """Return whether the loader can take a beat in cycle t."""
    taken = reader[TAKEN]
    return bool(taken < reader[ASKED] and arrivals[taken % len(arrivals)] <= t)
