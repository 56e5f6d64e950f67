"""The program that all commands belong to, and how each of them ends."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from hwgen.cli.outputs import CheckedTyper
from hwgen.report.files import write_report

WORK = Path("build")
WIDTH = 120
EPILOG = "Every command takes --debug, which shows the traceback of an error."

app = CheckedTyper(
    help="Processing-in-memory accelerators: from an architecture and a network to Verilog.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def finish(report: Any, shown: RenderableType, json: Path | None) -> None:
    """Print a report, and write it where the person wants it."""
    # What goes into a file or a pipe has no width of its own.
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(shown, highlight=False)
    if json is not None:
        write_report(report, json)
