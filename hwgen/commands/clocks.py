"""At which clock a time of a chip is told: at that of its own netlist.

Tests: `tests/commands/test_clocks.py`.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from hwgen.chip.protocols import Architecture
from hwgen.commands.families import InstalledFamily
from hwgen.files.shipped import shipped_folder
from hwgen.report.clocks import MeasuredClocks, read_clocks
from hwgen.report.types import ChipClock

CLOCKS = "clocks.json"
"""File of measured clocks: that which ships, and another beside the file of an architecture."""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A chip with the clock of its times.

    clock: None: nobody measured its netlist, so there is none
    arch: as its file has it, but for the clock, by which energy of time counts
    """

    clock: ChipClock | None
    arch: Architecture

    def time_us(self, cycles: float) -> float | None:
        """Return how long some cycles take; None without a measured clock."""
        return None if self.clock is None else cycles / self.clock.mhz


def timed(family: InstalledFamily, arch: Architecture, file: Path) -> Timed:
    """Return a chip of a family with the clock of its times; file: of its architecture.

    A file may name a slower clock than the netlist reaches, which then counts.
    """
    clock = measured(arch, file)
    if clock is None:
        return Timed(clock=None, arch=arch)
    if arch.clock_mhz < clock.mhz:
        clock = replace(clock, ns=1000 / arch.clock_mhz, mhz=arch.clock_mhz, of_file=True)
    return Timed(clock=clock, arch=family.family.at_clock(arch, clock.mhz))


def measured(arch: Architecture, file: Path) -> ChipClock | None:
    """Return the clock of the netlist of a chip; None: it is in no file of clocks."""
    for path in dict.fromkeys((file.parent / CLOCKS, shipped_folder() / CLOCKS)):
        if path.is_file():
            found = read_once(path, path.stat().st_mtime_ns).of(arch.digest)
            if found is not None:
                return found
    return None


@cache
def read_once(path: Path, written_ns: int) -> MeasuredClocks:
    """Return the clocks of a file that was written at a time; a search asks for many chips."""
    return read_clocks(path)
