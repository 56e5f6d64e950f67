"""Check before a command starts that no output replaces an input, a link or a device."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hwgen.commands.request import CACHE, INPUT, OUTPUT_FILE, OUTPUT_FOLDER, REPORT, Use
from hwgen.errors import OutputError
from hwgen.files.given import check_given
from hwgen.files.output import check_folder, check_outputs, check_writable

WORK = Path("build")
"""Folder of cached results unless --work names another."""


STDOUT = Path("-")
"""Of --json: standard output."""


REPORT_FORMAT = b'"format": "hwgen.report.'
"""Stands in every report."""


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
