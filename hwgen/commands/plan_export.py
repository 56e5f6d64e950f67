"""`hwgen export` of a plan: a folder for each piece on the chip, and the borders of all calls.

Tests: `tests/commands/test_plans.py`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.commands.architectures import LoadedArchitecture
from hwgen.commands.context import Context
from hwgen.commands.images import Batch
from hwgen.commands.plan_reports import report_of
from hwgen.commands.plan_runs import check_chip, feeds_for, on_chip
from hwgen.commands.subject import Subject
from hwgen.files.npz import write_npz
from hwgen.plan.file import load_plan
from hwgen.report.plans import PlanReport

BORDERS = "borders.npz"
"""Holds the tensors of a plan of all calls: `t0` is the first of its list, (calls, ...)."""


def export_plan(
    context: Context,
    path: Path,
    chip: LoadedArchitecture,
    out: Path,
    export: Callable[[Context, Subject, Batch, Path], object],
    *,
    data: Any,
    images: int,
) -> PlanReport:
    """Write the folder of each piece on the chip, named as it, and the borders of some calls.

    export: writes the folder of one network and its images
    """
    from hwgen.plan.play import Player

    plan = load_plan(path)
    check_chip(plan, chip, path)
    calls, about = feeds_for(plan, data, images)
    player = Player(plan)
    for step in plan.graph.steps:
        if step.where == "chip":
            export(context, *on_chip(plan, path, chip, step, calls), out / step.name)
        for tensors in calls:
            tensors.update(player.step(step, tensors))
    names = [tensor.name for tensor in plan.graph.tensors]
    borders = {f"t{k}": np.stack([call[name] for call in calls]) for k, name in enumerate(names)}
    write_npz(out / BORDERS, borders | {"names": np.array(names)}, what="borders")
    return report_of(plan, path, data=about)
