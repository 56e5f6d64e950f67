"""`hwgen paper`: find the family that compares itself with a paper, write what it found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from hwgen.errors import ConfigError, with_near
from hwgen.flow.capabilities import PAPERS
from hwgen.flow.context import Context
from hwgen.flow.families import offering
from hwgen.flow.pages import Paper, PaperRequest, PaperWithPage
from hwgen.spec.folder import add_files
from hwgen.spec.output import write_text


def papers() -> dict[str, Paper]:
    """Return the papers of all families by name."""
    return {
        paper: page
        for family in offering(PAPERS)
        for paper, page in family.need(PAPERS).PAPERS.items()
    }


def paper_called(name: str) -> Paper:
    """Return the paper of a name."""
    known = papers()
    if name not in known:
        raise ConfigError(
            field="PAPER",
            allowed=" or ".join(known),
            given=with_near(name, known),
            source="command line",
        )
    return known[name]


def compare_paper(context: Context, paper: Paper, request: PaperRequest) -> Any:
    """Return the report of a paper, with its page of HTML written if the request has one.

    Raises ConfigError for a parameter that the paper does not take.
    """
    request.check(paper.OPTIONS)
    report = paper.compare(context, request)
    if request.html is not None:
        write_text(request.html, cast(PaperWithPage, paper).page(report), what="page")
    return report


def write_paper(files: Mapping[str, str], folder: Path) -> None:
    """Add the files of a report to a folder, all or none."""

    def fill(fresh: Path) -> None:
        for name, text in files.items():
            (fresh / name).write_text(text, encoding="utf-8")

    add_files(folder, fill)
