"""What a person sets for all commands: `hwgen.toml` in the folder of the call or above it.

Tests: `tests/cli/test_settings.py`.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.errors import ConfigError
from hwgen.files.given import read_given
from hwgen.files.load import EXACT, validate_spec
from hwgen.files.yaml_file import shortened

NAME = "hwgen.toml"
MOST_BYTES = 1 << 16
QUIET = "--quiet"
MOST_CORES = 1024
PARAMETERS: Mapping[str, str] = {"work": "work", "cores": "workers"}
"""The parameter of a command whose default a setting is."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Settings:
    """Defaults of all commands; an option of a command goes before them.

    work: folder of cached results, below the folder of the file [default: that of --work]
    cores: processes of commands that take --jobs [default: that of the command]
    colour: of what is printed; auto: on a terminal
    quiet: as if every command had --quiet
    """

    work: Annotated[str, Field(min_length=1)] | None = None
    cores: Annotated[int, Field(ge=1, le=MOST_CORES)] | None = None
    colour: Literal["auto", "always", "never"] = "auto"
    quiet: bool = False


NOW: ContextVar[Settings] = ContextVar("settings", default=Settings())  # noqa: B039 # frozen
"""Of the command that runs."""


@contextmanager
def settings_of(given: list[str]) -> Iterator[list[str]]:
    """Hold the settings of a command while the body runs it; yield its arguments without --quiet.

    Raises ConfigError for a file that is not right.
    """
    known = find(Path.cwd())
    if QUIET in given:
        known = replace(known, quiet=True)
    token = NOW.set(known)
    try:
        yield [each for each in given if each != QUIET]
    finally:
        NOW.reset(token)


def find(folder: Path) -> Settings:
    """Return the settings of the nearest file in a folder and those above it; else the defaults."""
    for each in (folder, *folder.parents):
        file = each / NAME
        if file.is_file():
            return read(file)
    return Settings()


def read(file: Path) -> Settings:
    """Return the settings of a file; a relative work folder lies beside it."""
    text = read_given(file, what=NAME, allowed="a file", most_bytes=MOST_BYTES, kind=ConfigError)
    try:
        content = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        given = shortened(" ".join(str(error).split()))
        raise ConfigError(field=NAME, allowed="TOML", given=given, source=str(file)) from None
    for key, value in content.items():
        if not isinstance(value, str | int | float | bool | list | dict):
            raise ConfigError(
                field=key, allowed="text, a number, true or false", given=value, source=str(file)
            )
    found = validate_spec(Settings, content, source=str(file))
    if found.work is None:
        return found
    return replace(found, work=os.fspath(file.parent / found.work))


def defaults_of(command: Any) -> dict[str, Any]:
    """Return the defaults that the settings give the parameters of a command and of its own ones.

    In the form of the parser: by the name of the parameter, and by that of a command.
    """
    inner = getattr(command, "commands", {})
    if inner:
        return {name: found for name, each in inner.items() if (found := defaults_of(each))}
    names = {each.name for each in command.params}
    given = {key: getattr(NOW.get(), key) for key in PARAMETERS}
    return {
        PARAMETERS[key]: value
        for key, value in given.items()
        if value is not None and PARAMETERS[key] in names
    }


def colours() -> dict[str, Any]:
    """Return the arguments of a console of rich by the settings."""
    known: dict[str, dict[str, Any]] = {
        "auto": {},
        "always": {"color_system": "standard"},
        "never": {"color_system": None},
    }
    return known[NOW.get().colour]


@contextmanager
def hushed() -> Iterator[None]:
    """Let the body print nothing on standard error if that is set; an error passes as it is."""
    if not NOW.get().quiet:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        yield
