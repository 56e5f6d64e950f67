"""The sources behind a module, against the syntax tree and the import system of Python."""

import ast
import importlib.util
from pathlib import Path

import pytest

from hwgen.chip.sources import PACKAGE, digest_of_sources, sources_of

COMPILING = sorted(
    file
    for file in PACKAGE.rglob("*.py")
    if "\n@compiled\n" in (text := file.read_text("utf-8")) or "\n@inlined\n" in text
)


def file_of(module: str) -> Path | None:
    """Return the file that Python would load for a module of this package."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def behind(file: Path, found: set[Path]) -> set[Path]:
    """Return a file and all that it imports, and so on."""
    if file in found:
        return found
    found.add(file)
    for node in ast.parse(file.read_text("utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "hwgen":
                other = file_of(name) or file_of(name.rpartition(".")[0])
                assert other is not None
                behind(other, found)
    return found


@pytest.mark.dear("dbpim/model/activity")
@pytest.mark.promise(
    "machine code is compiled again where a module behind it changes, and for nothing else;"
    " copies of the sources share it"
)
@pytest.mark.parametrize(
    "file", COMPILING, ids=lambda file: str(file.relative_to(PACKAGE).with_suffix(""))
)
def test_all_that_a_module_imports(file: Path) -> None:
    wanted = {path.relative_to(PACKAGE.parent).as_posix() for path in behind(file, set())}
    assert sources_of(file).keys() == wanted
    # Generators and programs are no business of models and searches.
    assert not any("/rtl/" in name or "/compiler/" in name for name in wanted)


def package(folder: Path, **texts: str) -> Path:
    """Write a package `mine` and return its folder."""
    for name, text in {"__init__": "", **texts}.items():
        path = folder / "mine" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "mine"


@pytest.mark.parametrize(
    "line",
    [
        "from mine.constants import A",
        "from mine import constants",
        "from mine import other, constants as c",
        "from mine import (\n    other,\n    constants,  # the last one\n)",
        "import mine.constants",
        "import mine.constants as c",
        "from .constants import A",
        "from . import constants",
    ],
)
def test_the_digest_follows_what_is_imported_and_nothing_else(line: str, tmp_path: Path) -> None:
    texts = {"fast": f"{line}\n", "constants": "A = 1\n", "other": "", "beside": "B = 1\n"}
    first, copy, beside, changed = (
        digest_of_sources(package(tmp_path / name, **{**texts, **change}) / "fast.py", "1")
        for name, change in [
            ("first", {}),
            ("copy", {}),
            ("beside", {"beside": "B = 2\n"}),
            ("changed", {"constants": "A = 2\n"}),
        ]
    )
    assert first == copy == beside != changed


def test_imports_of_imports_and_the_version_count(tmp_path: Path) -> None:
    texts = {"fast": "from mine.near import A\n", "near": "from mine.far import A\n"}
    first = package(tmp_path / "first", far="A = 1\n", **texts) / "fast.py"
    changed = package(tmp_path / "changed", far="A = 2\n", **texts) / "fast.py"
    assert digest_of_sources(first, "1") != digest_of_sources(changed, "1")
    assert digest_of_sources(first, "1") != digest_of_sources(first, "2")


def test_a_file_outside_of_packages_follows_this_one(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text("from hwgen.chip.widths import bits_for\n", encoding="utf-8")
    assert {"hwgen/chip/widths.py", f"{tmp_path.name}/script.py"} <= sources_of(file).keys()
