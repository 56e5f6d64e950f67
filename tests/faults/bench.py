"""Faults in one simulator, each run on one network after the other until one catches it.

A fault is caught when `hwgen run` would see it: the right chip runs as golden and the cycle model
say, as other tests show, and the faulty one otherwise.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.chip.limits import RunLimits
from hwgen.chip.runs import SimulatedRun
from hwgen.chip.sim.host import HostedChip, run_hosted
from hwgen.chip.sim.simulator import FAST
from hwgen.chip.trouble import Trouble
from hwgen.errors import SimulationError
from tests.faults.cases import Case, Tried
from verif.schemata import Fault, planted
from verif.toolchain import BUILD_ROOT

STALL = 60
"""Percent, of the second run of each fault that the first one does not catch."""
MOST_TIMES = 3
"""A faulty chip hangs after so many times the cycles of the right one, and stores of words."""
SLACK = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of a fault; network, caught_by: which saw it, and how; empty where none did."""

    fault: Fault
    network: str
    caught_by: str


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One simulator with all faults of a chip; builds: folder of simulators."""

    chip: HostedChip[Any]
    builds: Path = BUILD_ROOT

    def run(self, case: Case, number: int, *, stall: int, limits: RunLimits) -> "Seen":
        """Return what is seen of a fault; 0: of the right chip. Raises SimulationError."""
        work = replace(
            case.work,
            trouble=Trouble(stall=stall),
            limits=limits,
            plusargs={"mutant": number},
        )
        starts, _ = run_hosted(work, self.chip, builds=self.builds)
        return Seen(starts=starts, runs=list(case.runs(starts)))


@dataclass(frozen=True)
class Seen:
    """The starts of a host, and the runs that they show."""

    starts: Sequence[Any]
    runs: Sequence[SimulatedRun]

    @property
    def limits(self) -> RunLimits:
        """What a chip with a fault may take until it counts as hanging."""
        return RunLimits(
            cycles=MOST_TIMES * max(start.cycles for start in self.starts) + SLACK,
            stores=MOST_TIMES * max(len(start.stores) for start in self.starts) + SLACK,
        )


def bench_of(chip: HostedChip[Any], faults: Sequence[Fault], *, optimize: str = FAST) -> Bench:
    """Return the bench of some faults of a chip; optimize: for the C++ compiler."""
    return Bench(
        chip=replace(
            chip,
            name=f"{chip.name} with {len(faults)} faults",
            write=partial(planted, chip.modules, faults, chip.top),
            args=[*chip.args, "-Wno-lint", "-Wno-fatal"],
            optimize=optimize,
        )
    )


def outcomes(bench: Bench, tried: Tried, faults: Sequence[Fault]) -> Iterator[Outcome]:
    """Yield what becomes of each fault: the first network that catches it, if there is one."""
    right = [
        (case, stall, bench.run(case, 0, stall=stall, limits=RunLimits()))
        for case in tried.cases
        for stall in (0, STALL)
    ]
    for number, fault in enumerate(faults, 1):
        for case, stall, sound in right:
            if caught_by := seen_by(bench, case, number, stall, sound):
                yield Outcome(fault, case.name, caught_by)
                break
        else:
            yield Outcome(fault, "", "")


def seen_by(bench: Bench, case: Case, number: int, stall: int, sound: Seen) -> str:
    """Return how a network catches a fault; empty: it does not."""
    try:
        found = bench.run(case, number, stall=stall, limits=sound.limits)
        caught_by = difference(sound.runs, found.runs, timed=not stall)
    except (SimulationError, LookupError, ValueError) as error:
        caught_by = f"error: {error}"
    return f"{caught_by} (stalls)" if caught_by and stall else caught_by


def difference(right: Iterable[SimulatedRun], found: Iterable[SimulatedRun], *, timed: bool) -> str:
    """Return what differs first as `hwgen run` compares it: maps, cycles or events; else nothing.

    timed: cycles of runs and steps are compared, too
    """
    for one, other in zip(right, found, strict=True):
        for expected, given in zip(one.maps, other.maps, strict=True):
            if expected.keys() != given.keys() or not all(
                np.array_equal(expected[name], given[name]) for name in expected
            ):
                return "maps"
        times = [
            (run.cycles, run.load_cycles, run.loading, run.held_clocks, run.steps)
            for run in (one, other)
        ]
        if timed and times[0] != times[1]:
            return "cycles"
        if (one.counters, one.events) != (other.counters, other.events):
            return "events"
    return ""


def kind(caught_by: str) -> str:
    """Return the first word of what caught a fault, and whether only stalls did."""
    word = caught_by.partition(":")[0].partition(" ")[0] or "survived"
    return f"{word} (stalls)" if caught_by.endswith("(stalls)") else word
