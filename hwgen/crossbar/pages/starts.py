"""The schedule that a chip keeps: starts as promised, and as the simulation saw them.

Beside it, the energy of a run by counted events, and what the search that found the chip charges.

Tests: `tests/commands/test_every_field.py`.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.facts.schedule import load_schedule
from hwgen.crossbar.facts.timing import LAGS
from hwgen.crossbar.model.events import EVENTS_OF_PART, PICO_OF_MILLI, leakage_pj, parts_pj
from hwgen.crossbar.model.predict import Prediction
from hwgen.crossbar.sim.maps import Strobes
from hwgen.crossbar.sim.simulate import SimulatedRun
from hwgen.errors import FormatError
from hwgen.report.run import Constant, Difference, RunEnergy, RunOperation, Starts

REPORT = "report.json"
"""Name of the file that a synthesis leaves beside an architecture."""
STATIC = "static"


def run_energy(
    arch: Arch, file: Path, events: Mapping[str, int], *, cycles: int, images: int
) -> list[RunEnergy]:
    """Return the energy of an image by part, that of waiting at the end.

    events, cycles, images: of a run; file: of the architecture, beside which a report may lie
    """
    counted = {part: energy / images for part, energy in parts_pj(events, arch).items()}
    counted[STATIC] = leakage_pj(cycles, arch) / images
    charged = charged_by_search(arch, file.parent / REPORT)
    return [
        RunEnergy(part=part, events_pj=counted.get(part), search_pj=charged.get(part))
        for part in dict.fromkeys((*EVENTS_OF_PART, *charged, STATIC))
        if counted.get(part) or charged.get(part)
    ]


def charged_by_search(arch: Arch, file: Path) -> dict[str, float]:
    """Return picojoules of an image by part, from the report of a synthesis; empty without one."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        if report["architecture_digest"] != arch.digest:
            return {}
        found = {each["part"]: float(each["dynamic_mj"]) for each in report["parts"]}
        found[STATIC] = sum(float(each["static_mj"]) for each in report["parts"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {part: energy * PICO_OF_MILLI for part, energy in found.items()}


__all__ = ["check_schedule", "compare_starts", "starts_picture"]

SCHEDULE = "schedule.npz"
"""Name of the file that a synthesis leaves beside an architecture."""

Ints = NDArray[np.int64]
Key = tuple[int, str]
"""A layer and one of its operations."""


def check_schedule(arch: Arch, file: Path) -> None:
    """Refuse a schedule beside an architecture that is damaged, or another's; none is no fault."""
    beside = file.parent / SCHEDULE
    if beside.is_file():
        schedule_of(arch, beside)


def compare_starts(
    arch: Arch,
    file: Path,
    program: Program,
    predictions: Sequence[Prediction],
    runs: Sequence[SimulatedRun],
) -> Starts:
    """Return what was promised and what was seen; see `hwgen.report.run.Starts`.

    An image that is alone in its run keeps the schedule that lies beside the architecture. For a
    stream, and where no schedule lies there, the conductor in Python promises.
    """
    model, beside = predictions[0], file.parent / SCHEDULE
    alone = program.facts.images == 1 and beside.is_file()
    promised = schedule_of(arch, beside) if alone else model.starts
    of_runs = [promised if alone else each.starts for each in predictions]
    seen = [{(one.layer, one.operation): one for one in run.strobes} for run in runs]
    names = [plan.name for plan in program.facts.layers]
    return Starts(
        promised_by="schedule" if alone else "model",
        held_clocks=sum(each.held_clocks for each in runs or predictions),
        constants=constants_of(model, runs),
        operations=[operation_of(names, key, steps, seen) for key, steps in promised.items()],
        energy=run_energy(
            arch,
            file,
            (runs or predictions)[0].events,
            cycles=(runs or predictions)[0].cycles,
            images=program.facts.images,
        ),
        first=first_of(names, of_runs, seen) or first_late(names, model, runs),
    )


def starts_picture(
    arch: Arch, predictions: Sequence[Prediction], runs: Sequence[SimulatedRun]
) -> str:
    """Return the first run as SVG: lanes of macros over steps."""
    from hwgen.crossbar.pages.starts_picture import starts_picture

    drawn: str = starts_picture(arch, predictions, runs)
    return drawn


def schedule_of(arch: Arch, file: Path) -> dict[Key, Ints]:
    """Return the starts in the schedule of an architecture."""
    schedule = load_schedule(file, arch)
    found: dict[Key, Ints] = {
        (each.layer, each.operation): schedule.starts_of(each) for each in schedule.facts.operations
    }
    blocks = {
        (layer.place, operation.name): layer.blocks
        for layer in described(arch).layers
        for operation in layer.operations
    }
    if {key: len(steps) for key, steps in found.items()} != blocks:
        raise FormatError(
            field="the operations of the schedule",
            allowed=f"those of the architecture {arch.name}, in as many blocks",
            given="others",
            source=str(file),
        )
    return found


def operation_of(
    names: Sequence[str], key: Key, steps: Ints, seen: Sequence[Mapping[Key, Strobes]]
) -> RunOperation:
    """Return one operation of all runs."""
    own = [run[key] for run in seen if key in run]
    lags = {int(lag) for strobes in own for lag in np.unique(strobes.lag)}
    clocks = own[0].clock if own else np.zeros(0, np.int64)
    return RunOperation(
        layer=names[key[0]],
        operation=key[1],
        starts=len(own) * len(steps),
        different=sum(differing(steps, strobes.step) for strobes in own),
        first_step=int(steps[0]),
        last_step=int(steps[-1]),
        first_clock=int(clocks[0]) if clocks.size else None,
        last_clock=int(clocks[-1]) if clocks.size else None,
        lag_clocks=lags.pop() if len(lags) == 1 else None,
    )


def differing(promised: Ints, found: Ints) -> int:
    """Return how many blocks start in another step, not at all, or beside those that should."""
    both = min(len(promised), len(found))
    unequal = int((promised[:both] != found[:both]).sum())
    return unequal + max(len(promised), len(found)) - both


def first_of(
    names: Sequence[str],
    of_runs: Sequence[Mapping[Key, Ints]],
    seen: Sequence[Mapping[Key, Strobes]],
) -> Difference | None:
    """Return the first start that differs; of_runs: promised for each run."""
    for index, (promised, run) in enumerate(zip(of_runs, seen, strict=False)):
        for key, steps in promised.items():
            begun = run[key].step.tolist() if key in run else []
            pairs = zip_longest(steps.tolist(), begun)
            for block, (expected, found) in enumerate(pairs):
                if expected != found:
                    return Difference(
                        what="step",
                        run=index,
                        layer=f"{names[key[0]]}.{key[1]}",
                        name=f"start of block {block}",
                        expected=expected,
                        found=found,
                    )
    return None


def first_late(
    names: Sequence[str], model: Prediction, runs: Sequence[SimulatedRun]
) -> Difference | None:
    """Return the first start in another clock than its step and its lag say.

    Of runs of which no step was longer: the clocks of others are not known.
    """
    for index, run in enumerate(runs):
        for one in () if run.held_clocks else run.strobes:
            lag, begin = LAGS[one.operation], run.steps[0].end
            clocks = begin + one.step * model.timing.step_clocks + lag
            for block in np.flatnonzero((one.clock != clocks) | (one.lag != lag)).tolist():
                return Difference(
                    what="step",
                    run=index,
                    layer=f"{names[one.layer]}.{one.operation}",
                    name=f"clock of block {block}",
                    expected=int(clocks[block]),
                    found=int(one.clock[block]),
                )
    return None


def constants_of(model: Prediction, runs: Sequence[SimulatedRun]) -> list[Constant]:
    """Return what a run takes beside its steps, and the lags of operations; as seen, if any was.

    load: the program, once; first step: the first image comes; drain: the last results leave
    """
    of = runs[0] if runs else model
    first, last = of.steps[0], of.steps[-1]
    clocks = {
        "load": of.loading,
        "first step": first.end,
        "drain": last.end - last.begin,
    }
    lags = {name: LAGS[name] for _, name in model.starts}
    if runs:
        lags = {one.operation: int(one.lag.max()) for one in runs[0].strobes if one.lag.size}
    clocks |= {f"lag of {name}": lag for name, lag in lags.items()}
    return [
        Constant(name=name, clocks=count, share=count / of.cycles) for name, count in clocks.items()
    ]
