"""The report of `hwgen paper mlperf-tiny`: published networks against LiteRT and on a chip."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.agreement import AgreementReport
from hwgen.report.fit import FitReport
from hwgen.report.types import Count, Source
from hwgen_studies.networks.report import ResultRow

Weights = Literal["published", "fitted"]
DENSE, SPARSE = "none", "all"
"""Switches of a chip: none is on, and all are."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TinyRun:
    """A network on the chip.

    weights: of the file, or of at most two signed digits by a fit
    speedup: cycles of the dense run of the published weights over those of this one, by the model
    """

    weights: Weights
    row: ResultRow
    speedup: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TinyNetwork:
    """Everything that was measured of one file.

    largest_import_steps: largest effect of what the import does not hold exactly, before rounding
    inputs: in words; agreement: layer by layer on the first ones, LiteRT's reference kernels
    answers: the answers alone on all of them, its default kernels
    fit: on the inputs of `answers` if they have labels, else on those of `agreement`
    """

    name: str
    file: Source
    largest_import_steps: Annotated[float, Field(ge=0)]
    inputs: str
    agreement: AgreementReport
    answers: AgreementReport
    fit: FitReport
    runs: list[TinyRun]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MlperfTinyReport:
    """All networks; commit, machine: of the code, and the kind of machine that tabulated."""

    format: Literal["hwgen.report.paper_mlperf_tiny"]
    version: Literal[1]
    architecture: Source
    seed: Count
    networks: list[TinyNetwork]
    commit: str | None
    machine: str
    versions: dict[str, str]

    @property
    def sound(self) -> bool:
        """Whether no run differs from golden and the model, and no element from LiteRT."""
        outcomes = {run.row.outcome for network in self.networks for run in network.runs}
        compared = [each for net in self.networks for each in (net.agreement, net.answers)]
        return outcomes <= {"equal", "not simulated"} and all(
            each.exact and each.first is None for each in compared
        )


def with_speedups(runs: list[tuple[Weights, ResultRow]]) -> list[TinyRun]:
    """Return runs with their speed-ups; the first one is the dense one."""
    dense = runs[0][1].measured
    return [
        TinyRun(
            weights=weights,
            row=row,
            speedup=(
                None
                if dense is None or row.measured is None or row is runs[0][1]
                else dense.cycles_model / row.measured.cycles_model
            ),
        )
        for weights, row in runs
    ]


REPORTS: dict[str, type] = {"paper_mlperf_tiny": MlperfTinyReport}
"""By the name of the schema."""
