"""Check before a command starts that no output replaces what it must not replace.

Tests: `tests/commands/test_fit.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import OutputError
from hwgen.files.earlier import Earlier
from hwgen.files.folder import CACHES
from hwgen.files.given import check_given
from hwgen.files.output import check_folder, check_outputs, check_writable

WORK = Path(CACHES)
"""Folder of cached results unless --work names another."""


STDOUT = Path("-")
"""Of --json: standard output."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """What a command reads and writes; outputs by the option that names them.

    inputs: files and folders, also those that no option names, such as a default table
    files: with the kind of file that each may replace; caches: folders of cached results
    """

    inputs: Sequence[Path]
    files: Mapping[str, tuple[Path, Earlier]]
    folders: Mapping[str, Path]
    caches: Mapping[str, Path]

    def check(self) -> None:
        """Refuse outputs that would replace an input, each other, a link, a device or another file.

        Errors: OutputError, FormatError, one sentence that names the option or the input
        """
        for path in self.inputs:
            check_input(path)
        for option, path in self.caches.items():
            if path != WORK:
                check_folder(path, option)
                check_writable(path, option)
        check_outputs(
            inputs=self.inputs,
            files={option: path for option, (path, _) in self.files.items()},
            folders=self.folders,
        )
        for option, (path, earlier) in self.files.items():
            if path == STDOUT:
                raise OutputError(f"{option} must be a file, got {path}, which --json alone takes")
            earlier.check(path, option)


def check_input(path: Path) -> None:
    """Refuse a device, a pipe or a socket, from which a command would read forever.

    What is absent, unreachable or a folder is judged by the reader, which knows what it wants.
    """
    try:
        if not path.is_dir():
            check_given(path, what=str(path), allowed="a file")
    except (OSError, ValueError):
        return
