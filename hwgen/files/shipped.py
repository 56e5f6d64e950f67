"""Files that ship with hwgen, found by name: architectures, networks, recipes, tables, images.

A name is the path below `configs` without its suffix, such as `dbpim/small`; a network goes without
its folder: `digits_small_cnn`. A file of that path, where there is one, goes before a name.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from hwgen.errors import ConfigError, with_near

FOLDER = "configs"
NETWORKS, RECIPES, IMAGES = "networks", "train", "images"
"""Folders whose files are named without them; all others hold architectures and tables."""
SUFFIXES = (".npz", ".yaml")
FORMAT = re.compile(r"^format: hwgen\.(?:\w+\.)?(\w+)$", re.MULTILINE)
"""Of a file: its last word is the kind."""
NEAR_NAMES = 3
"""Names that an error suggests."""


def shipped_folder() -> Path:
    """Return the folder of the files that ship: inside the package, in a checkout beside it."""
    package = Path(str(files("hwgen")))
    inside = package / FOLDER
    return inside if inside.is_dir() else package.parent / FOLDER


def shown(path: Path) -> str:
    """Return a path as a report names it: a file that ships the same on every machine."""
    folder = shipped_folder()
    return str(path.relative_to(folder.parent)) if path.is_relative_to(folder) else str(path)


def networks() -> dict[str, Path]:
    """Return the quantized networks that ship, by name."""
    return named(shipped_folder() / NETWORKS)


def recipes() -> dict[str, Path]:
    """Return the recipes of trainings that ship, by name."""
    found = named(shipped_folder() / RECIPES)
    return {name: path for name, path in found.items() if "/" not in name}


def images() -> dict[str, Path]:
    """Return the files of a few images that ship, by the name of their set."""
    return named(shipped_folder() / IMAGES)


def tables(folder: str) -> dict[str, Path]:
    """Return the architectures, or the tables, of one folder, by name."""
    below = shipped_folder() / folder
    return {f"{folder}/{name}": path for name, path in named(below).items()}


def named(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their path without suffix, in order."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES)
    return {str(path.relative_to(folder).with_suffix("")): path for path in found}


def network_file(given: Path) -> Path:
    """Return the file of a network that may be named; ConfigError suggests names."""
    return file_of(given, networks(), what="the network")


def recipe_file(given: Path) -> Path:
    """Return the file of a recipe that may be named; ConfigError suggests names."""
    return file_of(given, recipes(), what="the recipe")


def is_name(given: Path) -> bool:
    """Return whether a text stands for a file that ships, and for no path."""
    if given.suffix or given.is_file():
        return False
    return str(given) in {*networks(), *recipes(), *images(), *named(shipped_folder())}


def file_of(given: Path, known: Mapping[str, Path], *, what: str) -> Path:
    """Return a path as it is, or the file that a name stands for.

    what: stands in the error for text that is neither a name nor a path with a suffix
    """
    if given.is_file() or given.suffix:
        return given
    found = known.get(str(given))
    if found is not None:
        return found
    if given.exists():
        return given
    raise unknown_name(given, known, what=what)


def unknown_name(
    given: object, known: Iterable[str], *, what: str, allowed: str = "a file or "
) -> ConfigError:
    """Return the error of a name that nothing has: it suggests the near names, or lists all.

    what: stands for the argument; allowed: begin of what may be given, before the names
    """
    names = list(known)
    told = with_near(given, names, most=NEAR_NAMES)
    some = f"one of {', '.join(names)}" if told == str(given) else "a name that ships"
    if (kind := kind_of(str(given))) is not None:
        told = told.replace(str(given), f"{given}, which is the name of {kind}", 1)
    return ConfigError(field=what, allowed=f"{allowed}{some}", given=told, source="command line")


def kind_of(name: str) -> str | None:
    """Return what a name that ships stands for, in words; None: none does."""
    if name in networks() or name in recipes():
        return "a network" if name in networks() else "a recipe"
    path = named(shipped_folder()).get(name)
    found = path and FORMAT.search(path.read_text(encoding="utf-8", errors="replace"))
    return f"a file of {found[1].replace('_', ' ')}" if found else None
