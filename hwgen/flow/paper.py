"""`hwgen paper`: find the family that compares itself with a paper, write what it found."""

from collections.abc import Mapping
from pathlib import Path

from hwgen.errors import ConfigError
from hwgen.flow.capabilities import PAPERS
from hwgen.flow.families import offering
from hwgen.flow.pages import Paper
from hwgen.spec.folder import add_files


def paper_called(name: str) -> Paper:
    """Return the paper of a name."""
    known = {
        paper: page
        for family in offering(PAPERS)
        for paper, page in family.need(PAPERS).PAPERS.items()
    }
    if name not in known:
        raise ConfigError(
            field="PAPER", allowed=" or ".join(known), given=name, source="command line"
        )
    return known[name]


def write_paper(files: Mapping[str, str], folder: Path) -> None:
    """Add the files of a report to a folder, all or none."""

    def fill(fresh: Path) -> None:
        for name, text in files.items():
            (fresh / name).write_text(text, encoding="utf-8")

    add_files(folder, fill)
