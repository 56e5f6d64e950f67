"""A command of the command line from its request: a parameter for each field, in words of its mark.

`--work` stands for the context, and every command that gives a report has `--json`.

Tests: `tests/cli/test_exit_codes.py`.
"""

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from pydantic.fields import FieldInfo
from rich.console import Console
from typer import Argument, BadParameter, Exit, Option, Typer

from hwgen.cli.app import PlainCommand, app, finish
from hwgen.cli.settings import colours, hushed
from hwgen.commands.context import Context
from hwgen.commands.outputs import STDOUT, WORK
from hwgen.commands.request import (
    Says,
    hints_of,
    marks_of,
    option_of,
    parts_of,
    said_of,
    words_of,
)
from hwgen.files.earlier import REPORTS

CONTEXT, JSON = "context", "json"
OF_CONTEXT = Annotated[Path, Option("--work", metavar="FOLDER", help="folder of cached results")]
OF_JSON = Annotated[
    Path | None,
    Option(
        "--json",
        metavar="FILE",
        help="write the report as JSON as well; -: print it, and nothing else",
    ),
]
SHORT = {"out": ("--out", "-o")}


def add_command(
    request: Any, to: Typer = app, *, group: str | None = None, hidden: bool = False
) -> None:
    """Add the command of a request; group: the heading above it in the help of the program."""
    hints = hints_of(request)
    said = {name: found for name, hint in hints.items() if (found := said_of(hint))}
    parameters = [
        parameter_of(each.name, hints[each.name], said[each.name], default_of(each))
        for each in fields(request)
        if each.name in said
    ]
    if CONTEXT in hints:
        parameters.append(keyword("work", OF_CONTEXT, WORK))
    if get_type_hints(request.run)["return"] is not str:
        parameters.append(keyword(JSON, OF_JSON, None))

    def run(**typed: Any) -> None:
        given = {name: value_of(name, said[name], typed[name]) for name in said}
        if CONTEXT in hints:
            console = Console(stderr=True, markup=False, emoji=False, **colours())
            given[CONTEXT] = Context(work=typed["work"], console=console)
        made = request(**{name: value for name, value in given.items() if value is not ...})
        json = typed.get(JSON)
        if json not in (None, STDOUT):
            paths = made.paths()
            replace(paths, files={**paths.files, "--json": (json, REPORTS)}).check()
        with hushed():
            report = made.run()
        shown = made.table(report)
        if shown is not None:
            finish(made.written(report), shown, json)
        if not made.agrees(report):
            raise Exit(1)

    run.__doc__ = words_of(request)[0]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    to.command(
        request.command.split()[-1],
        epilog=f"Example: {request.example}",
        cls=PlainCommand,
        hidden=hidden,
        rich_help_panel=group,
    )(run)


def keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """Return a parameter that is given by its name."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def default_of(field: Any) -> Any:
    """Return the default of a field; MISSING without one."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def parameter_of(name: str, hint: Any, said: Says, default: Any) -> inspect.Parameter:
    """Return the parameter of a field as Typer reads it."""
    kind = said.typed or kind_of(hint)
    if said.untyped is not ...:
        default = said.untyped
    elif said.read is not None and default is not MISSING:
        default = None
    names = said.names or SHORT.get(name, ())
    if kind is bool and default is False and not names:
        names = (option_of(name),)
    told = said.help + (range_of(hint) if kind in (int, float) else "")
    words: dict[str, Any] = {"help": told, "metavar": said.metavar}
    if said.complete is not None:
        words["autocompletion"] = completion(said.complete)
    about = Argument(**words) if said.argument else Option(*names, **words)
    typed: Any = kind | None if default is None else kind
    given = inspect.Parameter.empty if default is MISSING else default
    return keyword(name, Annotated[typed, about], given)


def completion(complete: Callable[[], Any]) -> Callable[[str], list[str]]:
    """Return what a shell asks: the names that begin so."""

    def found(incomplete: str) -> list[str]:
        return [name for name in complete() if name.startswith(incomplete)]

    return found


def value_of(name: str, said: Says, typed: Any) -> Any:
    """Return the value of a field from what was typed; `...` for the field's own default."""
    if said.read is None:
        return typed
    if typed is None:
        return ...
    try:
        return said.read(typed)
    except ValueError as error:
        raise BadParameter(f"{option_of(name)} must be {error}") from None


def kind_of(hint: Any) -> Any:
    """Return the type that is typed for a field."""
    parts = list(parts_of(hint))
    return Path if os.PathLike in parts else parts[0]


def range_of(hint: Any) -> str:
    """Return the limits of a number, in words; the request itself holds them."""
    limits = {
        key: getattr(limit, key)
        for mark in all_marks(hint)
        if isinstance(mark, FieldInfo)
        for limit in mark.metadata
        for key in ("ge", "le")
        if hasattr(limit, key)
    }
    if "le" in limits:
        return f" [{limits['ge']} to {limits['le']}]"
    return f" [from {limits['ge']} on]" if limits else ""


def all_marks(hint: Any) -> Iterator[Any]:
    """Yield the marks of a type and of its members."""
    yield from marks_of(hint)
    for part in get_args(hint):
        yield from all_marks(part)
