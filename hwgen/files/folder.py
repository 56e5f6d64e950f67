"""Replace output folders or add files to them, all or nothing.

A folder is replaced only if it is new, empty or an earlier output: the writer names the files that
belong to an earlier output.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hwgen.errors import OutputError
from hwgen.files.earlier import refuse_others
from hwgen.files.output import FILE, NOTHING, beside, check_folder, kind_of, place_of

CACHES = "build"
"""In the current folder: where commands keep results unless they are told."""

Result = TypeVar("Result")

Owned = Callable[[Path], set[str]]
"""Returns the names in a folder that belong to an earlier output; nothing if it is none."""


def replace_folder(folder: Path, owned: Owned, fill: Callable[[Path], None]) -> None:
    """Replace `folder` by one that `fill` writes, or leave it untouched."""
    refuse_foreign(folder, owned)
    folder = folder.resolve()
    fresh = beside(folder, "new")
    stale = beside(folder, "old")
    try:
        fresh.mkdir(parents=True)
        fill(fresh)
        if folder == place_of(Path()):
            swap_content(folder, fresh, stale, owned(folder))
        else:
            if folder.exists():
                folder.rename(stale)
            fresh.rename(folder)
    except BaseException as error:
        if stale.exists() and not folder.exists():
            stale.rename(folder)
        if not isinstance(error, OSError):
            raise
        raise OutputError(
            f"the output folder must be writable, got {error.strerror} ({folder})"
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)


def swap_content(folder: Path, fresh: Path, stale: Path, names: set[str]) -> None:
    """Replace what is in the current folder, which stays: a person stands in it."""
    stale.mkdir()
    for path in sorted(folder.iterdir()):
        if path.name in names:
            path.rename(stale / path.name)
    for path in sorted(fresh.iterdir()):
        path.rename(folder / path.name)


def add_files(folder: Path, fill: Callable[[Path], Result]) -> Result:
    """Add the files that `fill` writes, all or none; return what it returns.

    Files of the same names are replaced where they are of an earlier output, others stay. A link, a
    folder or a device that has the name of a file is refused, and so is a file of somebody else.
    """
    check_folder(folder, "the output folder")
    folder = folder.resolve()
    fresh = beside(folder, "new")
    try:
        fresh.mkdir(parents=True)
        result = fill(fresh)
        names = sorted(path.name for path in fresh.iterdir())
        for name in names:
            if (given := kind_of(folder / name)) not in (NOTHING, FILE):
                raise OutputError(f"{name} must be a file, got {given} ({folder / name})")
        refuse_others(folder, names)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (fresh / name).replace(folder / name)
        return result
    except OSError as error:
        raise OutputError(
            f"the output folder must be writable, got {error.strerror} ({folder})"
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def refuse_foreign(folder: Path, owned: Owned) -> None:
    """Refuse a folder that holds anything but an earlier output, and a path that is no folder."""
    check_folder(folder, "the output folder")
    if not folder.exists():
        return
    caches = {CACHES} if place_of(folder) == place_of(Path()) else set()
    foreign = sorted({path.name for path in folder.iterdir()} - owned(folder) - caches)
    if foreign:
        raise OutputError(
            f"the output folder must be new, empty or an earlier output, got {foreign[0]} in it"
            f" ({folder})"
        )
