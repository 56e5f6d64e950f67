"""Write a file that is whole or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hwgen.errors import OutputError


@contextmanager
def whole_file(path: Path, *, what: str) -> Iterator[Path]:
    """Give a sibling to write to; it takes the place of `path` when the body succeeds."""
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield fresh
        fresh.rename(path)
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise OutputError(f"{what} must be writable at {path}, got: {reason}") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
