"""Plans: a file that is cut between a chip and its host, at import.

Tests: `tests/commands/test_plans.py`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from hwgen.chip.family import Family
from hwgen.commands.architectures import LoadArchitecture, LoadedArchitecture
from hwgen.commands.context import Context
from hwgen.commands.files import kind_of
from hwgen.commands.packages import optional_packages
from hwgen.errors import FormatError
from hwgen.plan.file import Plan, PlanGraph
from hwgen.plan.target import GOLDEN, Target

if TYPE_CHECKING:
    from hwgen.plan.judge import PlannedFile

CHOOSING, JUDGING = 8, 8
"""Calls that choose the cut, and others that judge the finished plan."""
MOST_CHECKS = 3
"""Times that a file is cut, each time by what the check before found, too."""
CHOOSING_SEED, JUDGING_SEED = 1, 101


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How a file is to be cut.

    chip: a name or a path, or golden; strict: what is announced as not exact goes to the host
    differ: what differs stays on the chip; least: share of the products at least on the chip
    """

    chip: Path
    strict: bool
    differ: bool
    least: float | None


def target_of(chip: Path) -> tuple[Target, LoadedArchitecture | None]:
    """Return what pieces are made for, and the chip; None: golden alone."""
    if str(chip) == GOLDEN:
        return Target(), None
    loaded = LoadArchitecture(chip).run()
    compiler, arch = loaded.family.need(Family.compiler), loaded.parameters
    compiled = lambda network: compiler.compile_network(network, arch)  # noqa: E731
    return Target(arch=arch, compiled=compiled), loaded


def check_wanted(wanted: Wanted, target: Target) -> None:
    """Refuse a chip that cannot be exact where all must be."""
    if wanted.strict and not target.is_exact:
        raise FormatError(
            field="--strict",
            allowed="given with a chip whose `rounding` has float32: a copy of its file may set"
            " `rounding: [half_up, float32]`",
            given=f"{target.name}, which rounds half up alone",
            source="command line",
        )


def cut_plan(
    context: Context,
    cut_file: "PlannedFile",
    file: Path,
    wanted: Wanted,
    target: Target,
    *,
    images: NDArray[Any] | None = None,
) -> Plan:
    """Return the plan of a quantized file, judged and checked.

    cut_file: of the format of the file; file: of the user
    images: by which the cut is chosen beside drawn inputs, as `--calibrate`
    Raises FormatError for a file that cannot be cut, or whose share is below the least.
    """
    with optional_packages():
        from hwgen.plan.cutting import checked, plan_of, probed
        from hwgen.plan.feeds import drawn_feeds, feeds_of
        from hwgen.plan.judge import Cut

    runtime, setting = runtime_of_kind(cut_file.kind)
    with context.status(f"cutting {file.name} for {target.name}") as tell:
        inputs = cut_file.tensors(cut_file.units.inputs)
        feeds = drawn_feeds(inputs, CHOOSING, CHOOSING_SEED) if runtime else []
        if images is not None and runtime and len(inputs) == 1:
            feeds = feeds_of(inputs, images, str(file))[:CHOOSING] + feeds
        for attempt in range(MOST_CHECKS):
            cut = Cut(
                file=cut_file,
                target=target,
                feeds=feeds,
                strict=wanted.strict,
                differ=wanted.differ,
                say=tell,
            )
            plan = plan_of(cut, cut_file, target, name=file.stem, runtime=runtime, setting=setting)
            check_share(plan.graph, wanted.least, file)
            if not runtime:
                return plan
            tell("the whole plan is held against the runtime")
            fresh = drawn_feeds(inputs, JUDGING, JUDGING_SEED + attempt)
            plan = checked(plan, fresh, cut_file.answers)
            seen = plan.graph.seen
            if seen is None or seen.equal == seen.elements or wanted.differ or not target.is_exact:
                break
            feeds = [*feeds, *fresh]
        return probed(plan)


def runtime_of_kind(kind: str) -> tuple[str, str]:
    """Return the runtime of a format that is installed, and the setting of its sessions."""
    if kind == "TFLite":
        from hwgen.plan.tflite_cut import runtime_here as litert_here

        return litert_here(), ""
    from hwgen.plan.onnx_host import runtime_here

    return runtime_here()


def cut_file_of(file: Path) -> "PlannedFile":
    """Return a quantized file as what is cut."""
    with optional_packages():
        if kind_of(file) == "TFLite":
            from hwgen.plan.tflite_cut import TFLiteCut, check_runtime

            check_runtime(str(file))
            return TFLiteCut.of(file)
        from hwgen.importers.onnx.external import read_whole_model
        from hwgen.plan.onnx_cut import OnnxCut

        return OnnxCut.of(read_whole_model(file), str(file))


def check_share(graph: PlanGraph, least: float | None, file: Path) -> None:
    """Refuse a plan with too few of its products on the chip."""
    if least is None or not graph.products or graph.chip_products >= least * graph.products:
        return
    reasons = [reason for step in graph.host_steps for reason in step.reasons]
    raise FormatError(
        field="the share of the multiply-accumulates on the chip",
        allowed=f"at least {least:.1%}, as --least says",
        given=f"{graph.chip_products / graph.products:.1%}: {'; '.join(reasons[:3])}",
        source=str(file),
    )


def write_pieces(plan: Plan, folder: Path) -> None:
    """Write each piece of a plan: networks as `.npz`, those of the host in the file's format."""
    from hwgen.files.output import whole_file
    from hwgen.network.file import save_network

    folder.mkdir(parents=True, exist_ok=True)
    for name, network in plan.networks.items():
        save_network(network, folder / f"{name}.npz")
    for name, content in plan.files.items():
        with whole_file(folder / f"{name}.{plan.graph.kind.lower()}", what="piece") as fresh:
            fresh.write_bytes(content)
