"""An output folder is replaced whole or not at all, and only if it is new, empty or an earlier one.

Who writes a folder says which of the files that lie in it are his.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from hwgen.errors import OutputError

Owned = Callable[[Path], set[str]]
"""Returns the names in a folder that belong to an earlier output; nothing if it is none."""


def replace_folder(folder: Path, owned: Owned, fill: Callable[[Path], None]) -> None:
    """Replace `folder` by one that `fill` writes, or leave it untouched."""
    folder = folder.resolve()
    refuse_foreign(folder, owned)
    fresh = folder.with_name(f".{folder.name}-{os.getpid()}-new")
    stale = folder.with_name(f".{folder.name}-{os.getpid()}-old")
    try:
        fresh.mkdir(parents=True)
        fill(fresh)
        if folder.exists():
            folder.rename(stale)
        fresh.rename(folder)
    except OSError as error:
        if stale.exists():
            stale.rename(folder)
        raise OutputError(
            f"the output folder must be writable, got {error.strerror} ({folder})"
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)


def refuse_foreign(folder: Path, owned: Owned) -> None:
    """Refuse a folder that holds anything but an earlier output."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"the output folder must be a folder, got a file ({folder})")
    foreign = sorted({path.name for path in folder.iterdir()} - owned(folder))
    if foreign:
        raise OutputError(
            f"the output folder must be new, empty or an earlier output, got {foreign[0]} in it"
            f" ({folder})"
        )
