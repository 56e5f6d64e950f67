"""The test plan notices tests that failed, were skipped or never ran."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from verif.mutants import read_mutants
from verif.testplan import LONG_ALONE, dearest, judge, read_plan, read_results, tell_prices
from verif.toolchain import ROOT

PARTS = "test_parts.py"
"""Files whose tests are named with their parameters, part and size."""

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_good[1]"><properties>
<property name="cpu_s" value="2.50"/></properties></testcase>
<testcase classname="tests.test_a" name="test_mixed[1]"/>
<testcase classname="tests.test_a" name="test_mixed[2]"><failure/></testcase>
<testcase classname="tests.test_a" name="test_icarus"><skipped message="no Icarus"/></testcase>
<testcase classname="tests.test_a" name="test_bytes[1]"><skipped message="no VNNI"/></testcase>
<testcase classname="tests.test_a" name="test_few[1]"><skipped message="no VNNI"/></testcase>
<testcase classname="tests.test_a" name="test_few[2]"/>
<testcase classname="tests.test_a" name="test_lazy"><skipped message="no time"/></testcase>
</testsuite></testsuites>"""


def judgement(folder: Path, **entry: list[str]) -> list[tuple[str, bool]]:
    """Return what the plan says about tests of `JUNIT`, their names without the file."""
    (folder / "results.xml").write_text(JUNIT)
    named = {key: [f"tests/test_a.py::{name}" for name in names] for key, names in entry.items()}
    problems = judge(named, read_results(folder / "results.xml"))
    return [(problem.removeprefix("tests/test_a.py::"), breaks) for problem, breaks in problems]


def test_judge(tmp_path: Path) -> None:
    names = ["test_good", "test_mixed", "test_icarus", "test_bytes", "test_few"]
    names += ["test_lazy", "test_renamed"]
    names += ["test_good[1]", "test_mixed[1]", "test_mixed[2]", "test_good[2]"]
    assert judgement(tmp_path, tests=names) == [
        ("test_mixed failed", True),
        ("test_icarus skipped for want of Icarus", False),
        ("test_bytes skipped for want of VNNI", False),
        ("test_lazy skipped", True),
        ("test_renamed did not run", True),
        ("test_mixed[2] failed", True),
        ("test_good[2] did not run", True),
    ]


def test_long_tests_need_not_run_but_must_not_fail(tmp_path: Path) -> None:
    long = ["test_good", "test_mixed", "test_renamed"]
    assert judgement(tmp_path, tests=["test_good"], long=long) == [("test_mixed failed", True)]


def test_a_promise_without_tests_is_broken(tmp_path: Path) -> None:
    assert judgement(tmp_path, tests=[]) == [("it names no test", True)]


def test_a_promise_is_kept_by_default_but_for_a_few(tmp_path: Path) -> None:
    (tmp_path / "results.xml").write_text(JUNIT)
    results = read_results(tmp_path / "results.xml")
    alone = {"tests": [], "long": ["tests/test_a.py::test_long"]}
    assert list(judge({**alone, "promise": "mine"}, results)) == [
        ("no test that runs by default keeps it", True)
    ]
    assert not list(judge({**alone, "promise": next(iter(LONG_ALONE))}, results))
    assert len(LONG_ALONE) <= 20
    promises = {entry["promise"] for _, entry in read_plan() if not entry["tests"]}
    assert promises == LONG_ALONE


def test_the_dearest_tests_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.xml").write_text(JUNIT)
    assert dearest(tmp_path / "results.xml") == [(2.5, "tests.test_a::test_good[1]")]
    tell_prices(tmp_path / "results.xml")
    printed = capsys.readouterr().out
    assert "   2.5 CPU s tests.test_a::test_good[1]" in printed
    assert "2 CPU s in 1 tests" in printed


@cache
def names_in(file: str) -> set[str]:
    """Return the names of the test functions in a file; none if there is no such file."""
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def named_tests() -> set[str]:
    """Return every test that the plan or a mutant names."""
    planned = {
        test for _, entry in read_plan() for test in [*entry["tests"], *entry.get("long", [])]
    }
    return planned | {test for mutant in read_mutants() for test in mutant["tests"]}


@cache
def collected(file: str) -> set[str]:
    """Return the tests of a file with the names of their parameters."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--long", "-n", "0", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("test", sorted(named_tests()))
def test_every_named_test_exists(test: str) -> None:
    file, _, name = test.partition("::")
    if file.endswith(PARTS) and "[" in name:
        assert test in collected(file)
        return
    names = names_in(file)
    assert name.partition("[")[0] in names if name else names


def test_every_promise_is_complete() -> None:
    for part, entry in read_plan():
        assert {"promise", "tests"} <= set(entry) <= {"promise", "tests", "long"}, (part, entry)
        assert all("::" in test for test in entry["tests"]), (part, entry)
