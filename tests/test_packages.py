"""What import-linter cannot see: when a module is imported, and whose name a text mentions."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import grimp
import pytest

import hwgen.api
import hwgen.cli
import hwgen.commands
import hwgen.report
from hwgen.commands.families import families

ROOT = Path(__file__).parents[1]
LATE = ["torch", "cocotb", "golden", "verif"]
PAPERS = ["mlperf", "pimsyn"]
"""Names of papers: they belong to a family, too."""


@pytest.mark.dear("hwgen.api")
@pytest.mark.promise("the command line and the flow start without torch, cocotb, golden and verif")
@pytest.mark.parametrize(
    "package", [hwgen.api, hwgen.cli, hwgen.commands], ids=lambda each: each.__name__
)
def test_flow_imports_other_packages_late(package: ModuleType) -> None:
    path, name = package.__path__, package.__name__
    modules = [name, *(found.name for found in pkgutil.walk_packages(path, f"{name}."))]
    pages = {f"{name}.{family}" for family in families()}
    modules = [module for module in modules if not any(module.startswith(page) for page in pages)]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = done.stdout.split()
    assert not set(LATE) & set(imported)
    named = [module for module in imported if set(module.split(".")) & set(families())]
    assert not named


def neutral_files() -> list[Path]:
    """Return the files of flow, report and command line except those of one family."""
    found = []
    for package in (hwgen.api, hwgen.cli, hwgen.commands, hwgen.report):
        root = Path(package.__path__[0])
        found += [
            file
            for file in root.rglob("*")
            if file.suffix in (".py", ".html") and file.relative_to(root).parts[0] not in families()
        ]
    return found


@pytest.mark.promise("flow, report and command line name no family but in its own pages")
def test_flow_report_and_command_line_name_no_family() -> None:
    files = neutral_files()
    assert len(files) > 30
    names = re.compile("|".join([*families(), *PAPERS]), re.I)
    naming = [str(file) for file in files if names.search(file.read_text(encoding="utf-8"))]
    assert not naming


GROUP = re.compile(r"^(\w+): [^:]*: ((?:\w+,\s+)*\w+)$", re.M)
"""A line of the docstring of generators: a group, what it does, its parts."""


@pytest.mark.parametrize("family", families())
def test_every_part_stands_in_one_group(family: str) -> None:
    package = importlib.import_module(f"hwgen.{family}.rtl")
    groups = GROUP.findall(package.__doc__ or "")
    parts = [part for _, listed in groups for part in re.split(r",\s+", listed)]
    assert sorted(parts) == [found.name for found in pkgutil.iter_modules(package.__path__)]
    assert {"compute", "feed", "output"} <= {name for name, _ in groups}


BY_NAME = {
    "hwgen/chip/family.py": "a family lists its modules; offered.py of the tests types them",
    "hwgen/chip/page_protocols.py": "a data sheet takes tables of one package by their names",
    "hwgen/chip/opaque.py": "a compiled function knows a record by its name alone",
    "hwgen/commands/studies.py": "modules of a study that any installed package may have",
    "hwgen/jobs/hosts.py": "an optional package of others",
    "hwgen/jobs/tasks.py": "a task names its function, for processes on any host",
}
"""Files that import a module by its name in a string, and why."""
STRING = re.compile(r"import_module\(|__import__\(")


def test_nothing_is_imported_by_a_string_but_for_a_reason() -> None:
    """Walks of the code, types and import rules end at a module whose name is a string."""
    root = Path(hwgen.api.__path__[0]).parent
    found = {
        file.relative_to(root.parent).as_posix()
        for file in root.rglob("*.py")
        if STRING.search(file.read_text(encoding="utf-8"))
    }
    assert found == set(BY_NAME)


@pytest.mark.promise(
    "no modules import each other in a circle, but two of records that are checked where they"
    " are made"
)
def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("hwgen", "golden", "verif")
    reached = {
        module: graph.find_downstream_modules(module) & graph.find_upstream_modules(module)
        for module in graph.modules
    }
    circles = {frozenset({module, *others}) for module, others in reached.items() if others}
    assert not circles


RETIRED = {"purse", "snake", "crew", "company", "mate", "mates"}
"""Words that no name has: budget, serpentine, workers, sharing group, partner say what is meant."""


def names_given(file: Path) -> Iterator[str]:
    """Yield the names that a file gives to functions, classes, parameters and variables."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


@pytest.mark.dear
def test_no_name_has_a_retired_word() -> None:
    found = [
        f"{file}: {name}"
        for package in ("hwgen", "golden", "verif", "studies")
        for file in sorted((ROOT / package).rglob("*.py"))
        for name in names_given(file)
        if RETIRED & set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))
    ]
    assert not found
