"""Clock cycles of a chip: the steps of the conductor, and constants before and behind them."""

from dataclasses import dataclass

import numpy as np

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
from hwgen.crossbar.facts.chip_facts import ChipFacts
from hwgen.crossbar.facts.image_io import HEADER_BEATS, answer_beats, image_beats
from hwgen.crossbar.facts.timing import (
    FIRST_COMMAND_CYCLE,
    FIRST_STEP_CYCLES,
    HEADER_COMMAND_CYCLES,
    SETTLE_CLOCKS,
    STORED_CYCLES,
)
from hwgen.crossbar.model.conductor import Conductor


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

    @property
    def constants(self) -> dict[str, tuple[int, float]]:
        """Clocks of each constant, and its share of the run."""
        parts = {"first step": self.first, "held": self.held, "drain": self.drain}
        return {name: (clocks, clocks / self.cycles) for name, clocks in parts.items()}


def port_of(chip: ChipFacts, latency: int) -> Port:
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


def load_cycles(chip: ChipFacts, beats: int, *, address: int, latency: int) -> int:
    """Return the cycles of a load of a program of so many beats, its header included."""
    port = port_of(chip, latency)
    rows = [
        (FIRST_COMMAND_CYCLE, address, HEADER_BEATS),
        (0, address + HEADER_BEATS * port.port_bytes, beats - HEADER_BEATS),
    ]
    last = last_beat(port, np.array(rows, dtype=COMMAND_TYPE), HEADER_BEATS)
    return last + SETTLE_CLOCKS


def run_cycles(
    chip: ChipFacts,
    *,
    images: int,
    interval: int,
    image_address: int,
    answer_address: int,
    latency: int,
) -> RunCycles:
    """Return the cycles of a run whose images are always there in time."""
    port = port_of(chip, latency)
    rows = [(FIRST_COMMAND_CYCLE, image_address, image_beats(chip))]
    conductor = Conductor(chip, images=images, interval=interval)
    for _ in conductor.run():
        pass
    return RunCycles(
        first=last_beat(port, np.array(rows, dtype=COMMAND_TYPE)) + FIRST_STEP_CYCLES,
        steps=conductor.steps,
        step_clocks=chip.step_clocks,
        held=0,
        drain=store_cycles(answer_address, answer_beats(chip) * port.port_bytes, port)
        + STORED_CYCLES,
    )
