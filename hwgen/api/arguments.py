"""What the functions take: paths in any form, and where they work."""

import os
from pathlib import Path

from hwgen.commands.context import Context

File = str | os.PathLike[str]
"""A path."""


def quiet(context: Context | None) -> Context:
    """Return the context; None: the work folder `build`, and nothing is printed."""
    return Context(console=None) if context is None else context


def path_of(file: File | None) -> Path | None:
    """Return a path, or None."""
    return None if file is None else Path(file)


def text_of(data: File | None) -> str | None:
    """Return the name of a set of images, or the path of a file with images."""
    return None if data is None else os.fspath(data)
