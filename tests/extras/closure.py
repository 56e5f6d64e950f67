"""What an extra of hwgen brings: its packages, theirs, and a process that has no others.

`closed/sitecustomize.py` is the importer of that process and of all that it starts.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CLOSED = Path(__file__).with_name("closed")
REFUSED = "HWGEN_TESTS_REFUSED"
"""Variable of the names that a closed process does not find, with commas between."""
OURS = {"hwgen", "hwgen-studies"}


def closure_of(extras: Iterable[str]) -> frozenset[str]:
    """Return the names of the installed packages that `pip install '.[extras]'` brings."""
    given = [*PROJECT["dependencies"]]
    open_extras, known = list(extras), set()
    while open_extras:
        extra = open_extras.pop()
        if extra in known:
            continue
        known.add(extra)
        for text in PROJECT["optional-dependencies"][extra]:
            requirement = Requirement(text)
            if requirement.name == PROJECT["name"]:
                open_extras += requirement.extras
            else:
                given.append(text)
    found: dict[str, set[str]] = {}
    for text in given:
        add(found, Requirement(text))
    return frozenset(found)


def add(found: dict[str, set[str]], requirement: Requirement) -> None:
    """Add a package with the extras that are asked of it, and all that it needs."""
    name = canonicalize_name(requirement.name)
    fresh = {"", *requirement.extras} - found.get(name, set())
    if not fresh:
        return
    found.setdefault(name, set()).update(fresh)
    try:
        needed = requires(name) or []
    except PackageNotFoundError:
        return
    for text in needed:
        each = Requirement(text)
        wanted = each.marker is None or any(each.marker.evaluate({"extra": one}) for one in fresh)
        if wanted:
            add(found, each)


def names_outside(closure: frozenset[str]) -> set[str]:
    """Return the names by which a program imports what is installed here and not in a closure."""
    return {
        module
        for module, packages in packages_distributions().items()
        if not {canonicalize_name(each) for each in packages} & (closure | OURS)
    }


def run_closed(
    extras: Iterable[str], arguments: Iterable[object], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run `python -m` in a folder, in a process that imports only what some extras bring."""
    # Programs of packages lie in the folder of this Python's own.
    paths = os.environ.get("PATH", "").split(os.pathsep)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COV_")},
        "PYTHONPATH": os.pathsep.join(map(str, (CLOSED, ROOT))),
        "PATH": os.pathsep.join(each for each in paths if Path(each) != Path(sys.prefix) / "bin"),
        REFUSED: ",".join(sorted(names_outside(closure_of(extras)))),
    }
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
