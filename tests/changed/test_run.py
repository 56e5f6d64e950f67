"""Which tests a change asks for, in a small house and in this one."""

import ast
import subprocess
from pathlib import Path

import pytest

from tests.changed.run import (
    ROOT,
    asked_for,
    changed_files,
    commands,
    house,
    of_module,
    report,
    seconds_of,
)

FILES = {
    "hwgen/fam/rtl/adder.py": "",
    "hwgen/fam/rtl/tree.py": "from hwgen.fam.rtl.adder import Adder\n",
    "hwgen/fam/rtl/lane.py": "",
    "hwgen/fam/plan.py": "",
    "hwgen/fam/walk.py": "def late():\n    from hwgen.fam.plan import cut\n",
    "golden/fam/adder.py": "",
    "verif/fam/bench_lane.py": "",
    "tests/fam/test_plan.py": "from hwgen.fam.plan import cut\n",
    "tests/fam/test_walk.py": "from hwgen.fam import walk\n",
    "tests/fam/test_more.py": "from hwgen.fam import walk\n",
    "tests/verif/fam/test_tree.py": 'RUN = "verif.fam.bench_lane"\n',
    "tests/verif/fam/test_parts.py": (
        "from hwgen.fam.rtl.adder import Adder\nfrom hwgen.fam.rtl.tree import Tree\n"
        'from hwgen.fam.rtl.lane import Lane\nPARTS = ("adder", "lane")\n'
    ),
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def functions(file: Path) -> int:
    """Return how many functions of a module do something."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return sum(
        not isinstance(node.body[-1], ast.Expr)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.promise(
    "each module of more than one function has tests at its path, in a table or in its own folder"
    " that import it, or its docstring names them"
)
def test_each_module_has_its_tests() -> None:
    known = house()
    tests, without = set(known.tests), []
    assert tests.issuperset(known.own.values())
    for file in known.imports:
        if not file.startswith(("hwgen/", "golden/")) or functions(ROOT / file) < 2:
            continue
        room = "/".join(["tests", *Path(file).parent.parts[file.startswith("hwgen/") :]])
        near = any(test.startswith(f"{room}/") for test in known.importers(file) & tests)
        if not near and all(
            "imports" in why or "needs" in why for *_, why in of_module(file, known, whole=False)
        ):
            without.append(file)
    assert not without


@pytest.mark.promise(
    "a changed file asks for the tests at its path and those that import it, and it is said why"
)
@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("hwgen/fam/plan.py", {"tests/fam/test_plan.py": [""]}),
        ("hwgen/fam/walk.py", {"tests/fam/test_walk.py": [""], "tests/fam/test_more.py": [""]}),
        ("hwgen/fam/rtl/adder.py", {"tests/verif/fam/test_parts.py": ["adder"]}),
        (
            "hwgen/fam/rtl/tree.py",
            {"tests/verif/fam/test_tree.py": [""], "tests/verif/fam/test_parts.py": [""]},
        ),
        ("golden/fam/adder.py", {"tests/verif/fam/test_parts.py": ["adder"]}),
        (
            "verif/fam/bench_lane.py",
            {"tests/verif/fam/test_tree.py": [""], "tests/verif/fam/test_parts.py": ["lane"]},
        ),
        ("tests/fam/test_more.py", {"tests/fam/test_more.py": [""]}),
        ("README.md", {}),
    ],
)
def test_a_file_asks_for_the_tests_beside_it(
    file: str, wanted: dict[str, list[str]], small: Path
) -> None:
    found = asked_for([file], house(small), whole=False)
    assert {test: list(names) for test, names in found.items()} == wanted


def test_late_imports_and_imports_of_imports_count_with_all(small: Path) -> None:
    found = asked_for(["hwgen/fam/plan.py"], house(small), whole=True)
    assert found.keys() == {f"tests/fam/test_{name}.py" for name in ("plan", "walk", "more")}
    assert found["tests/fam/test_more.py"][""] == "needs hwgen/fam/plan.py"


def test_where_nothing_imports_it_the_nearest_tests_of_its_room(small: Path) -> None:
    (small / "tests/fam/test_plan.py").unlink()
    (small / "hwgen/fam/plan.py").rename(small / "hwgen/fam/cut.py")
    (small / "hwgen/fam/walk.py").write_text("import hwgen.fam.cut\n", encoding="utf-8")
    found = asked_for(["hwgen/fam/cut.py"], house(small), whole=False)
    assert found.keys() == {"tests/fam/test_walk.py", "tests/fam/test_more.py"}


def test_whole_files_run_together_and_tables_by_name(small: Path) -> None:
    files = ["hwgen/fam/rtl/adder.py", "hwgen/fam/rtl/lane.py", "hwgen/fam/plan.py"]
    found = asked_for(files, house(small), whole=False)
    table = ["tests/verif/fam/test_parts.py", "-k", "adder or lane"]
    assert commands(found) == [["tests/fam/test_plan.py"], table]
    text = report(found, files, {"tests/fam/test_plan.py": 7.4})
    assert "tests/verif/fam/test_parts.py (lane): has the part of hwgen/fam/rtl/lane.py" in text
    assert text.endswith("3 changed files, 2 files of tests, whole files about 7 s by the last run")


def test_changed_and_unknown_files_of_a_checkout(small: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *words], cwd=small, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    (small / "hwgen/fam/plan.py").write_text("A = 1\n", encoding="utf-8")
    (small / "new.py").write_text("", encoding="utf-8")
    assert changed_files(small, "HEAD") == ["hwgen/fam/plan.py", "new.py"]
    with pytest.raises(SystemExit, match="changed: git must know nowhere, got: "):
        changed_files(small, "nowhere")


def test_seconds_of_the_last_run(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    assert seconds_of(results) == {}
    cases = "".join(f'<testcase classname="tests.a.test_b" time="{t}"/>' for t in (1.5, 2))
    results.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert seconds_of(results) == {"tests/a/test_b.py": 3.5}


def test_a_macro_of_this_house() -> None:
    found = asked_for(["hwgen/dbpim/rtl/macro.py"], house(), whole=False)
    assert "tests/verif/dbpim/test_macro.py" in found and len(found) < 5
