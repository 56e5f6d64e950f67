"""The program that all commands belong to, and how each of them ends."""

import errno
import os
import re
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console, RenderableType
from rich.text import Text
from typer import BadParameter, Exit, Option, Typer
from typer.core import TyperCommand, TyperGroup

from hwgen import __version__
from hwgen.cli.settings import colours, defaults_of
from hwgen.commands.outputs import STDOUT
from hwgen.errors import plain_line, with_near
from hwgen.report.files import report_text, write_report

WIDTH = 1 << 16
"""Columns of what is no terminal: a file or a pipe cuts no cell and breaks no line."""
LONGEST_CELL = 2000
"""Characters of a cell of a table; names come from files and have any length."""
OTHERS = "Further commands"
"""The group of a command that names none."""
EPILOG = (
    "Exit codes: 0 done, all equal; 1 something differs; 2 bad input or environment; 3 a fault of"
    " hwgen itself; 130 and 143 after an interrupt (SIGINT) and SIGTERM. An error is one sentence;"
    " with --debug, which every command takes, the traceback is printed before it; with --quiet,"
    " which every command takes, too, no progress is printed. hwgen.toml in the current folder or"
    " above it may set work, cores, colour and quiet. The examples of the commands use network.npz"
    " and chip.yaml for your files; configs/ holds some that ship."
)


UsageError: Any = BadParameter.__base__
"""Base of all errors in the arguments."""
NoArgsIsHelpError: Any = getattr(sys.modules[UsageError.__module__], "NoArgsIsHelpError")  # noqa: B009
"""The help of a command that was called without anything."""


CHOICE = re.compile(r"(?:Value error, )?'(?P<given>[^']*)' is not one of (?P<known>'[^.]*')\.$")
"""What the parser says of a value that is none of several."""


class CommandError(Exception):
    """Carries an error past the parser of arguments, which would handle some errors itself."""


class Commands(TyperGroup):
    """All commands; what they raise reaches `hwgen.cli.main` as it is."""

    def make_context(self, *given: Any, **options: Any) -> Any:
        """Parse the arguments by the defaults of a person; an error is of bounded length."""
        options.setdefault("default_map", defaults_of(self))
        with bounded_usage():
            return super().make_context(*given, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; the parser would end the program with 1 after these errors."""
        try:
            with bounded_usage():
                return super().invoke(ctx)
        except (EOFError, OSError) as error:
            raise CommandError from error

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands in groups, each with the first sentence of its help, whole."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if not command.hidden:
                told = " ".join((command.help or "").split())
                group = getattr(command, "rich_help_panel", None) or OTHERS
                groups.setdefault(group, []).append((name, told.split(". ")[0].rstrip(".") + "."))
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)


class PlainCommand(TyperCommand):
    """A command whose usage names its arguments without braces."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the options and arguments of the line of usage."""
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]


def with_near_choice(found: re.Match[str]) -> str:
    """Return the complaint about a choice in words of its own, with the near choice."""
    told = with_near(found["given"], re.findall("'([^']*)'", found["known"]))
    return f"must be one of {found['known']}, got {told}"


@contextmanager
def bounded_usage() -> Iterator[None]:
    """Bound the message of an error in the arguments: they may be long or hold any character.

    The parser adds the name of the option to it. A help that was not asked for is no error.
    """
    try:
        yield
    except UsageError as error:
        if not isinstance(error, NoArgsIsHelpError):
            error.message = plain_line(CHOICE.sub(with_near_choice, error.message))
        raise error.with_traceback(None) from None


app = Typer(
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


def print_schema(name: str | None) -> None:
    """Print a schema and end, if one was asked for."""
    if name is not None:
        from hwgen.commands.schemas import schema

        sys.stdout.write(schema(name))
        raise Exit


@app.callback()
def whole_program(
    *,
    version: Annotated[
        bool,
        Option("--version", callback=print_version, is_eager=True, help="print the version"),
    ] = False,
    schema: Annotated[
        str | None,
        Option(
            "--schema",
            metavar="NAME",
            callback=print_schema,
            is_eager=True,
            help="print the JSON Schema of a command's report, of `network` or `replacement`",
        ),
    ] = None,
) -> None:
    """Take the options that need no command."""


class Terminal(Console):
    """Standard output; text is data: no markup, no emoji, no control characters.

    A closed pipe raises an error instead of ending with exit code 1.
    """

    def __init__(self) -> None:
        super().__init__(
            width=None if sys.stdout.isatty() else WIDTH,
            markup=False,
            emoji=False,
            highlight=False,
            **colours(),
        )

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a cell; what a file calls something may have any length and any character."""
        lines = text.split("\n")
        safe = "\n".join(plain_line(line, longest=LONGEST_CELL) for line in lines)
        return super().render_str(safe, **options)


def close_stdout() -> None:
    """Redirect stdout to nowhere: its reader is gone, and Python flushes it again at the end."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def has_no_reader() -> bool:
    """Return whether stdout is a pipe that nobody reads any more, as behind `head -1`."""
    poll = select.poll()
    try:
        poll.register(sys.stdout, 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):
        return False


def finish(report: Any, shown: RenderableType, json: Path | None) -> None:
    """Print a report, and write it as JSON if `json` names a file; `-`: print the JSON instead.

    A reader who has seen enough (`| head -1`) is no error.
    """
    try:
        if json == STDOUT:
            sys.stdout.write(report_text(report))
        else:
            Terminal().print(shown, crop=False)
        sys.stdout.flush()
    except BrokenPipeError:
        close_stdout()
    if json is not None and json != STDOUT:
        write_report(report, json)
