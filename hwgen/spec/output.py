"""Write a file whole or not at all, and never over something that is no file of the person's."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hwgen.errors import OutputError


@contextmanager
def whole_file(path: Path, *, what: str) -> Iterator[Path]:
    """Give a sibling to write to; it takes the place of `path` when the body succeeds.

    what: names the content in the sentence of an error, without an article
    Errors: OutputError if `path` is a link, a folder or a device, or cannot be written
    """
    check_file(path, what=what)
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
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


def check_file(path: Path, *, what: str) -> None:
    """Refuse a path that is there already and is no file: a link, a folder, a device."""
    given = kind_of(path)
    if given not in ("nothing", "a file"):
        raise OutputError(f"the {what} must be a new file or replace a file, got {given} ({path})")


def kind_of(path: Path) -> str:
    """Return what lies at a path; a link is not followed, an unreachable place holds nothing."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return "nothing"
    if stat.S_ISREG(mode):
        return "a file"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
