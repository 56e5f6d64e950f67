"""The program that all commands belong to, and how each of them ends."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console, RenderableType
from typer import Exit, Option
from typer.core import TyperGroup

from hwgen import __version__
from hwgen.cli.outputs import CheckedTyper
from hwgen.report.files import write_report

WORK = Path("build")
WIDTH = 120
EPILOG = (
    "Exit codes: 0 done, all equal; 1 something differs; 2 bad input or environment; 3 a fault of"
    " hwgen itself; 130 and 143 after an interrupt (SIGINT) and SIGTERM. An error is one sentence;"
    " with --debug, which every command takes, the traceback is printed before it. The examples of"
    " the commands use network.npz and chip.yaml for your files; configs/ holds some that ship."
)


class CommandError(Exception):
    """Carries an error past the parser of arguments, which would handle some errors itself."""


class Commands(TyperGroup):
    """All commands; what they raise reaches `hwgen.cli.main` as it is."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; the parser would end the program with 1 after these errors."""
        try:
            return super().invoke(ctx)
        except (EOFError, OSError) as error:
            raise CommandError from error


app = CheckedTyper(
    cls=Commands,
    help="Processing-in-memory accelerators: from an architecture and a network to Verilog.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(asked: bool) -> None:
    """Print the version and end, if it was asked for."""
    if asked:
        print(f"hwgen {__version__}")
        raise Exit


@app.callback()
def whole_program(
    *,
    version: Annotated[
        bool,
        Option("--version", callback=print_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    """Take the options that need no command."""


class Terminal(Console):
    """Standard output; a closed pipe raises an error instead of ending with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def finish(report: Any, shown: RenderableType, json: Path | None) -> None:
    """Print a report, and write it as JSON if `json` names a file."""
    # A file or a pipe has no width.
    console = Terminal(width=None if sys.stdout.isatty() else WIDTH)
    console.print(shown, highlight=False)
    if json is not None:
        write_report(report, json)
