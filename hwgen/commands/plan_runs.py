"""Plans in the commands behind an import: run on a chip, and held against their file.

Tests: `tests/commands/test_plans.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hwgen.commands.architectures import LoadedArchitecture
from hwgen.commands.context import Context
from hwgen.commands.engines import Engine
from hwgen.commands.images import Batch, read_images
from hwgen.commands.plan_reports import piece_info, report_of
from hwgen.commands.plans import cut_file_of, runtime_of_kind
from hwgen.commands.subject import Subject
from hwgen.errors import DataError, FormatError
from hwgen.files.digests import digest_of_array
from hwgen.files.load import read_mapping
from hwgen.plan.file import Plan, PlanStep, load_plan
from hwgen.plan.units import Tensors
from hwgen.report.plans import PlanReport, PlanSeen
from hwgen.report.run import RunReport
from hwgen.report.types import DRAWN, Images

RUN_SEED = 1


class RunsPiece(Protocol):
    """Runs a network on a chip, as `hwgen run` does."""

    def __call__(
        self, context: Context, subject: Subject, batch: Batch, *, engine: Engine
    ) -> RunReport: ...


@dataclass(kw_only=True)
class PlanRun:
    """Plays a plan on a chip, a step after the other, all calls at once.

    engine: golden, model or rtl, for the pieces on the chip; runs: the network of a piece
    """

    context: Context
    plan: Plan
    path: Path
    chip: LoadedArchitecture
    engine: Engine
    runs: RunsPiece
    found: dict[str, RunReport] = field(default_factory=dict)

    def play(self, feeds: Sequence[Mapping[str, Any]]) -> list[Tensors]:
        """Return the tensors of each call, up to the first piece that differs from golden."""
        from hwgen.plan.play import Player

        player = Player(self.plan)
        calls = [dict(feed) for feed in feeds]
        for step in self.plan.graph.steps:
            if step.where == "chip":
                self.found[step.name] = self.run_piece(step, calls)
            for tensors in calls:
                tensors.update(player.step(step, tensors))
            if step.name in self.found and self.found[step.name].equal is False:
                break
        return calls

    def run_piece(self, step: PlanStep, calls: Sequence[Mapping[str, Any]]) -> RunReport:
        """Run the images of all calls of a piece; its program is cached by its content."""
        subject, batch = on_chip(self.plan, self.path, self.chip, step, calls)
        return self.runs(self.context, subject, batch, engine=self.engine)


def on_chip(
    plan: Plan,
    path: Path,
    chip: LoadedArchitecture,
    step: PlanStep,
    calls: Sequence[Mapping[str, Any]],
) -> tuple[Subject, Batch]:
    """Return a piece on its chip, and its images of all calls; path: of the plan."""
    from hwgen.plan.judge import images_of

    network = plan.networks[step.name]
    images = np.concatenate([images_of(step, network, tensors) for tensors in calls])
    about = Images(
        name=f"the borders of {step.name}",
        split="all",
        images=len(images),
        digest=digest_of_array(images),
    )
    subject = Subject(
        network=network,
        network_file=path,
        family=chip.family,
        arch=chip.parameters,
        arch_file=chip.file,
    )
    return subject, Batch(images=images, labels=None, about=about, modes=(0,) * len(images))


def run_plan(
    context: Context,
    path: Path,
    chip: LoadedArchitecture,
    *,
    data: str | NDArray[Any] | None,
    images: int | None,
    engine: Engine,
    play: RunsPiece,
    host_ms: Path | None = None,
) -> PlanReport:
    """Return what the pieces of a plan did on a chip, and the host's in their runtime."""
    plan = load_plan(path)
    check_chip(plan, chip, path)
    apart = border_apart(context, plan)
    if apart:
        return report_of(plan, path, apart=apart, equal=False)
    feeds, about = feeds_for(plan, data, images)
    run = PlanRun(context=context, plan=plan, path=path, chip=chip, engine=engine, runs=play)
    run.play(feeds)
    given = {} if host_ms is None else times_of(plan, host_ms)
    pieces = [
        piece_info(step, run=run.found.get(step.name), milliseconds=given.get(step.name))
        for step in plan.graph.steps
    ]
    cycles, time_us = 0, 0.0
    for each in run.found.values():
        cycles += each.cycles or 0
        time_us += (each.time_us or 0.0) * len(each.images) / len(feeds)
    equals = [each.equal for each in run.found.values() if each.equal is not None]
    timed = engine != "golden"
    return report_of(
        plan,
        path,
        pieces=pieces,
        data=about,
        cycles=cycles if timed else None,
        total_ms=time_us / 1000 + sum(given.values()) if timed and given else None,
        equal=all(equals) if equals else None,
    )


