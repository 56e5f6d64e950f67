"""Every path and symbol that `docs/where-is.md` names exists, and README leads there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/where-is.md"
QUESTIONS = [
    line.split("|")[1:-1] for line in PAGE.read_text(encoding="utf-8").splitlines() if "?" in line
][1:]
PLACE = re.compile(r"`(?P<path>[\w/]+\.py)`(?:: `(?P<symbol>[\w.]+)`)?")
ANSWERS = PAGE.read_text(encoding="utf-8").partition("## The packages")[0]
NAMED = [match.groups() for match in PLACE.finditer(ANSWERS)]


def names_in(body: list[ast.stmt], prefix: str = "") -> set[str]:
    """Return the functions, classes, methods and constants of a module."""
    found = set()
    for node in body:
        match node:
            case ast.FunctionDef(name=name):
                found.add(f"{prefix}{name}")
            case ast.ClassDef(name=name, body=inner):
                found |= {f"{prefix}{name}", *names_in(inner, f"{prefix}{name}.")}
            case ast.Assign(targets=[ast.Name(id=name)]):
                found.add(f"{prefix}{name}")
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(f"{prefix}{name}")
    return found


@pytest.mark.promise(
    "README leads to the line that computes a thing, and every place it names exists"
)
def test_what_the_page_names_exists() -> None:
    wrong = []
    for path, symbol in NAMED:
        file = ROOT / path
        names = names_in(ast.parse(file.read_text("utf-8")).body) if file.exists() else set()
        if not file.exists() or (symbol is not None and symbol not in names):
            wrong.append((path, symbol))
    assert not wrong and len(NAMED) > 20


def test_each_question_has_its_answer() -> None:
    assert "(docs/where-is.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    wrong = [row for row in QUESTIONS if not row[0].strip().endswith("?")]
    assert not wrong and len(QUESTIONS) >= 10
    assert not [row[0] for row in QUESTIONS if not PLACE.search(row[1])]


def test_paths_that_pages_name_exist() -> None:
    named = re.compile(r"`((?:hwgen|golden|verif|tests|configs|docs|scripts)/[\w./-]+)`")
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages = [page for page in pages if page.parent.name != "changes"]
    found = [(page, path) for page in pages for path in named.findall(page.read_text("utf-8"))]
    assert len(found) > 100
    assert not [(page.name, path) for page, path in found if not exists(path)]


def exists(path: str) -> bool:
    """Return whether a path is there; a module may be named without its suffix."""
    return any((ROOT / f"{path}{suffix}").exists() for suffix in ("", ".py"))


def test_the_table_of_packages_is_complete() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("| package |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([\w/]+)`", table))
    packages = {str(each.parent.relative_to(ROOT)) for each in ROOT.glob("hwgen/*/__init__.py")}
    assert packages | {"golden", "verif"} <= named
