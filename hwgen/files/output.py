"""Write files: whole or not at all, and never over anything but a regular file.

`check_outputs` runs before a command computes anything; `whole_file` checks again when it writes.
"""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import combinations
from pathlib import Path

from hwgen.errors import OutputError

LONGEST_NAME = 255
"""Bytes of a name of a file; Linux has no longer ones."""

NOTHING, FILE, FOLDER = "nothing", "a file", "a folder"
"""Kinds of paths that may be written to."""


@contextmanager
def whole_file(path: Path, *, what: str) -> Iterator[Path]:
    """Yield a temporary sibling to write to; it replaces `path` when the body succeeds.

    what: names the content in error messages, without an article
    Errors: OutputError if `path` is a link, a folder or a device, or cannot be written
    """
    if (given := kind_of(path)) not in (NOTHING, FILE):
        raise OutputError(f"the {what} must be writable at {path}, got {given}")
    fresh = beside(path, "file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield fresh
        fresh.replace(path)
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise OutputError(f"the {what} must be writable at {path}, got {reason}") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def beside(path: Path, use: str) -> Path:
    """Return the name of a temporary sibling; it is short, however long the name of `path` is."""
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    return path.with_name(f".hwgen-{use}-{digest}-{os.getpid()}")


def write_text(path: Path, text: str, *, what: str) -> None:
    """Write a text file, whole or not at all; `what` names it in the error."""
    with whole_file(path, what=what) as fresh:
        fresh.write_text(text, encoding="utf-8")


def check_outputs(
    *, inputs: Sequence[Path], files: Mapping[str, Path], folders: Mapping[str, Path]
) -> None:
    """Refuse outputs that would replace an input, each other, a link or a device.

    inputs: files and folders that are read; those that do not exist count by their name
    files, folders: outputs by the option that names them; new, or earlier outputs

    An input must not lie in an output folder, and no file of an input folder is replaced. An output
    must be writable: its folder, or the first one above that exists, takes new files.
    Errors: OutputError, one sentence that names the option
    """
    for option, path in files.items():
        if (given := kind_of(path)) not in (NOTHING, FILE):
            allowed = "a new file or replace a file"
            raise OutputError(f"{option} must be {allowed}, got {given} ({path})")
        for source in inputs:
            if same(path, source) or (kind_of(path) == FILE and lies_in(path, source)):
                raise OutputError(f"{option} must not replace an input, got {path} for {source}")
    for option, path in folders.items():
        check_folder(path, option)
        for source in inputs:
            if lies_in(source, path):
                raise OutputError(f"{option} must hold no input, got {path} for {source}")
    check_apart(files, folders)
    for option, path in {**files, **folders}.items():
        check_writable(path, option)


def check_apart(files: Mapping[str, Path], folders: Mapping[str, Path]) -> None:
    """Refuse an output that is another output or lies in it."""
    for (option, path), (other, second) in combinations([*files.items(), *folders.items()], 2):
        if same(path, second) or lies_in(path, second):
            raise OutputError(
                f"{option} must lie elsewhere than {other}, got {path} for {option} and {second}"
                f" for {other}"
            )


def check_writable(path: Path, what: str) -> None:
    """Refuse a path where nothing can be written, before anything is computed.

    Errors: OutputError, one sentence that begins with `what`
    """
    try:
        if path.exists() and path.is_dir():
            probe = path
        else:
            probe = next(folder for folder in path.absolute().parents if folder.exists())
        with tempfile.TemporaryFile(dir=probe):
            pass
        long = next((part for part in path.parts if len(os.fsencode(part)) > LONGEST_NAME), None)
        if long is not None:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise OutputError(f"{what} must be writable at {path}, got {reason}") from None


def check_folder(path: Path, what: str) -> None:
    """Refuse a path that exists and is not a folder."""
    if (given := kind_of(path)) not in (NOTHING, FOLDER):
        raise OutputError(f"{what} must be a folder, got {given} ({path})")


def kind_of(path: Path) -> str:
    """Return the kind of a path; links are not followed, an unreachable path is `nothing`."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return NOTHING
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return FOLDER if stat.S_ISDIR(mode) else "a device, a pipe or a socket"


def same(one: Path, other: Path) -> bool:
    """Return whether two paths are one file, also through hard and symbolic links."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return place_of(one) == place_of(other)


def lies_in(path: Path, folder: Path) -> bool:
    """Return whether a path is `folder` or lies in it, at any depth."""
    return place_of(path).is_relative_to(place_of(folder))


def place_of(path: Path) -> Path:
    """Return a path without links and dots."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links
        return path.absolute()
