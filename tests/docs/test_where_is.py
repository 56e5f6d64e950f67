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
NAMED = [match.groups() for match in PLACE.finditer(PAGE.read_text(encoding="utf-8"))]


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
@pytest.mark.parametrize(("path", "symbol"), NAMED)
def test_what_the_page_names_exists(path: str, symbol: str | None) -> None:
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert symbol is None or symbol in names_in(module.body)


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row[0].strip())
def test_each_answer_names_a_file(row: list[str]) -> None:
    question, answer, _ = row
    assert question.strip().endswith("?")
    assert PLACE.search(answer)


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/where-is.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(QUESTIONS) >= 10 and len(NAMED) > 20


@pytest.mark.promise("a paper refuses the options of other papers")
def test_links_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = re.findall(r"\]\(([\w./-]+)\)", text)
    assert len(paths) > 30
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_paths_that_pages_name_exist() -> None:
    named = re.compile(r"`((?:hwgen|golden|verif|tests|configs|docs|scripts)/[\w./-]+)`")
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = [(page, path) for page in pages for path in named.findall(page.read_text("utf-8"))]
    assert len(found) > 100
    assert not [(page.name, path) for page, path in found if not exists(path)]


def exists(path: str) -> bool:
    """Return whether a path is there; a module may be named without its suffix."""
    return any((ROOT / f"{path}{suffix}").exists() for suffix in ("", ".py"))


def test_the_table_of_packages_is_complete() -> None:
    text = (ROOT / "docs/packages.md").read_text(encoding="utf-8")
    table = text.split("| package |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([\w/]+)`", table))
    packages = {str(each.parent.relative_to(ROOT)) for each in ROOT.glob("hwgen/*/__init__.py")}
    assert packages | {"golden", "verif"} <= named
