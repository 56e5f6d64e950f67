"""Where a result comes from: the commit of the code and the kind of machine."""

import os
import platform
import subprocess
from pathlib import Path

import hwgen

PACKAGE = Path(hwgen.__file__).parent


def commit() -> str | None:
    """Return the commit of this code, with + where tracked files differ from it; pages are no code.

    None without git, and for code that git does not track, such as an installed wheel.
    """
    if git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head = git("rev-parse", "--short=10", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)docs")
    return None if head is None else f"{head}{'+' if changed else ''}"


def git(*arguments: str) -> str | None:
    """Return what git prints in the folder of this package; None if it fails."""
    command = ["git", "-C", str(PACKAGE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def machine() -> str:
    """Return the kind of this machine: cores that this process may use, and their architecture."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} core{'s' if cores > 1 else ''}, {platform.machine()}"
