"""Cache builds: build something slow once, in a folder named after the digest of its inputs.

A build ends with a file `complete`, which holds the digests of its products. A build without it was
interrupted, one with other digests is damaged: both are rebuilt.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import OutputError, SimulationError

ENVIRONMENT = "HWGEN_BUILD_ROOT"
"""Environment variable with the folder of all builds; overrides the choice of a caller."""

COMPLETE = "complete"

Say = Callable[[str], None]
"""Receives progress messages of slow steps."""


def silent(_: str) -> None:
    """Discard a message."""


@dataclass(frozen=True)
class Build:
    """A folder with a finished build.

    mark: content of its file `complete`; unique to each build in the same folder
    """

    folder: Path
    mark: str


def build_root(chosen: Path | None = None) -> Path:
    """Return the folder of all builds: HWGEN_BUILD_ROOT, else `chosen`, else the user's cache.

    The user's cache is hwgen/chip/sim in XDG_CACHE_HOME or in ~/.cache.
    Raises OutputError for a path with spaces: make cannot build there.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        chosen = Path(named)
    root = user_cache() / "sim" if chosen is None else chosen.absolute()
    if any(character.isspace() for character in str(root)):
        raise OutputError(
            f"the folder for builds must have no space in its path, got {str(root)!r}:"
            f" choose another with {ENVIRONMENT}"
        )
    return root


def user_cache() -> Path:
    """Return the user's cache folder of this program."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "hwgen"
    try:
        return Path.home() / ".cache" / "hwgen"
    except RuntimeError:
        raise OutputError(
            f"a folder for builds must be known, got no home folder: set {ENVIRONMENT}"
        ) from None


def build_once(
    name: str,
    facts: object,
    make: Callable[[Path], None],
    *,
    products: Sequence[str],
    builds: Path | None = None,
    waiting: Callable[[], None] = lambda: None,
    distrusted: Build | None = None,
) -> Build:
    """Return the build of `make` for these `facts`, cached or made now.

    Of several processes, one builds and the others wait.

    facts: everything that the result depends on, as JSON can write it
    make: fills the empty folder that it is given
    products: files that `make` leaves, relative to the folder; if one is missing or changed,
        everything is rebuilt
    builds: folder of all builds, see `build_root`
    waiting: called before this process waits for another one with the same build
    distrusted: a build to replace although its files are intact
    Raises OutputError when the folder cannot be written.
    """
    root = build_root(builds)
    folder = root / folder_name(name, facts)
    with writable(root):
        root.mkdir(parents=True, exist_ok=True)
        with locked(Path(f"{folder}.lock"), waiting):
            found = whole_build(folder, products)
            if found is None or found == distrusted:
                remove(folder)
                folder.mkdir()
                make(folder)
                found = finish(folder, products)
    return found


def folder_name(name: str, facts: object) -> str:
    """Return the name of the folder of a build, which follows from all that it depends on."""
    return f"{name}-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]}"


def is_built(
    name: str, facts: object, *, products: Sequence[str], builds: Path | None = None
) -> bool:
    """Return whether `build_once` would find a build, for the same arguments."""
    return whole_build(build_root(builds) / folder_name(name, facts), products) is not None


def whole_build(folder: Path, products: Sequence[str]) -> Build | None:
    """Return the build in a folder, or None if it is unfinished or damaged."""
    try:
        mark = (folder / COMPLETE).read_text(encoding="utf-8")
        expected = json.loads(mark)["products"]
        return Build(folder, mark) if expected == digests(folder, products) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def finish(folder: Path, products: Sequence[str]) -> Build:
    """Mark a folder as a finished build."""
    try:
        found = digests(folder, products)
    except FileNotFoundError as error:
        raise SimulationError(f"the build must leave {error.filename}, got no such file") from None
    mark = json.dumps({"built_ns": time.time_ns(), "products": found})
    # A rename is all or nothing; half a mark would only cost another build.
    unfinished = folder / f"{COMPLETE}.new"
    unfinished.write_text(mark, encoding="utf-8")
    unfinished.rename(folder / COMPLETE)
    return Build(folder, mark)


def digests(folder: Path, products: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of each product."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in products}


def remove(folder: Path) -> None:
    """Remove a folder; compilers that outlived their build may still be writing into it."""
    if folder.exists():
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix="old-"))
        folder.rename(aside / folder.name)
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a file lock, which the system releases when the process ends; the file stays."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def writable(root: Path) -> Iterator[None]:
    """Turn errors of a full or read-only disk into an OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the folder for builds must be writable and have space, got {error.strerror}:"
            f" choose another with {ENVIRONMENT} ({root})"
        ) from None


def write_sources(folder: Path, sources: Mapping[str, str]) -> list[Path]:
    """Write each text under its name; return the files that a simulator reads as sources."""
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in sources if Path(name).suffix in (".v", ".sv", ".vlt")]


def tail(log: Path, lines: int = 40) -> str:
    """Return the last lines of a log, which hold the reason of a failure."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
