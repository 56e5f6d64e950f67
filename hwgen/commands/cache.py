"""`hwgen cache`: what commands keep to be faster next time, and how it goes away."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from rich.console import RenderableType

from hwgen.commands.context import Context
from hwgen.commands.fields import names
from hwgen.commands.request import Says, Working
from hwgen.errors import OutputError, with_near
from hwgen.report.sheet import Sheet
from hwgen.report.work import CachedKind, CacheReport

DIGEST = "[0-9a-f]{16}"
ALL = "all"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Kind:
    """One kind of result.

    folder: below the work folder; empty: the user's cache
    entry: of names of files and folders that hwgen has made; others are left alone
    costly: made by hours of work, so that `all` leaves it
    """

    what: str
    folder: str
    entry: str
    costly: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "compiled": Kind("functions of models and searches, compiled", "", f"numba-{DIGEST}"),
        "simulators": Kind("simulators of chips", "sim", r".+-[0-9a-f]{12}(\.lock)?"),
        "verilog": Kind("Verilog of chips", "verilog", f".+-{DIGEST}"),
        "programs": Kind("programs of networks", "programs", rf".+-{DIGEST}\.npz"),
        "imported": Kind("networks from TFLite and ONNX", "imported", rf".+-{DIGEST}\.npz"),
        "drawn": Kind("networks with drawn weights", "drawn", rf".+-{DIGEST}\.npz"),
        "maps": Kind("golden's maps", "maps", rf"{DIGEST}-{DIGEST}(-{DIGEST})?\.npz"),
        "points": Kind("points of sweeps and searches", "points", r"[0-9a-f]{64}\.json"),
        "search": Kind("turns of searches", "search", r"[0-9a-f]{64}\.json"),
        "trainings": Kind("trained networks", "train", f".+-{DIGEST}", costly=True),
    }
)
"""By the name that a person gives."""


@dataclass(frozen=True)
class Cache(Working, command="cache", example="--clear simulators,programs"):
    """List what is kept to be faster next time, and clear some of it.

    What is cleared is made again when a command needs it. Files that a command wrote where it was
    told are no caches and stay; trainings, which take hours, go only by their name.
    """

    _: KW_ONLY
    clear: Annotated[
        Sequence[str],
        Says(
            f"kinds to clear, separated by commas; {ALL}: every kind but trainings",
            metavar="KINDS",
            typed=list[str],
            read=names,
        ),
    ] = ()

    def check(self) -> None:
        """Refuse an unknown kind."""
        for name in self.clear:
            if name not in (*KINDS, ALL):
                allowed = f"of {', '.join(KINDS)} or {ALL}"
                raise self.refusal("clear", allowed, with_near(name, (*KINDS, ALL)))

    def run(self) -> CacheReport:
        """Clear, and count what was there."""
        kinds = []
        for name, kind in KINDS.items():
            entries = list(entries_of(self.quiet, kind))
            size = sum(map(bytes_of, entries))
            cleared = name in self.clear or (ALL in self.clear and not kind.costly)
            for entry in entries if cleared else ():
                remove(entry)
            kinds.append(
                CachedKind(
                    name=name,
                    what=kind.what,
                    folder=str(folder_of(self.quiet, kind)),
                    entries=len(entries),
                    bytes=size,
                    cleared=cleared,
                )
            )
        return CacheReport(format="hwgen.report.cache", version=1, kinds=kinds)

    def table(self, report: CacheReport) -> RenderableType:
        """Return a row for each kind."""
        columns = ("kind", "what", "folder", "entries", "MB", "")
        rows = (
            (
                kind.name,
                kind.what,
                kind.folder,
                f"{kind.entries:,}",
                f"{kind.bytes / MEGABYTE:,.1f}",
                "cleared" if kind.cleared and kind.entries else "",
            )
            for kind in report.kinds
        )
        return Sheet(columns, rows, left=3).rich()


def folder_of(context: Context, kind: Kind) -> Path:
    """Return the folder in which a kind lies."""
    from hwgen.chip.sim.cache import build_root, user_cache

    if not kind.folder:
        return user_cache()
    folder = context.work / kind.folder
    return build_root(folder) if kind.folder == "sim" else folder


def entries_of(context: Context, kind: Kind) -> Iterator[Path]:
    """Yield what hwgen has made in the folder of a kind."""
    folder = folder_of(context, kind)
    if folder.is_dir():
        yield from sorted(each for each in folder.iterdir() if re.fullmatch(kind.entry, each.name))


def bytes_of(entry: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; what goes meanwhile counts none."""
    files = entry.rglob("*") if entry.is_dir() and not entry.is_symlink() else (entry,)
    total = 0
    for file in files:
        try:
            total += file.lstat().st_size
        except OSError:
            continue
    return total


def remove(entry: Path) -> None:
    """Remove a file, or a folder with all in it."""
    try:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"the cache must be writable at {entry}, got {error.strerror}") from None
