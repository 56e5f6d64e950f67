"""Which tests a change asks for, in a small house and in this one."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

from tests.changed import run as changed
from tests.changed.run import (
    ROOT,
    asked_for,
    changed_files,
    commands,
    commit_before,
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


def test_importers_bring_their_tests(small: Path) -> None:
    assert asked_for(["hwgen/fam/plan.py"], house(small)).keys() == {"tests/fam/test_plan.py"}
    found = asked_for(["hwgen/fam/plan.py"], house(small), importers=True)
    assert found.keys() == {f"tests/fam/test_{name}.py" for name in ("plan", "walk", "more")}
    why = "imports hwgen/fam/walk.py, which needs hwgen/fam/plan.py"
    assert found["tests/fam/test_more.py"][""] == why


def test_a_file_that_is_no_module_asks_for_what_names_it(small: Path) -> None:
    (small / "tests/fam/test_more.py").write_text('PAGE = ROOT / "docs/a.md"\n', encoding="utf-8")
    (small / "hwgen/fam/plan.py").write_text('TEXT = "host.v"\n', encoding="utf-8")
    found = asked_for(["docs/a.md", "hwgen/fam/host.v", "docs/b.md"], house(small))
    assert found == {
        "tests/fam/test_more.py": {"": "names docs/a.md"},
        "tests/fam/test_plan.py": {
            "": "stands at the path of hwgen/fam/plan.py, which needs hwgen/fam/host.v"
        },
    }


def test_the_newest_commit_that_is_older(tmp_path: Path) -> None:
    """Of three commits, an hour, nine hours and a day old; nothing is two days old."""
    commits = []
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for hour in (0, 15, 23, 24):
        when = f"{1_700_000_000 + 3600 * hour} +0000"
        who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b"}
        who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
        made = ["git", "commit", "--quiet", "--allow-empty", "-m", str(hour)]
        environment = {**os.environ, **who, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        subprocess.run(made, cwd=tmp_path, check=True, env=environment)
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=tmp_path, capture_output=True, check=True
        )
        commits.append(told.stdout.decode().strip())
    assert commit_before(tmp_path, 1) == commits[2]
    assert commit_before(tmp_path, 8) == commits[1]
    assert commit_before(tmp_path, 20) == commits[0]
    assert commit_before(tmp_path, 48) == ""


@pytest.mark.promise(
    "a change is checked with all that changed in the hours before, and with everything, and the"
    " reason, where the clone does not say what"
)
def test_without_an_older_commit_everything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(changed, "run", lambda *words: ran.append(words) or 0)
    monkeypatch.setattr(changed, "commit_before", lambda *_: "")
    assert changed.main(["--hours", "8"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "everything: no commit of this clone is 8 hours older than HEAD"
    assert ran == [("scripts/test", "--all"), ("scripts/test", "--studies")]
    ran.clear()
    assert changed.main(["--hours", "8", "--dear"]) == 0
    assert ran[0] == ("scripts/test", "--dear")
    ran.clear()
    monkeypatch.setattr(changed, "commit_before", lambda *_: "HEAD")
    monkeypatch.setattr(
        changed, "changed_files", lambda *_: ["hwgen/dbpim/rtl/ipu.py", "studies/a"]
    )
    assert changed.main(["--hours", "8", "--importers", "-n", "2"]) == 0
    assert any("tests/verif/dbpim/test_macro.py" in words for words in ran)
    assert all(words[-2:] == ("-n", "2") for words in ran[:-1])
    assert ran[-1] == ("scripts/test", "--studies")


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
