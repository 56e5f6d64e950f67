"""`hwgen paper dbpim`, `hwgen paper dbpim-figures` and `hwgen paper dbpim-zeros`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen.files.output import write_text
from hwgen_studies.dbpim_paper.request import FiguresRequest, RaceRequest, ZerosRequest
from hwgen_studies.papers import papers


@dataclass(frozen=True)
class DbpimPaper(RaceRequest, command="paper dbpim", example="--networks FOLDER --html race.html"):
    """DB-PIM: speed, energy and utilization of six networks, each with each choice of switches."""

    def measured(self) -> Any:
        """Run the race, and write the page."""
        from hwgen_studies.dbpim_paper.page import race_html
        from hwgen_studies.dbpim_paper.race import race

        report = race(self)
        if self.html is not None:
            write_text(Path(self.html), race_html(report), what="page")
        return report

    def files(self, report: Any) -> Mapping[str, str]:
        """Return the page in Markdown and HTML, pictures and JSON."""
        from hwgen_studies.dbpim_paper.page import race_html
        from hwgen_studies.dbpim_paper.table import NAME, race_files

        return race_files(report) | {f"{NAME}.html": race_html(report)}

    def table(self, report: Any) -> RenderableType:
        """Return the rows."""
        from hwgen_studies.dbpim_paper.table import race_table

        return race_table(report)


@dataclass(frozen=True)
class DbpimFigures(
    FiguresRequest,
    command="paper dbpim-figures",
    example="--training dbpim-accuracy.json",
):
    """DB-PIM: accuracy, speed and energy over sparsity, time by kind of layer, power."""

    def measured(self) -> Any:
        """Predict, and read the accuracies."""
        from hwgen_studies.dbpim_paper.figures import figures

        return figures(self)

    def files(self, report: Any) -> Mapping[str, str]:
        """Return the page in Markdown, pictures and JSON."""
        from hwgen_studies.dbpim_paper.figures_page import figures_files

        return figures_files(report)

    def table(self, report: Any) -> RenderableType:
        """Return the rows."""
        from hwgen_studies.comparison import rows_table

        return rows_table(report.rows)


@dataclass(frozen=True)
class DbpimZeros(ZerosRequest, command="paper dbpim-zeros", example="digits_resnet20 --images 8"):
    """DB-PIM: zero weights, zero digits and zero columns of inputs of trained networks (Fig. 3)."""

    def measured(self) -> Any:
        """Compute the maps, and count."""
        from hwgen_studies.dbpim_paper.zeros import zeros_report

        return zeros_report([Path(each) for each in self.networks], self.data, self.images)

    def files(self, report: Any) -> Mapping[str, str]:
        """Return the page in Markdown, the picture and JSON."""
        from hwgen_studies.dbpim_paper.zeros import zeros_files

        return zeros_files(report)

    def table(self, report: Any) -> RenderableType:
        """Return the rows."""
        from hwgen_studies.dbpim_paper.zeros import zeros_sheet

        return zeros_sheet(report.rows).rich()


add_command(DbpimPaper, papers)
add_command(DbpimFigures, papers)
add_command(DbpimZeros, papers)
