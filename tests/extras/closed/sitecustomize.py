"""An importer that does not find the packages that a variable names, as if they were not there.

Python imports this module as it starts, so processes that a command starts have it, too.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

REFUSED = frozenset(os.environ.get("HWGEN_TESTS_REFUSED", "").split(","))


class Closed(PathFinder):
    """Finds what is installed in the environment that is tried."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module lies; None for one of the refused packages."""
        refused = fullname.partition(".")[0] in REFUSED
        return None if refused else super().find_spec(fullname, path, target)


sys.meta_path[:] = [Closed if each is PathFinder else each for each in sys.meta_path]
