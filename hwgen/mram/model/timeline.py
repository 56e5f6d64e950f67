"""The timeline of a run: which unit works in which cycles, and what it mostly does.

Tests: `tests/commands/test_page.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hwgen.chip.timeline import Interval, Track, merged
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Program
from hwgen.mram.model.predict import CycleModel
from hwgen.mram.model.prediction import StepCycles

UNITS = {
    "image": "memory port",
    "answer": "memory port",
    "conv": "sub-arrays",
    "pool": "pooling",
    "add": "in-memory adder",
}
"""The unit that works in a step, by the kind of the step."""
DOES = {
    "input": "planes enter",
    "sums": "sums leave",
    "and": "AND and count",
    "window": "waits for a window",
    "pipeline": "starts and ends",
}
"""What the sub-arrays do, by cause of the cycles."""


def timeline(
    program: Program,
    arch: Arch,
    maps: Mapping[str, Any],
    *,
    modes: Sequence[int] | None = None,
) -> list[Track]:
    """Return a track for each unit that works in the run; modes: of each image.

    An interval is a step, with what its unit did in most of its cycles.
    """
    run = CycleModel(program, arch).predict(maps, modes=modes)
    chosen = [0] * program.facts.images if modes is None else modes
    kinds = [plan.kind for mode in chosen for plan in program.facts.modes[mode].steps]
    found: dict[str, list[Interval]] = {unit: [] for unit in UNITS.values()}
    for unit, interval in worked(run.found, kinds):
        found[unit].append(interval)
    return [
        Track(unit=unit, intervals=tuple(merged(intervals)))
        for unit, intervals in found.items()
        if intervals
    ]


def worked(steps: Sequence[StepCycles], kinds: Sequence[str]) -> Iterator[tuple[str, Interval]]:
    """Yield unit and interval of each step; the end of a run is none."""
    begin = 0
    for step, kind in zip(steps, kinds, strict=False):
        cause = max(step.causes, key=lambda name: step.causes[name])
        yield (
            UNITS[kind],
            Interval(
                begin=begin,
                end=begin + step.cycles,
                what=DOES.get(cause, cause),
                fraction=step.causes[cause] / step.cycles,
            ),
        )
        begin += step.cycles
