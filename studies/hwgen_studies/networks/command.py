"""The commands that run complete networks and tabulate what was measured."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen.files.output import write_text
from hwgen_studies.networks.report import ResultsReport
from hwgen_studies.networks.request import CaseRequest, ResultsRequest
from hwgen_studies.networks.table import results_page, results_table


@dataclass(frozen=True)
class Results(
    ResultsRequest,
    command="results",
    example="network.npz chip.yaml --runs build/results --out results.md",
):
    """Run complete networks and tabulate what was measured, a row for each run.

    Each network runs with each choice of switches and each batch, in a process that leaves a record
    in --runs. A record of the same network, chip, images and code is cached, so the same command
    resumes. The table shows all records of the folder: a run that fails or differs is a row, too.
    `training.json` beside a network file says how it was trained.
    """

    def run(self) -> ResultsReport:
        """Run every case that has no row yet; return all rows of the folder."""
        from hwgen_studies.networks.run import run_results

        report = run_results(self)
        if self.out is not None:
            write_text(Path(self.out), results_page(report), what="page")
        return report

    def table(self, report: ResultsReport) -> RenderableType:
        """Return a row for each run."""
        return results_table(report)

    def agrees(self, report: ResultsReport) -> bool:
        """Return whether no run fails or differs."""
        return report.sound


@dataclass(frozen=True)
class Result(CaseRequest, command="result", example=""):
    """Run one case and write its row; hwgen results calls it."""

    def run(self) -> None:
        """Run the case."""
        from hwgen_studies.networks.case import run_case

        run_case(self)

    def table(self, report: None) -> None:
        """Tell nothing."""


add_command(Results)
add_command(Result, hidden=True)
