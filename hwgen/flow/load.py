"""Import a module when a step needs it: `hwgen build` works without torch and cocotb."""

import importlib
from typing import Any

from hwgen.errors import MissingToolError

PROJECT = ("golden", "hwgen", "verif")


def load(module: str) -> Any:
    """Return a module of this project; a missing package is one sentence, MissingToolError."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        if missing in PROJECT:
            raise
        raise MissingToolError(
            f"the package {missing} is needed for this: scripts/setup installs it,"
            " or pip install 'hwgen[dev]'"
        ) from None
