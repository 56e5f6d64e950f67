"""`hwgen import --chip`: a file stays whole where a chip takes it and answers as it does, else cut.

Tests: `tests/commands/test_plans.py`.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from hwgen.commands.context import Context
from hwgen.commands.exchange import Calibrated, calibrated_graph, images_or_rows
from hwgen.commands.fields import File, path_of
from hwgen.commands.files import kind_of, read_graph
from hwgen.commands.judged import Imported, judged
from hwgen.commands.packages import optional_packages
from hwgen.commands.plans import (
    Wanted,
    check_wanted,
    cut_file_of,
    cut_plan,
    import_report,
    target_of,
    write_pieces,
)
from hwgen.errors import HwgenError, MissingToolError
from hwgen.importers.integer import IntegerGraph, Lowered
from hwgen.importers.integer.arithmetic import Kernels, kernels_of
from hwgen.plan.file import save_plan
from hwgen.plan.target import Target
from hwgen.report.imports import FloatDistance, ImportReport
from hwgen.report.plans import PlanReport


class Importing(Protocol):
    """A request to import a file, with what it does to a graph."""

    @property
    def file(self) -> File: ...
    @property
    def out(self) -> File: ...
    @property
    def calibrate(self) -> File | None: ...
    @property
    def qdq(self) -> File | None: ...
    @property
    def pieces(self) -> File | None: ...
    @property
    def strict(self) -> bool: ...
    @property
    def differ(self) -> bool: ...
    @property
    def least(self) -> float | None: ...

    def lowered(self, graph: IntegerGraph, kernels: Kernels) -> Lowered: ...
    def announced(self, graph: IntegerGraph, lowered: Lowered, kernels: Kernels) -> list[str]: ...
    def written_network(
        self, graph: IntegerGraph, made: Calibrated | None, kernels: Kernels
    ) -> ImportReport: ...


@dataclass(frozen=True)
class Cutting:
    """An import for a chip."""

    request: Importing
    chip: Path

    def run(self) -> ImportReport | PlanReport:
        """Write the network or the plan; return its report."""
        file, calibrate = Path(self.request.file), path_of(self.request.calibrate)
        target, _ = target_of(self.chip)
        request = self.request
        wanted = Wanted(
            chip=self.chip, strict=request.strict, differ=request.differ, least=request.least
        )
        check_wanted(wanted, target)
        images = None if calibrate is None else images_or_rows(file, calibrate)
        with tempfile.TemporaryDirectory() as folder, optional_packages():
            quantized = file
            if calibrate is not None:
                quantized = path_of(request.qdq) or Path(folder) / file.name
            whole = self.whole(file, quantized, calibrate, target)
            if isinstance(whole, ImportReport):
                return whole
            return self.cut(quantized, wanted, target, images, whole)

    def whole(
        self, file: Path, quantized: Path, calibrate: Path | None, target: Target
    ) -> ImportReport | list[FloatDistance]:
        """Return the report of a network that is taken whole, else how far a float file is."""
        own = kernels_of("default", kind_of(quantized if calibrate is None else file), source="")
        kernels: Kernels = own if target.is_exact else "half_up"
        graph, made = None, None
        if calibrate is not None:
            graph, made = quantized_graph(file, calibrate, quantized)
        try:
            graph = graph or read_graph(quantized)
            kernels = graph.kernels or kernels
            lowered = self.request.lowered(graph, kernels)
            if target.refused(lowered.network) is None and self.stays(
                graph, lowered, made, kernels
            ):
                return self.request.written_network(graph, made, kernels)
        except MissingToolError:
            raise
        except HwgenError:
            pass
        return [] if made is None else made.distances

    def stays(
        self, graph: IntegerGraph, lowered: Lowered, made: Calibrated | None, kernels: Kernels
    ) -> bool:
        """Return whether a network that a chip takes whole is not cut for what differs."""
        if self.request.differ or kernels == "half_up":
            return True
        if self.request.strict and self.request.announced(graph, lowered, kernels):
            return False
        verdict = judged(
            Imported(
                file=Path(self.request.file),
                network=lowered.network,
                graph=graph,
                kernels=kernels,
                made=made,
                states={} if made is None else made.states,
            )
        )
        return bool(verdict.unjudged) or verdict.equal

    def cut(
        self,
        quantized: Path,
        wanted: Wanted,
        target: Target,
        images: NDArray[Any] | None,
        distance: list[FloatDistance],
    ) -> PlanReport:
        """Write the plan of a quantized file; return its report."""
        file, out = Path(self.request.file), Path(self.request.out)
        plan = cut_plan(
            Context(console=None), cut_file_of(quantized), file, wanted, target, images=images
        )
        save_plan(plan, out)
        if self.request.pieces is not None:
            write_pieces(plan, Path(self.request.pieces))
        return import_report(plan, out, file, distance)


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
