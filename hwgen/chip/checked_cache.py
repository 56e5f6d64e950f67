"""Files of numba's cache that carry a digest: what is damaged is compiled again.

Numba unpickles an index and runs the machine code beside it without a look at either.
"""

import hashlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from numba.core import caching

Untyped: TypeAlias = Any
"""An object of numba, or of a type that compiled functions alone know: numba has no types."""

IndexDataCacheFile: Untyped = caching.IndexDataCacheFile

TRAILER = b"hwgen-sha256"
"""Stands behind the content, before its digest; pickle reads no further than its own end."""
TRAILER_BYTES = len(TRAILER) + 32


class CheckedCacheFile(IndexDataCacheFile):
    """An index and its data files; each ends with the digest of its content."""

    def _load_index(self) -> Untyped:
        return super()._load_index() if intact(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Untyped:
        path = Path(self._data_path(name))
        if not intact(path):
            raise OSError(f"{path} must be whole")  # for numba a file that is not there
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[io.BytesIO]:
        with super()._open_for_write(filepath) as file:
            content = io.BytesIO()
            yield content
            file.write(with_digest(content.getvalue()))


def with_digest(content: bytes) -> bytes:
    """Return content and its digest."""
    return content + TRAILER + hashlib.sha256(content).digest()


def intact(path: Path) -> bool:
    """Return whether a file is whole; say so where it is there and damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError:
        content = b""
    if content == with_digest(content[:-TRAILER_BYTES]):
        return True
    print(f"machine code in the cache is damaged and compiled again: {path.name}", file=sys.stderr)
    return False


def check_digests(function: Untyped) -> None:
    """Let a function that numba has wrapped read and write files with digests."""
    cache = getattr(function, "_cache", None)
    file = getattr(cache, "_cache_file", None)
    # Another version of numba may have other names; then its cache stays as it is.
    if type(file) is IndexDataCacheFile and os.name == "posix":
        file.__class__ = CheckedCacheFile
