"""`hwgen paper cadnn`."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.console import RenderableType

from hwgen.cli.from_requests import add_command
from hwgen.commands.fields import File, path_of
from hwgen.commands.prices import EnergyFile
from hwgen.commands.request import Says
from hwgen_studies.numbers import Ours
from hwgen_studies.papers import papers
from hwgen_studies.request import DocumentPaper

TRAININGS = (Path(__file__).parents[2] / "results" / "mram-training.json",)
"""In a clone."""


@dataclass(frozen=True)
class CadnnPaper(DocumentPaper, command="paper cadnn", example="--page cadnn.html"):
    """CA-DNN: tables I to IV and the figures of section V; takes seconds."""

    named = "cadnn"
    title = "CA-DNN"

    _: KW_ONLY
    energy: EnergyFile = None
    training: Annotated[
        Sequence[File],
        Says(
            "table of trainings (.json) with accuracies [default: that of a clone, if it is one]",
            metavar="FILE",
            typed=list[Path],
            read=tuple,
        ),
    ] = ()

    def measured(self) -> Any:
        """Return the rows of the tables."""
        from hwgen_studies.cadnn_paper.rows import adaptive_paper

        return adaptive_paper(
            self.quiet,
            energy=path_of(self.energy),
            training=tuple(map(Path, self.training or filter(Path.is_file, TRAININGS))),
        )

    def beside(self, report: Any) -> Mapping[str, Ours]:
        """Return rows of the report, and what the chip's file says."""
        from hwgen_studies.cadnn_paper.numbers import ours

        return ours(report)

    def more(self, report: Any) -> Mapping[str, Any]:
        """Return the pictures."""
        from hwgen_studies.cadnn_paper.page import PLOTS
        from hwgen_studies.cadnn_paper.plots import pictures

        return {"drawn": [(PLOTS[name], svg) for name, svg in pictures(report).items()]}

    def files(self, report: Any) -> Mapping[str, str]:
        """Return the page and what belongs to it."""
        from hwgen_studies.cadnn_paper.page import paper_files

        return paper_files(report)

    def table(self, report: Any) -> RenderableType:
        """Return the tables."""
        from hwgen_studies.cadnn_paper.table import paper_table

        return paper_table(report)


add_command(CadnnPaper, papers)
