"""`hwgen paper`: published figures beside ours; each study of a paper adds a command here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from rich.console import RenderableType
from typer import Exit, Option

from hwgen.cli.app import app, finish
from hwgen.cli.outputs import CACHE, INPUT, OUTPUT_FILE, CheckedTyper
from hwgen.files.folder import add_files

papers = CheckedTyper(
    help="Compare the tables and figures of a paper with ours, with reasons where they differ."
    " May take up to an hour; after an interrupt the same command resumes. Exit code 1 if a run"
    " differs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(papers, name="paper")

Networks = Annotated[
    str | None,
    Option(metavar="NAMES", help="some of the networks, separated by commas [default: all]"),
]
NetworksOrFolder = Annotated[
    str | None,
    Option(
        metavar="NAMES|FOLDER",
        help="some of the networks, separated by commas, or a folder with network files"
        " [default: all]",
    ),
    INPUT,
]
Folder = Annotated[
    Path | None,
    Option("--out", "-o", metavar="FOLDER", help="also write page, pictures and JSON there"),
    CACHE,
]
Page = Annotated[
    Path | None,
    Option(metavar="FILE", help="write one page with all tables and pictures"),
    OUTPUT_FILE,
]
PaperArch = Annotated[
    Path | None,
    Option(help="an architecture (.yaml) that runs the networks [default: the paper's]"),
]
Images = Annotated[
    str | None,
    Option("--data", metavar="FOLDER", help="images of the networks [default: random inputs]"),
    INPUT,
]
InputCount = Annotated[int | None, Option("--images", metavar="N", min=1, help="inputs of a run")]


def tell_paper(
    report: Any,
    shown: RenderableType,
    files: Callable[[], Mapping[str, str]],
    *,
    out: Path | None,
    json: Path | None,
) -> None:
    """Print a report, and write its files; exit code 1 where it says that something differs.

    files: makes page, pictures and JSON by name; all or none of them stand in `out` afterwards
    """
    if out is not None:

        def fill(fresh: Path) -> None:
            for name, text in files().items():
                (fresh / name).write_text(text, encoding="utf-8")

        add_files(out, fill)
    finish(report, shown, json)
    if not getattr(report, "sound", True):
        raise Exit(1)


def names_of(text: str | None) -> tuple[str, ...] | None:
    """Return the names that an option separates by commas, each once."""
    return None if text is None else tuple(dict.fromkeys(filter(None, text.split(","))))
