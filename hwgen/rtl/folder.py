"""An output folder is replaced whole or not at all, and only if this program wrote it."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from hwgen.errors import OutputError
from hwgen.rtl.manifest import FORMAT, MANIFEST


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Replace `folder` by one that holds exactly `files`, or leave it untouched."""
    folder = folder.resolve()
    refuse_foreign(folder)
    fresh = folder.with_name(f".{folder.name}-{os.getpid()}-new")
    stale = folder.with_name(f".{folder.name}-{os.getpid()}-old")
    try:
        fresh.mkdir(parents=True)
        for name, text in files.items():
            (fresh / name).write_text(text, encoding="utf-8")
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


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier output."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"the output folder must be a folder, got a file ({folder})")
    present = {path.name for path in folder.iterdir()}
    foreign = sorted(present - files_of_earlier_output(folder))
    if foreign:
        raise OutputError(
            f"the output folder must be new, empty or an earlier output, got {foreign[0]} in it"
            f" ({folder})"
        )


def files_of_earlier_output(folder: Path) -> set[str]:
    """Return the names that a manifest in `folder` lists, its own included; or nothing."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return set()
        return {*content["files"], MANIFEST}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
