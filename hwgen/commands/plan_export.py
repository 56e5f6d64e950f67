"""`hwgen export` of a plan: a folder for each piece on the chip, and the borders of all calls.

Tests: `tests/commands/test_plans.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.in_memory import InMemory
from hwgen.commands.architectures import LoadedArchitecture
from hwgen.commands.context import Context
from hwgen.commands.images import Batch
from hwgen.commands.plan_reports import report_of
from hwgen.commands.plan_runs import check_chip, feeds_for, on_chip
from hwgen.commands.subject import Subject
from hwgen.files.npz import write_npz
from hwgen.files.output import whole_file
from hwgen.plan.file import Plan, load_plan
from hwgen.plan.units import Tensors
from hwgen.report.plans import PlanReport

if TYPE_CHECKING:
    from hwgen.plan.moves import Moved

BORDERS = "borders.npz"
"""Holds the tensors of a plan of all calls: `t0` is the first of its list, (calls, ...)."""


def export_plan(
    context: Context,
    path: Path,
    chip: LoadedArchitecture,
    out: Path,
    *,
    export: Callable[..., object],
    write_piece: Callable[..., None],
    data: Any,
    images: int,
    firmware: bool,
) -> PlanReport:
    """Write the folder of each piece on the chip, named as it, and the borders of some calls.

    export: writes the folder of one network and its images; write_piece: its C into one
    firmware: also write what plays the plan in C
    """
    from hwgen.plan.play import Player

    plan = load_plan(path)
    check_chip(plan, chip, path)
    calls, about = feeds_for(plan, data, images)
    player, memories = Player(plan), dict[str, InMemory]()

    def keep(memory: InMemory, subject: Subject, batch: Batch, folder: Path) -> None:
        write_piece(memory, subject, batch, folder, step.name)
        memories[step.name] = memory

    for step in plan.graph.steps:
        if step.where == "chip":
            subject, batch = on_chip(plan, path, chip, step, calls)
            kept = keep if firmware else None
            export(context, subject, batch, out / step.name, firmware=kept)
        for tensors in calls:
            tensors.update(player.step(step, tensors))
    names = [tensor.name for tensor in plan.graph.tensors]
    borders = {f"t{k}": np.stack([call[name] for call in calls]) for k, name in enumerate(names)}
    write_npz(out / BORDERS, borders | {"names": np.array(names)}, what="borders")
    if firmware:
        write_plan_c(plan, memories, calls, out)
    return report_of(plan, path, data=about)


def write_plan_c(
    plan: Plan, memories: Mapping[str, InMemory], calls: Sequence[Tensors], out: Path
) -> None:
    """Write a plan in C, its programs, and inputs and outputs of calls; memories: of its pieces."""
    from hwgen.plan.firmware import firmware_of, host_moves

    moves = host_moves(plan, calls)
    made = firmware_of(plan, memories, moves, calls=len(calls))
    texts = {name: text.encode() for name, text in made.texts.items()}
    graph = plan.graph
    told = {name: moved for by_name in moves.values() for name, moved in by_name.items()}
    ends = {
        "images.bin": [np.asarray(call[name]) for call in calls for name in graph.inputs],
        "expected.bin": [
            expected_of(np.asarray(call[name]), told.get(name))
            for call in calls
            for name in graph.outputs
        ],
    }
    bytes_of = {name: b"".join(each.tobytes() for each in arrays) for name, arrays in ends.items()}
    for name, content in {**texts, "program.bin": made.programs, **bytes_of}.items():
        with whole_file(out / name, what="plan in C") as fresh:
            fresh.write_bytes(content)


def expected_of(answer: NDArray[Any], moved: "Moved | None") -> NDArray[Any]:
    """Return an output as C tells it."""
    if moved is None or not moved.row:
        return answer
    if answer.size == moved.elements:
        return answer.astype(np.uint32)
    return np.asarray(answer.reshape(moved.elements, moved.row).argmax(1), np.uint32)
