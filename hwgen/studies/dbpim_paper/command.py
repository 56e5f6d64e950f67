"""`hwgen paper dbpim`."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen.cli.paper import papers
from hwgen.commands.fields import File, Workers
from hwgen.commands.paper import InputCount, Page, Paper, PaperArch, PaperImages
from hwgen.commands.request import Says
from hwgen.files.output import write_text


@dataclass(frozen=True)
class DbpimPaper(Paper, command="paper dbpim", example="--networks FOLDER --html race.html"):
    """DB-PIM: speed, energy and utilization of six networks, each with each choice of switches."""

    architecture: PaperArch = None
    _: KW_ONLY
    networks: Annotated[
        File | None,
        Says("network files by the names of the paper's [default: random ones]", metavar="FOLDER"),
    ] = None
    workers: Workers = 2
    data: PaperImages = None
    images: InputCount = None
    html: Page = None

    def measured(self) -> Any:
        """Run the race, and write the page."""
        from hwgen.studies.dbpim_paper.page import race_html
        from hwgen.studies.dbpim_paper.race import race

        report = race(self)
        if self.html is not None:
            write_text(Path(self.html), race_html(report), what="page")
        return report

    def files(self, report: Any) -> Mapping[str, str]:
        """Return the page in Markdown and HTML, pictures and JSON."""
        from hwgen.studies.dbpim_paper.page import race_html
        from hwgen.studies.dbpim_paper.table import NAME, race_files

        return race_files(report) | {f"{NAME}.html": race_html(report)}

    def table(self, report: Any) -> RenderableType:
        """Return the rows."""
        from hwgen.studies.dbpim_paper.table import race_table

        return race_table(report)


add_command(DbpimPaper, papers)
