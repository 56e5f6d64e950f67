"""Options of the modules of studies that write a page of results."""

from argparse import ArgumentParser
from pathlib import Path


def page_options(prog: str, about: str | None) -> ArgumentParser:
    """Return a parser with images, the work folder, and where page and report go.

    about: the docstring of the module; its first line is the description
    """
    parser = ArgumentParser(prog=prog, description=(about or "").partition("\n")[0])
    parser.add_argument("--data", help="as for hwgen run")
    parser.add_argument("--work", type=Path, default=Path("build"))
    parser.add_argument("--out", type=Path, required=True, help="page of Markdown")
    parser.add_argument("--json", type=Path, required=True, help="report")
    return parser
