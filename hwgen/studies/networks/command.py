"""The commands that run complete networks and tabulate what was measured."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen.commands.fields import ArchFile, Batch, Count, CountOfRuns, Data, File, Network
from hwgen.commands.paper import Simulated
from hwgen.commands.request import CACHE, OUTPUT_FILE, Says, Working
from hwgen.files.earlier import REPORTS, RESULTS
from hwgen.files.output import write_text
from hwgen.studies.networks.report import ResultsReport
from hwgen.studies.networks.table import results_page, results_table


@dataclass(frozen=True)
class Results(
    Working,
    command="results",
    example="network.npz chip.yaml --runs build/results --out results.md",
):
    """Run complete networks and tabulate what was measured, a row for each run.

    Each network runs with each choice of switches and each batch, in a process that leaves a record
    in --runs. A record of the same network, chip, images and code is cached, so the same command
    resumes. The table shows all records of the folder: a run that fails or differs is a row, too.
    `training.json` beside a network file says how it was trained.
    """

    networks: Annotated[
        Sequence[File],
        Says(
            "quantized network files; without any: only tabulate",
            metavar="NETWORK",
            argument=True,
            typed=list[Path],
            read=tuple,
        ),
    ] = ()
    architecture: Annotated[
        File | None,
        Says("an architecture (.yaml), behind the networks", metavar="ARCH", argument=True),
    ] = None
    _: KW_ONLY
    runs: Annotated[File, Says("folder of the records", metavar="FOLDER", use=CACHE)]
    sparsity: Annotated[
        Sequence[str],
        Says(
            "as for hwgen run; repeatable [default: none and all]",
            metavar="SWITCHES",
            typed=list[str],
            read=tuple,
        ),
    ] = ("none", "all")
    batch: Annotated[
        Sequence[Count],
        Says(
            "images of one run; repeatable [default: 1]", metavar="N", typed=list[int], read=tuple
        ),
    ] = (1,)
    images: CountOfRuns = None
    data: Data = None
    engine: Simulated = "rtl"
    jobs: Annotated[Count, Says("runs at a time")] = 1
    out: Annotated[
        File | None,
        Says("page of Markdown to write", metavar="FILE", use=OUTPUT_FILE, replaces=RESULTS),
    ] = None

    def check(self) -> None:
        """Refuse networks without a chip, and a chip without networks."""
        if bool(self.networks) != (self.architecture is not None):
            what = "an architecture behind the networks" if self.networks else "behind networks"
            raise self.refusal("ARCH", what, "none")

    def run(self) -> ResultsReport:
        """Run every case that has no row yet; return all rows of the folder."""
        from hwgen.studies.networks.run import run_results

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
class Result(Working, command="result", example=""):
    """Run one case and write its row; hwgen results calls it."""

    network: Network
    architecture: ArchFile
    _: KW_ONLY
    sparsity: Annotated[str, Says("switches")]
    batch: Batch
    images: Annotated[Count, Says("of the case")]
    record: Annotated[
        File, Says("the row to write", metavar="FILE", use=OUTPUT_FILE, replaces=REPORTS)
    ]
    data: Data = None
    engine: Simulated = "rtl"

    def run(self) -> None:
        """Run the case."""
        from hwgen.studies.networks.case import run_case

        run_case(self)

    def table(self, report: None) -> None:
        """Tell nothing."""


add_command(Results)
add_command(Result, hidden=True)
