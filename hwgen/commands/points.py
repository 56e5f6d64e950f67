"""Predictions of networks on many chips: a task each, in processes, kept by what decides it.

A task says which network, which images and which chip. Its result lies in the work folder under the
digest of all three and of the code. What is there is not computed again: an interrupted command
resumes.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture, Program
from hwgen.chip.runs import Prediction
from hwgen.commands.context import Context
from hwgen.commands.engines import Maps, predicted_cycles
from hwgen.commands.families import InstalledFamily, code_of_families, families
from hwgen.commands.images import Batch
from hwgen.commands.maps import keep_maps, read_maps
from hwgen.commands.prices import Prices
from hwgen.commands.subject import Subject, compiled_now, tell_of_compiling
from hwgen.errors import HwgenError
from hwgen.files.digests import digest_of, digest_of_code, digest_of_file
from hwgen.files.load import validate_spec
from hwgen.jobs.store import Store, run_stored
from hwgen.jobs.tasks import Runner
from hwgen.network.file import load_network

PREDICT = "hwgen.commands.points:predict"
INPUTS = "inputs"
"""Entry of a task that decides nothing: the files with the network and with its maps."""
REFUSED = "refused"
"""Entry of a result: why the chip does not run the network, in a sentence."""

Task = dict[str, Any]
Result = dict[str, Any]
OnDone = Callable[[int, Result, bool], None]
"""Takes the index of a point, its result, and whether it was computed now."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A network on a chip, with images that fill its runs and all have one mode."""

    subject: Subject
    batch: Batch

    @property
    def task(self) -> Task:
        """What decides the result."""
        return {
            "network": self.subject.network.digest,
            "images": self.batch.about.digest,
            "mode": self.batch.modes[0],
            "count": len(self.batch.modes),
            "run_images": self.subject.run_images,
            "family": self.subject.family.name,
            "configuration": self.subject.configuration,
        }


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What the process of a point has: its program, and the prediction of each run."""

    subject: Subject
    program: Program
    maps: Maps
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class WithInputs:
    """An executor whose tasks say where their inputs are.

    inputs: files of a task, asked for when the task is to be computed
    """

    executor: Runner
    inputs: Callable[[Task], Sequence[str]]

    def run(self, function: str, tasks: Sequence[Task]) -> Any:
        """Give index and result of each task as it finishes."""
        yield from self.executor.run(
            function, [{**task, INPUTS: self.inputs(task)} for task in tasks]
        )


def run_points(
    context: Context,
    points: Sequence[Point],
    *,
    workers: int,
    function: str = PREDICT,
    on_done: OnDone | None = None,
) -> list[Result]:
    """Return the result of each point; those that are in the work folder are not computed again.

    function: of a task, with the inputs of `Point.task`, as `predict` is one
    """
    from hwgen.jobs.executors import make_executor

    with make_executor(workers) as executor:
        return run_points_on(executor, context, points, function=function, on_done=on_done)


def run_points_on(
    executor: Runner,
    context: Context,
    points: Sequence[Point],
    *,
    function: str = PREDICT,
    on_done: OnDone | None = None,
) -> list[Result]:
    """Return the result of each point, as `run_points`; the executor may have more to do later."""
    for family in {point.subject.family.name: point.subject.family for point in points}.values():
        # Workers say nothing.
        tell_of_compiling(context, family.need(Family.cycle_model))
    by_task = {digest_of(point.task): point for point in points}

    def inputs(task: Task) -> list[str]:
        """Return the files of network and maps; maps are computed when a point needs them."""
        point = by_task[digest_of(task)]
        return [
            str(point.subject.network_file),
            str(keep_maps(context, point.subject, point.batch)),
        ]

    store = Store(context.work / "points", code=code_of(function))
    tasks = [point.task for point in points]
    found: list[Result] = run_stored(WithInputs(executor, inputs), function, tasks, store, on_done)
    return found


def code_of(function: str, *others: str) -> str:
    """Return the digest of the code that a result comes from; others: packages beside families."""
    module = importlib.util.find_spec(function.partition(":")[0])
    files = [Path(__file__), *([Path(module.origin)] if module and module.origin else [])]
    code = digest_of_code("golden", *code_of_families(), *others)
    return digest_of([code, np.__version__, *map(digest_of_file, files)])


def predict(task: Task) -> Result:
    """Return cycles, their causes and the events of a point, or why the chip refuses it."""
    try:
        found = predicted(task)
    except HwgenError as error:
        return {REFUSED: str(error)}
    subject = found.subject
    model = subject.family.need(Family.cycle_model)
    events = summed([each.events for each in found.predictions])
    cycles = sum(each.cycles for each in found.predictions)
    return {
        "cycles": cycles,
        "load": sum(each.load for each in found.predictions),
        "utilization": model.utilization_of(found.predictions),
        "events": events,
        "outside_bytes": Prices(subject.family).outside_bytes(
            events, subject.arch, found.program, images=task["count"]
        ),
    }


def predicted(task: Task) -> Predicted:
    """Return the predictions of a point."""
    network_file, maps_file = map(Path, task[INPUTS])
    family = families()[task["family"]]
    subject = Subject(
        network=load_network(network_file),
        network_file=network_file,
        family=family,
        arch=arch_of(family, task["configuration"], source=family.name),
        arch_file=Path(family.name),
        run_images=task["run_images"],
    )
    context, maps = Context(console=None), read_maps(maps_file)
    program = compiled_now(context, subject)
    modes = (task["mode"],) * task["count"]
    return Predicted(
        subject=subject,
        program=program,
        maps=maps,
        predictions=predicted_cycles(context, subject, program, maps, modes),
    )


def arch_of(
    family: InstalledFamily, configuration: Mapping[str, Any], *, source: str
) -> Architecture:
    """Return the architecture of a configuration; ConfigError for what the family refuses."""
    kind = family.need(Family.architectures).Arch
    arch: Architecture = validate_spec(kind, dict(configuration), source=source)
    return arch


def summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of each count."""
    names = dict.fromkeys(name for count in counts for name in count)
    return {name: sum(count.get(name, 0) for count in counts) for name in names}
