"""Build something slow once, in a folder named after its content, and find it ever after."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock

from verif.toolchain import BUILD_ROOT


def build_once(name: str, facts: object, make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` has filled, now or in an earlier run, for the same `facts`.

    `facts` is everything that the result depends on, as JSON can write it. Of several processes
    one builds and the others wait; what was interrupted is built again.
    """
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
    folder = BUILD_ROOT / f"{name}-{digest}"
    complete = folder / "complete"
    BUILD_ROOT.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder


def write_sources(folder: Path, sources: Mapping[str, str]) -> list[Path]:
    """Write each text under its name; return the files that a simulator reads as sources."""
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in sources if Path(name).suffix in (".v", ".sv", ".vlt")]


def tail(log: Path, lines: int = 40) -> str:
    """Return the last lines of a log, where the reason stands."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
