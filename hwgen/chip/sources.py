"""The sources that a module hangs on: its file, and those of all modules that it imports."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

IMPORT = re.compile(
    r"^(?:from +(?P<package>[\w.]+) +import +(?P<names>\([^)]*\)|.*)|import +(?P<module>[\w.]+))",
    re.MULTILINE,
)
"""An import at the top of a file; those inside functions give nothing to what is compiled."""
PACKAGE = Path(__file__).parents[1]


@cache
def digest_of_sources(file: Path, version: str) -> str:
    """Return the sha256 of the sources behind a module; where they lie does not count.

    file: of the module. Imports of this package and of the module's own are followed.
    version: of what works on the sources
    """
    sha = hashlib.sha256(version.encode())
    for name, source in sorted(sources_of(file).items()):
        sha.update(f"{name} {len(source)}\n".encode())
        sha.update(source)
    return sha.hexdigest()


def sources_of(file: Path) -> dict[str, bytes]:
    """Return the contents of all files behind a module, by their path from their package."""
    own = package_of(file)
    found, todo = {}, [file]
    while todo:
        file = todo.pop()
        name = file.relative_to(package_of(file).parent).as_posix()
        if name not in found:
            found[name], others = read(file, own)
            todo += others
    return found


@cache
def read(file: Path, own: Path) -> tuple[bytes, list[Path]]:
    """Return the content of a file, and the files that it imports from here and from `own`."""
    source = file.read_bytes()
    homes = {root.name: root for root in (PACKAGE, own)}
    return source, list(imported(file, source.decode("utf-8"), homes))


@cache
def package_of(file: Path) -> Path:
    """Return the folder of the outermost package that a file is in, or the folder of the file."""
    folder = file.parent
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return folder


def imported(file: Path, source: str, homes: dict[str, Path]) -> Iterator[Path]:
    """Yield the files of the modules that a source imports from some packages, given by name."""
    for line in IMPORT.finditer(source):
        path = line["package"] or line["module"]
        dots = len(path) - len(path.lstrip("."))
        first, *rest = path[dots:].split(".")
        if dots:
            folder = file.parents[dots - 1].joinpath(first, *rest)
        elif first in homes:
            folder = homes[first].joinpath(*rest)
        else:
            continue
        for name in re.findall(r"(\w+)(?: as \w+)?[,\s)]*(?:#.*)?", line["names"] or "") or [""]:
            yield from module_at(folder / name) or module_at(folder)


def module_at(path: Path) -> list[Path]:
    """Return the file of the module or package at a path without ending, if there is one."""
    files = [path.with_name(f"{path.name}.py"), path / "__init__.py"]
    return [file for file in files if file.is_file()][:1]
