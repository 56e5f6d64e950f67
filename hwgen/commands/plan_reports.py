"""What reports say of a plan, and of its steps.

Tests: `tests/commands/test_plans.py`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen.files.digests import digest_of_file, versions
from hwgen.plan.file import Plan, PlanStep
from hwgen.report.imports import FloatDistance
from hwgen.report.plans import PieceInfo, PlanReport, PlanSeen
from hwgen.report.types import Source

if TYPE_CHECKING:
    pass


def report_of(plan: Plan, path: Path, file: Path | None = None, **further: Any) -> PlanReport:
    """Return what a plan is; path: of the plan; file: of the user; further: fields besides."""
    graph = plan.graph
    seen = further.pop("seen", None)
    if seen is None and graph.seen is not None:
        seen = PlanSeen(**vars(graph.seen))
    return PlanReport(
        format="hwgen.report.plan",
        version=1,
        plan=Source(name=graph.name, file=str(path), digest=plan.digest),
        file=None
        if file is None
        else Source(name=file.stem, file=str(file), digest=digest_of_file(file)),
        chip=graph.chip,
        exact=graph.exact,
        products=graph.products,
        chip_products=graph.chip_products,
        share=graph.chip_products / graph.products if graph.products else None,
        crossing_bytes=graph.crossing_bytes,
        runtime=graph.runtime,
        setting=graph.setting,
        pieces=further.pop("pieces", None) or [piece_info(step) for step in graph.steps],
        lines=list(graph.lines),
        seen=seen,
        versions=versions(),
        **further,
    )


def piece_info(step: PlanStep, **further: Any) -> PieceInfo:
    """Return what a step is; further: fields besides."""
    return PieceInfo(
        name=step.name,
        where=step.where,
        operators=step.operators,
        products=step.products,
        reasons=list(step.reasons),
        reads=list(step.inputs),
        writes=list(step.outputs),
        steps=step.steps,
        **further,
    )


def import_report(
    plan: Plan, path: Path, file: Path, distances: Sequence[FloatDistance]
) -> PlanReport:
    """Return the report of an import that cut."""
    seen = plan.graph.seen
    equal = None if seen is None or not plan.graph.exact else seen.equal == seen.elements
    return report_of(plan, path, file, from_float=list(distances), equal=equal)