def check_chip(plan: Plan, chip: LoadedArchitecture, path: Path) -> None:
    """Refuse an exact plan on a chip that cannot round so."""
    rounding = getattr(chip.parameters, "rounding", ())
    if plan.graph.exact and plan.graph.chip_steps and "float32" not in rounding:
        raise FormatError(
            field="the chip of the plan",
            allowed=f"{plan.graph.chip}, or another with `rounding: [half_up, float32]`",
            given=chip.name,
            source=str(path),
        )


def border_apart(context: Context, plan: Plan) -> str:
    """Return the first border that the runtime of here computes otherwise; the same one: none."""
    from hwgen.plan.cutting import first_apart

    graph = plan.graph
    runtime, setting = runtime_of_kind(graph.kind)
    if (runtime, setting) == (graph.runtime, graph.setting) or not graph.runtime:
        return ""
    if not runtime:
        context.say(f"the plan was cut by {graph.runtime}, which is not installed here")
        return ""
    context.say(
        f"the plan was cut by {graph.runtime} ({graph.setting or 'no setting'}), here is {runtime}"
        f" ({setting or 'no setting'}): a recorded call is played first"
    )
    return first_apart(plan)


def feeds_for(
    plan: Plan, data: str | NDArray[Any] | None, images: int | None
) -> tuple[list[Tensors], Images]:
    """Return the calls that a command plays: of a file or an array of images, else drawn."""
    from hwgen.plan.feeds import drawn_feeds, feeds_of

    graph = plan.graph
    inputs = [graph.by_name[name] for name in graph.inputs]
    if data is None:
        feeds, name = drawn_feeds(inputs, images or 1, RUN_SEED), DRAWN
    else:
        if len(inputs) > 1:
            raise DataError(
                f"--data must be left out for a plan with {len(inputs)} inputs, got {data}"
            )
        given = data if isinstance(data, np.ndarray) else read_images(Path(data))[0]
        name = "the given array" if isinstance(data, np.ndarray) else str(data)
        feeds = feeds_of(inputs, given, name)
        if images is not None and not 1 <= images <= len(feeds):
            raise DataError(f"--images must be from 1 to {len(feeds)} ({name}), got {images}")
        feeds = feeds[:images]
    whole = np.concatenate([feed[each.name].reshape(-1) for feed in feeds for each in inputs])
    about = Images(name=name, split="all", images=len(feeds), digest=digest_of_array(whole))
    return feeds, about


def times_of(plan: Plan, path: Path) -> dict[str, float]:
    """Return the milliseconds of each host piece of a YAML file: its name, a number."""
    names = [step.name for step in plan.graph.host_steps]
    plain = read_mapping(path)
    wrong = [each for each in plain if each not in names] + [
        each for each in names if each not in plain
    ]
    if wrong:
        raise FormatError(
            field="the times of the host", allowed=f"of {', '.join(names)}", given=wrong[0],
            source=str(path),
        )  # fmt: skip
    for name, value in plain.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise FormatError(
                field=f"the time of {name}",
                allowed="milliseconds, at least 0",
                given=value,
                source=str(path),
            )
    return {str(name): float(value) for name, value in plain.items()}


def compare_plan(
    context: Context, path: Path, file: Path, *, data: Any, images: int | None
) -> PlanReport:
    """Return how a plan answers beside its file in the runtime, whole, then piece by piece."""
    from hwgen.plan.cutting import checked, pieces_apart

    plan, cut_file = load_plan(path), cut_file_of(file)
    if cut_file.kind != plan.graph.kind:
        raise FormatError(
            field="--against",
            allowed=f"the {plan.graph.kind} file that the plan was cut of",
            given=f"a file of {cut_file.kind}",
            source=str(file),
        )
    feeds, about = feeds_for(plan, data, images)
    with context.status("the plan is held against its file"):
        plan = checked(plan, feeds, cut_file.answers)
        by_piece = pieces_apart(plan, cut_file, feeds)
    seen = plan.graph.seen
    assert seen is not None
    told = PlanSeen(
        **(vars(seen) | {"runtime": runtime_of_kind(cut_file.kind)[0]}), by_piece=by_piece
    )
    equal = seen.equal == seen.elements
    return report_of(plan, path, file, seen=told, data=about, equal=equal)
