"""Clock cycles of a chip: the steps of the conductor, and constants before and behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.axi import READ_FIFO_BEATS
from hwgen.chip.memory import (
    COMMAND_TYPE,
    LAST_ARRIVAL,
    REGISTERS,
    TAKEN,
    Commands,
    Port,
    beat_ready,
    read_engine,
    store_cycles,
)
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.image_io import (
    HEADER_BEATS,
    answer_stride,
    image_beats,
    result_beats,
    results,
)
from hwgen.crossbar.facts.timing import (
    FIRST_COMMAND_CYCLE,
    FIRST_STEP_CYCLES,
    HEADER_COMMAND_CYCLES,
    SETTLE_CLOCKS,
    STORED_CYCLES,
)

Starts = Mapping[tuple[int, str], NDArray[Any]]
"""Steps in which the blocks of an operation start, by layer and name, in the order of blocks."""


@dataclass(frozen=True, kw_only=True)
class RunCycles:
    """The cycles of a run.

    first: cycles before the first step (K0): the first image is read
    steps, step_clocks: of the conductor; held: clocks by which steps were longer
    drain: from the end of the last step to the end of the run: the last results are stored
    """

    first: int
    steps: int
    step_clocks: int
    held: int
    drain: int

    @property
    def cycles(self) -> int:
        """All of them."""
        return self.first + self.steps * self.step_clocks + self.held + self.drain

    def clock_of(self, step: int, lag: int) -> int:
        """Return the clock of a run that is so many clocks behind the begin of a step."""
        return self.first + step * self.step_clocks + lag


def port_of(chip: Chip, latency: int) -> Port:
    """Return the memory port of a chip, for a memory of some latency."""
    return Port(port_bytes=chip.flit_bits // 8, latency=latency, read_ahead=READ_FIFO_BEATS)


def last_beat(port: Port, commands: Commands, header_beats: int = 0) -> int:
    """Return the cycle in which the last beat of all commands is taken.

    header_beats: after which the second command follows; 0: there is none
    """
    reader, arrivals = np.zeros(REGISTERS, np.int64), np.zeros(READ_FIFO_BEATS, np.int64)
    reader[LAST_ARRIVAL] = -1
    total, t = int(commands["beats"].sum()), 0
    while reader[TAKEN] < total:
        t += 1
        read_engine(t, port, reader, commands, arrivals)
        if beat_ready(t, reader, arrivals):
            reader[TAKEN] += 1
            if reader[TAKEN] == header_beats:
                commands[1]["cycle"] = t + HEADER_COMMAND_CYCLES
    return t


def load_cycles(chip: Chip, beats: int, *, address: int, latency: int) -> int:
    """Return the cycles of a load of a program of so many beats, its header included."""
    port = port_of(chip, latency)
    rows = [
        (FIRST_COMMAND_CYCLE, address, HEADER_BEATS),
        (0, address + HEADER_BEATS * port.port_bytes, beats - HEADER_BEATS),
    ]
    last = last_beat(port, np.array(rows, dtype=COMMAND_TYPE), HEADER_BEATS)
    return last + SETTLE_CLOCKS


def run_cycles(chip: Chip, *, images: int, steps: int, latency: int, starts: Starts) -> RunCycles:
    """Return the cycles of a run of so many pipeline steps whose images are always there in time.

    Its images and its answers begin at pages of the memory.

    starts: the steps in which the blocks of each operation start, by layer and name
    """
    port = port_of(chip, latency)
    rows = [(FIRST_COMMAND_CYCLE, 0, image_beats(chip))]
    return RunCycles(
        first=last_beat(port, np.array(rows, dtype=COMMAND_TYPE)) + FIRST_STEP_CYCLES,
        steps=steps,
        step_clocks=chip.step_clocks,
        held=0,
        drain=drain_of(chip, port, images=images, steps=steps, starts=starts),
    )


def drain_of(chip: Chip, port: Port, *, images: int, steps: int, starts: Starts) -> int:
    """Return the clocks from the end of the last step until all results are in memory.

    Each result of an image is stored by itself once its last block has come, between two steps;
    of several the first in an answer first.
    """
    waiting, before = [], 0
    for travel in results(chip):
        layer, beats = chip.layers[travel.owner], result_beats(chip, travel)
        busy = sum(one.busy for one in layer.operations if one.name == "result")
        last = starts[travel.owner, "result"][layer.blocks - 1 :: layer.blocks]
        came = [(int(step) + busy - steps) * chip.step_clocks for step in last]
        waiting.append((came, before, beats))
        before += beats
    gone, free = [0] * len(waiting), -steps * chip.step_clocks
    for _ in range(images * len(waiting)):
        left = [
            came[gone[k]] if gone[k] < images else None for k, (came, _, _) in enumerate(waiting)
        ]
        begin = max(free, min(clock for clock in left if clock is not None))
        if begin < 0:
            begin = -(-begin // chip.step_clocks) * chip.step_clocks
        k = next(k for k, clock in enumerate(left) if clock is not None and clock <= begin)
        _, first, beats = waiting[k]
        address = gone[k] * answer_stride(chip) + first * port.port_bytes
        free = begin + store_cycles(address, beats * port.port_bytes, port) + STORED_CYCLES
        gone[k] += 1
    return free
