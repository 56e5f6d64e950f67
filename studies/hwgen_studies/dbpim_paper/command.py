"""`hwgen paper dbpim`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType

from hwgen.cli.from_requests import add_command
from hwgen_studies.dbpim_paper.report import DbpimReport
from hwgen_studies.dbpim_paper.request import DbpimRequest
from hwgen_studies.numbers import Ours
from hwgen_studies.papers import papers


@dataclass(frozen=True)
class DbpimPaper(
    DbpimRequest, command="paper dbpim", example="--networks FOLDER --page dbpim.html"
):
    """DB-PIM: six networks with each choice of switches, what sparsity brings, zeros, power.

    The race takes up to an hour, the figures half of it, zeros seconds.
    """

    named = "dbpim"
    title = "DB-PIM"

    def measured(self) -> DbpimReport:
        """Make the parts that are asked for."""
        makers: dict[str, Callable[[], Any]] = {
            "race": self._race,
            "figures": self._figures,
            "zeros": self._zeros,
        }
        parts = {name: make() if name in self.parts else None for name, make in makers.items()}
        return DbpimReport(format="hwgen.report.paper_dbpim_parts", version=1, **parts)

    def _race(self) -> Any:
        from hwgen_studies.dbpim_paper.race import race

        return race(self)

    def _figures(self) -> Any:
        from hwgen_studies.dbpim_paper.figures import figures

        return figures(self)

    def _zeros(self) -> Any:
        from hwgen_studies.dbpim_paper.zeros import zeros_report

        return zeros_report([Path(each) for each in self.counted], self.data, self.images or 4)

    def beside(self, report: DbpimReport) -> Mapping[str, Ours]:
        """Return the rows of race and figures, and what the chip's file says."""
        from hwgen_studies.dbpim_paper.numbers import ours

        return ours(report)

    def more(self, report: DbpimReport) -> Mapping[str, Any]:
        """Return the pictures, and what the page of the race has."""
        from hwgen_studies.dbpim_paper.figures_page import pictures
        from hwgen_studies.dbpim_paper.page import TEMPLATE, race_parts
        from hwgen_studies.dbpim_paper.zeros import TITLE, zeros_picture

        drawn = list(pictures(report.figures).values()) if report.figures else []
        if report.zeros:
            drawn.append((TITLE, zeros_picture(report.zeros)))
        raced = {"template": TEMPLATE, **race_parts(report.race)} if report.race else {}
        return {"drawn": drawn, **raced}

    def files(self, report: DbpimReport) -> Mapping[str, str]:
        """Return the pages in Markdown, pictures and JSON of each part."""
        from hwgen_studies.dbpim_paper.figures_page import figures_files
        from hwgen_studies.dbpim_paper.table import race_files
        from hwgen_studies.dbpim_paper.zeros import zeros_files

        found: dict[str, str] = dict(race_files(report.race)) if report.race else {}
        found |= figures_files(report.figures) if report.figures else {}
        found |= zeros_files(report.zeros) if report.zeros else {}
        return found

    def table(self, report: DbpimReport) -> RenderableType:
        """Return the rows of each part."""
        from hwgen_studies.comparison import rows_table
        from hwgen_studies.dbpim_paper.table import race_table
        from hwgen_studies.dbpim_paper.zeros import zeros_sheet

        tables: list[RenderableType] = [race_table(report.race)] if report.race else []
        tables += [rows_table(report.figures.rows)] if report.figures else []
        tables += [zeros_sheet(report.zeros.rows).rich()] if report.zeros else []
        return Group(*tables)


add_command(DbpimPaper, papers)
