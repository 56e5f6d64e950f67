"""Writes the Verilog folder: all or nothing; the manifest lists the files it may replace."""

import json
from collections.abc import Mapping
from pathlib import Path

from hwgen.chip.rtl.manifest import FORMAT, MANIFEST, as_bytes
from hwgen.files.folder import replace_folder


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Replace `folder` by one that holds exactly `files`, or leave it untouched."""

    def fill(fresh: Path) -> None:
        for name, content in files.items():
            (fresh / name).write_bytes(as_bytes(content))

    replace_folder(folder, files_of_earlier_output, fill)


def files_of_earlier_output(folder: Path) -> set[str]:
    """Return the names that a manifest in `folder` lists, and the manifest's; else none."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return set()
        return {*content["files"], MANIFEST}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
