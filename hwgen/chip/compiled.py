"""Machine code of the model's functions, cached on disk under the digest of their sources."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba
from numba.core import caching, types
from numba.core.registry import CPUDispatcher

from hwgen.chip.checked_cache import Untyped, check_digests
from hwgen.chip.sources import digest_of_sources

Function = TypeVar("Function", bound=Callable[..., object])

njit: Untyped = numba.njit
plain: Untyped = types.unliteral
"""Their types know less than they take."""
CompileResultCacheImpl: Untyped = caching.CompileResultCacheImpl
FunctionCache: Untyped = caching.FunctionCache


def cache_folder(file: Path) -> Path:
    """Return a writable folder that belongs to exactly the sources behind the module in `file`.

    Machine code holds constants and functions of the modules that its module imports, so the name
    covers their contents, too. It does not cover where they lie: all copies share the folder.
    """
    name = f"numba-{digest_of_sources(file, numba.__version__)[:16]}"
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


if "NUMBA_OPT" not in os.environ:
    # A fifth less to wait for than with 3; models and searches run as fast (1 % of a search).
    numba.config.OPT = type(numba.config.OPT)(1)  # type: ignore[attr-defined]


class Locator:
    """Where numba finds the machine code of a function, as its own locators say it."""

    def __init__(self, function: Callable[..., object], file: str) -> None:
        self.folder = cache_folder(Path(file))
        self.line = function.__code__.co_firstlineno
        self._py_file = file  # in a warning of numba's

    @classmethod
    def from_function(cls, function: Callable[..., object], file: str) -> "Locator":
        """Return the locator of a function that is defined in `file`."""
        return cls(function, file)

    def ensure_cache_path(self) -> None:
        """Do nothing: the folder is there."""

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(self.folder)

    def get_source_stamp(self) -> str:
        """Return the digest of the sources."""
        return self.folder.name

    def get_disambiguator(self) -> str:
        """Return what tells functions of one name apart."""
        return str(self.line)


class SourcesCacheImpl(CompileResultCacheImpl):
    """The cache of a function in the folder of its sources."""

    _locator_classes = (Locator,)


class SourcesCache(FunctionCache):
    """As numba's cache of a function."""

    _impl_class = SourcesCacheImpl


def cached(function: Callable[..., object], **options: Untyped) -> Untyped:
    """Return what numba makes of a function, with files of its sources, each with a digest."""
    wrapped = njit(no_cfunc_wrapper=True, **options)(function)
    if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        wrapped._cache = SourcesCache(function)
        check_digests(wrapped)
    return wrapped


class Inner(CPUDispatcher):
    """A function as other compiled functions call it; a constant argument is as any other."""

    def get_call_template(self, args: Untyped, kws: Untyped) -> Untyped:
        """Return what numba asks for of a call; else it compiles once more for each constant."""
        named = {name: plain(kind) for name, kind in kws.items()}
        return super().get_call_template([plain(kind) for kind in args], named)


class Outer(CPUDispatcher):
    """A function as Python calls it; other compiled functions call `inner` in its place."""

    inner: Untyped

    @property
    def _numba_type_(self) -> Untyped:
        return self.inner._numba_type_


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, or load what an earlier process compiled.

    Other compiled functions call a form of it that Python cannot: what takes apart and makes Python
    objects is most of the machine code of a small function with large tuples.
    """
    wrapped = cached(function)
    if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        inner = cached(function, no_cpython_wrapper=True)
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
    return cast(Function, cached(function, inline="always"))


def keep_apart(inner: Untyped) -> None:
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
    file = Path(function.__code__.co_filename)
    return any(cache_folder(file).glob(f"{file.stem}.{function.__name__}-*.nbi"))
