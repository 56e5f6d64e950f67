"""Check before a command starts that no output replaces an input, a link or a device.

The annotation of each parameter that names a path says how the command uses it:

    out: Annotated[Path, Option(help="folder to write"), OUTPUT_FOLDER]

A `Path` without such a mark is an input; so is text with the mark INPUT, which may be a path or a
name. A parameter that stands for a file even where it is not given names that file:

    components: Annotated[Path | None, Option(help="..."), ReadByDefault(default_tables)] = None
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Any, get_args, get_type_hints

from typer import Typer
from typer.core import TyperCommand

from hwgen.errors import OutputError
from hwgen.files.given import check_given
from hwgen.files.output import check_folder, check_outputs, check_writable

WORK = Path("build")
"""Folder of cached results unless --work names another."""


STDOUT = Path("-")
"""Of --json: standard output."""


class Use(Enum):
    """How a command uses a path; a cache is neither an input nor an output."""

    INPUT = "input"
    OUTPUT_FILE = "output file"
    OUTPUT_FOLDER = "output folder"
    CACHE = "cache"
    REPORT = "report"


INPUT, OUTPUT_FILE, OUTPUT_FOLDER, CACHE, REPORT = Use

REPORT_FORMAT = b'"format": "hwgen.report.'
"""Stands in every report."""


@dataclass(frozen=True)
class ReadByDefault:
    """Mark of an input with default files; `files` returns what is read if none is given."""

    files: Callable[[], Iterable[Path]]


class PlainCommand(TyperCommand):
    """A command whose usage names its arguments without braces."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the options and arguments of the line of usage."""
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]


class CheckedTyper(Typer):
    """A Typer whose commands check their outputs before anything else."""

    def command(self, *given: Any, **options: Any) -> Callable[[Any], Any]:
        """Register a function as a command that checks its outputs first."""
        register = super().command(*given, **{"cls": PlainCommand, **options})

        def checked(function: Callable[..., Any]) -> Callable[..., Any]:
            uses, defaults = uses_of(function), defaults_of(function)

            @wraps(function)
            def run(**parameters: Any) -> Any:
                unnamed = [
                    file
                    for name, default in defaults.items()
                    if parameters[name] is None
                    for file in default.files()
                ]
                check_parameters(uses, parameters, unnamed=unnamed)
                return function(**parameters)

            return register(run)

        return checked


def uses_of(function: Callable[..., Any]) -> dict[str, Use]:
    """Return how a command uses each of its parameters that names a path."""
    uses = {}
    for name, hint in get_type_hints(function, include_extras=True).items():
        marks = [mark for mark in get_args(hint) if isinstance(mark, Use)]
        if marks:
            uses[name] = marks[0]
        elif is_path(hint):
            uses[name] = INPUT
    return uses


def defaults_of(function: Callable[..., Any]) -> dict[str, ReadByDefault]:
    """Return the mark of each parameter that has a default file."""
    return {
        name: mark
        for name, hint in get_type_hints(function, include_extras=True).items()
        for mark in get_args(hint)
        if isinstance(mark, ReadByDefault)
    }


def is_path(hint: Any) -> bool:
    """Whether a type is a path, or a union with one."""
    return hint is Path or any(is_path(part) for part in get_args(hint))


def check_parameters(
    uses: Mapping[str, Use], parameters: Mapping[str, Any], *, unnamed: Iterable[Path] = ()
) -> None:
    """Refuse outputs that would replace an input, each other, a link or a device.

    A parameter with several paths names inputs.

    unnamed: inputs that no parameter names, such as a default table
    """
    several = [name for name in uses if isinstance(parameters[name], list | tuple)]

    def places_of(*wanted: Use) -> dict[str, Path]:
        return {
            f"--{name.replace('_', '-')}": Path(parameters[name])
            for name, use in uses.items()
            if use in wanted
            and parameters[name] is not None
            and name not in several
            and (use, Path(parameters[name])) != (REPORT, STDOUT)
        }

    inputs = places_of(INPUT).values()
    listed = [path for name in several for path in parameters[name]]
    for path in (*inputs, *listed):
        check_input(path)
    for option, path in places_of(CACHE).items():
        if path != WORK:
            check_folder(path, option)
            check_writable(path, option)
    check_outputs(
        inputs=[*inputs, *listed, *unnamed],
        files=places_of(OUTPUT_FILE, REPORT),
        folders=places_of(OUTPUT_FOLDER),
    )
    for option, path in places_of(REPORT).items():
        check_report(path, option)


def check_report(path: Path, option: str) -> None:
    """Refuse a file that holds anything but an earlier report."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    if content.strip() and not (content.lstrip()[:1] == b"{" and REPORT_FORMAT in content):
        raise OutputError(
            f"{option} must be a new file or replace a report of hwgen, got another file ({path})"
        )


def check_input(path: Path) -> None:
    """Refuse a device, a pipe or a socket, from which a command would read forever.

    What is absent, unreachable or a folder is judged by the reader, which knows what it wants.
    """
    try:
        if not path.is_dir():
            check_given(path, what=str(path), allowed="a file")
    except (OSError, ValueError):
        return
