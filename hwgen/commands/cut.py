"""`hwgen import --chip`: a file stays whole where a chip takes it and answers as it does, else cut.

Tests: `tests/commands/test_plans.py`.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hwgen.commands.context import Context
from hwgen.commands.described import Writing, content_of
from hwgen.commands.exchange import Calibrated, calibrated_graph, images_or_rows
from hwgen.commands.files import kind_of, read_graph
from hwgen.commands.judged import Imported, judged
from hwgen.commands.packages import optional_packages
from hwgen.commands.plan_reports import import_report
from hwgen.commands.plans import (
    Wanted,
    check_wanted,
    cut_file_of,
    cut_plan,
    target_of,
    write_pieces,
)
from hwgen.errors import HwgenError, MissingToolError, RefusedNetworkError
from hwgen.importers.integer import IntegerGraph, Lowered
from hwgen.importers.integer.arithmetic import Kernels, kernels_of
from hwgen.plan.file import save_plan
from hwgen.plan.target import GOLDEN, Target
from hwgen.report.import_tables import announced_lines
from hwgen.report.imports import FloatDistance, ImportReport
from hwgen.report.plans import PlanReport


@dataclass(frozen=True)
class Cutting:
    """An import for a chip; calibrate: images of a float file; qdq: its quantized one to write."""

    writing: Writing
    wanted: Wanted
    calibrate: Path | None
    qdq: Path | None

    def run(self, pieces: Path | None) -> ImportReport | PlanReport:
        """Write the network or the plan, and its pieces into a folder; return its report."""
        file = self.writing.file
        target, _ = target_of(self.wanted.chip)
        check_wanted(self.wanted, target)
        images = None if self.calibrate is None else images_or_rows(file, self.calibrate)
        with tempfile.TemporaryDirectory() as folder, optional_packages():
            quantized = file
            if self.calibrate is not None:
                quantized = self.qdq or Path(folder) / file.name
            whole = self.whole(quantized, target)
            if isinstance(whole, ImportReport):
                return whole
            cut_file = cut_file_of(quantized)
            plan = cut_plan(
                Context(console=None), cut_file, file, self.wanted, target, images=images
            )
            save_plan(plan, self.writing.out)
            if pieces is not None:
                write_pieces(plan, pieces)
        return import_report(plan, self.writing.out, file, whole)

    def whole(self, quantized: Path, target: Target) -> ImportReport | list[FloatDistance]:
        """Return the report of a network that is taken whole, else how far a float file is."""
        own = kernels_of("default", kind_of(self.writing.file), source="")
        kernels: Kernels = own if target.is_exact else "half_up"
        graph, made = None, None
        if self.calibrate is not None:
            graph, made = quantized_graph(self.writing.file, self.calibrate, quantized)
        try:
            graph = graph or read_graph(quantized)
            kernels = graph.kernels or kernels
            lowered = self.writing.lowered(graph, kernels)
            if target.refused(lowered.network) is None and self.stays(
                graph, lowered, made, kernels
            ):
                return self.writing.write(graph, made, kernels)
        except MissingToolError:
            raise
        except HwgenError:
            pass
        return [] if made is None else made.distances

    def stays(
        self, graph: IntegerGraph, lowered: Lowered, made: Calibrated | None, kernels: Kernels
    ) -> bool:
        """Return whether a network that a chip takes whole is not cut for what differs."""
        if self.wanted.differ or kernels == "half_up":
            return True
        if self.wanted.strict and announced_lines(content_of(graph, lowered, kernels)):
            return False
        verdict = judged(
            Imported(
                file=self.writing.file,
                network=lowered.network,
                graph=graph,
                kernels=kernels,
                made=made,
                states={} if made is None else made.states,
            )
        )
        return bool(verdict.unjudged) or verdict.equal


def quantized_graph(
    file: Path, calibrate: Path, quantized: Path
) -> tuple[IntegerGraph | None, Calibrated | None]:
    """Quantize a float file; return its graph, and what it is of; None where it is not read."""
    try:
        return calibrated_graph(file, calibrate, quantized)
    except HwgenError:
        if not quantized.is_file():
            raise
        return None, None


def plan_instead(
    refused: RefusedNetworkError, quantized: Path, file: Path, out: Path
) -> PlanReport:
    """Write the plan of a quantized file that is not read whole, for golden; return its report.

    refused: is raised where it cannot be cut, or no piece has products
    """
    wanted = Wanted(chip=Path(GOLDEN), strict=False, differ=False, least=None)
    try:
        with optional_packages():
            plan = cut_plan(
                Context(console=None),
                cut_file_of(quantized),
                file,
                wanted,
                target_of(wanted.chip)[0],
            )
    except HwgenError:
        raise refused from None
    if not plan.graph.chip_products:
        raise refused
    save_plan(plan, out)
    return import_report(plan, out, file, [])
