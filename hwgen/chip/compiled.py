"""Machine code of the model's functions, cached on disk under the digest of their sources."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import types
from numba.core.registry import CPUDispatcher

from hwgen.chip.checked_cache import check_digests

Function = TypeVar("Function", bound=Callable[..., object])

PACKAGE = Path(__file__).parents[1]

ROOMS = ("chip", "network", "*/facts", "*/model", "*/synthesis", "studies/*/published_search")
"""Folders whose constants and functions compiled functions use."""

njit: Any = numba.njit
plain: Any = types.unliteral
"""Their types know less than they take."""


def cache_folder() -> Path:
    """Return a writable folder that belongs to exactly these sources at this path.

    Numba looks at one file when it decides whether a function is up to date; constants and
    functions of other files would be missed, so the folder's name covers them all. It recompiles
    for a copy of the sources in another folder, so the name covers that path, too.
    """
    sha = hashlib.sha256(f"{numba.__version__} {PACKAGE}".encode())
    for room in ROOMS:
        for file in sorted(PACKAGE.glob(f"{room}/**/*.py")):
            sha.update(file.read_bytes())
    name = f"numba-{sha.hexdigest()[:16]}"
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "hwgen" / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):  # read-only, full, or no home folder
        folder = Path(tempfile.gettempdir()) / f"hwgen-{os.getuid()}" / name
        folder.mkdir(parents=True, exist_ok=True)
    return folder


numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]
if "NUMBA_OPT" not in os.environ:
    # A fifth less to wait for than with 3; models and searches run as fast (1 % of a search).
    numba.config.OPT = type(numba.config.OPT)(1)  # type: ignore[attr-defined]


class Inner(CPUDispatcher):
    """A function as other compiled functions call it; a constant argument is as any other."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return what numba asks for of a call; else it compiles once more for each constant."""
        named = {name: plain(kind) for name, kind in kws.items()}
        return super().get_call_template([plain(kind) for kind in args], named)


class Outer(CPUDispatcher):
    """A function as Python calls it; other compiled functions call `inner` in its place."""

    inner: Any

    @property
    def _numba_type_(self) -> Any:
        return self.inner._numba_type_


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, or load what an earlier process compiled.

    Other compiled functions call a form of it that Python cannot: what takes apart and makes Python
    objects is most of the machine code of a small function with large tuples.
    """
    wrapped = njit(cache=True, no_cfunc_wrapper=True)(function)
    check_digests(wrapped)
    if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
        check_digests(inner)
        keep_apart(inner)
        inner.__class__ = Inner
        wrapped.inner = inner
        wrapped.__class__ = Outer
    return cast(Function, wrapped)


def inlined(function: Function) -> Function:
    """Compile a small function into each compiled function that calls it.

    For what is called once a block or more often: a call, with the counts of references to the
    arrays of its arguments, takes several times as long as what such a function does.
    """
    wrapped = njit(cache=True, no_cfunc_wrapper=True, inline="always")(function)
    check_digests(wrapped)
    return cast(Function, wrapped)


def keep_apart(inner: Any) -> None:
    """Give the form of a function that only compiled functions call files of its own."""
    cache = inner._cache
    file = cache._cache_file
    inner._cache._cache_file = type(file)(
        cache_path=cache._cache_path,
        filename_base=f"{cache._impl.filename_base}-inner",
        source_stamp=file._source_stamp,
    )


def is_compiled(function: Callable[..., object]) -> bool:
    """Return whether an earlier call, of any process, has compiled a function."""
    folder = Path(numba.config.CACHE_DIR)  # type: ignore[attr-defined]
    package, module = function.__module__.split(".")[-2:]
    return any(folder.glob(f"{package}_*/{module}.{function.__name__}-*.nbi"))
