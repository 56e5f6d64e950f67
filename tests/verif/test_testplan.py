"""The test plan notices promises whose tests failed, were skipped or never ran."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.faults.kept import read_kept
from verif.testplan import (
    LONG_ALONE,
    RUNS,
    check,
    dearest,
    judge,
    main,
    page,
    promised,
    read_results,
    tell_prices,
)
from verif.toolchain import ROOT

LONG_MARKS = ("pytest.mark.long", "pytest.mark.formal")
"""Marks of tests that do not run by default."""
PARTS = "test_parts.py"
"""Files whose tests are named with their parameters, part and size."""


def case(name: str, promise: str, child: str = "", more: str = "") -> str:
    """Return the result of a test that keeps a promise."""
    kept = f'<property name="promise" value="{promise}"/>'
    properties = f"<properties>{kept}{more}</properties>"
    return f'<testcase classname="tests.test_a" name="{name}">{properties}{child}</testcase>'


JUNIT = "\n".join(
    [
        "<testsuites><testsuite>",
        case("test_good[1]", "good", more='<property name="cpu_s" value="2.50"/>'),
        case("test_mixed[1]", "mixed"),
        case("test_mixed[2]", "mixed", "<failure/>"),
        case("test_icarus", "icarus", '<skipped message="no Icarus"/>'),
        case("test_few[1]", "few", '<skipped message="no VNNI"/>'),
        case("test_few[2]", "few"),
        case("test_lazy", "lazy", '<skipped message="no time"/>'),
        case("test_new", "new"),
        "</testsuite></testsuites>",
    ]
)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    file = tmp_path / "results.xml"
    file.write_text(JUNIT)
    return file


@pytest.mark.promise("a promise is broken where its tests fail, are skipped or do not run")
def test_judge(results: Path) -> None:
    promises = ["good", "mixed", "icarus", "few", "lazy", "removed", *LONG_ALONE]
    assert list(judge(promises, read_results(results))) == [
        ("mixed", "tests.test_a::test_mixed[2] failed", True),
        ("icarus", "tests.test_a::test_icarus skipped for want of Icarus", False),
        ("lazy", "tests.test_a::test_lazy skipped", True),
        ("removed", "no test that runs by default keeps it", True),
    ]
    assert len(LONG_ALONE) <= 20


@pytest.mark.dear("studies/")
@pytest.mark.parametrize("folder", RUNS)
def test_the_check_of_a_run_tells_what_is_broken(
    folder: str,
    results: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("verif.testplan.promised", lambda given: ["good", "few", "lazy"])
    assert check(results, folder) == 1
    printed = capsys.readouterr().out
    assert "testplan: lazy: tests.test_a::test_lazy skipped" in printed
    assert printed.endswith("testplan: 3 promises, 1 broken\n")
    with pytest.raises(SystemExit):
        main([])


def test_one_promise_of_twenty_may_have_dear_tests_alone(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ["good", "few", "new", "icarus"] * 5
    monkeypatch.setattr("verif.testplan.promised", lambda given: [*kept[:19], "of dear ones"])
    assert check(results, "tests/", landing=True) == 0
    assert "of 20 promises 1 are kept by dear tests alone" in capsys.readouterr().out
    assert check(results, "tests/") == 1
    monkeypatch.setattr("verif.testplan.promised", lambda given: [*kept[:18], "of dear ones"])
    assert check(results, "tests/", landing=True) == 1
    assert "only one in twenty may be:\nof dear ones\n" in capsys.readouterr().out


def test_promises_are_read_from_marks_and_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark of a parameter counts, too; the first folder of a sentence is its place."""
    monkeypatch.setattr("verif.testplan.ROOT", tmp_path)
    for name, text in {
        "b/test_b.py": '@pytest.mark.promise("kept twice")\ndef test_b(): pass',
        "a/test_a.py": (
            '@pytest.mark.promise("kept", "kept" " twice")\ndef test_a(): pass\n'
            'CASES = [pytest.param(1, marks=pytest.mark.promise("of a case"))]\n'
            'PROMISES = {"small": ("of a table",)}'
        ),
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    assert promised(tmp_path) == {
        "kept": "a",
        "kept twice": "a",
        "of a case": "a",
        "of a table": "a",
    }
    monkeypatch.setattr("verif.testplan.RUNS", {"tests/": tmp_path})
    assert "## a\n\n- kept\n- kept twice\n" in page()


@cache
def everything() -> set[str]:
    """Return all promises."""
    return {sentence for folder in RUNS.values() for sentence in promised(folder)}


@pytest.mark.dear
def test_all_promises_are_found() -> None:
    assert everything() >= LONG_ALONE
    assert len(everything()) > 500


@cache
def marked() -> dict[str, set[bool]]:
    """Return each sentence of a mark, and for each test that has it whether it is long."""
    found: dict[str, set[bool]] = {}
    for root in RUNS.values():
        for file in root.rglob("test_*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                marks = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
                long = any(mark.startswith(LONG_MARKS) for mark in marks)
                for mark in getattr(node, "decorator_list", []):
                    if ast.unparse(mark).startswith("pytest.mark.promise("):
                        (sentence,) = mark.args
                        found.setdefault(ast.literal_eval(sentence), set()).add(long)
    return found


def test_no_promise_hangs_on_long_tests_alone() -> None:
    assert {sentence for sentence, long in marked().items() if long == {True}} <= LONG_ALONE


def test_the_dearest_tests_are_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dearest(results) == [(2.5, "tests.test_a::test_good[1]")]
    tell_prices(results)
    printed = capsys.readouterr().out
    assert "   2.5 CPU s tests.test_a::test_good[1]" in printed
    assert "2 CPU s in 1 tests" in printed


def test_sentences_are_one_line() -> None:
    assert all(re.fullmatch(r"\S.*[^.\s]", promise) for promise in everything())


@cache
def names_in(file: str) -> set[str]:
    """Return the names of the test functions in a file; none if there is no such file."""
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@cache
def collected(file: str) -> set[str]:
    """Return the tests of a file with the names of their parameters."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--long", "-n", "0", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


@pytest.mark.dear
def test_every_test_that_a_kept_fault_names_exists() -> None:
    for test in sorted({test for fault in read_kept() for test in fault.tests}):
        file, _, name = test.partition("::")
        if file.endswith(PARTS) and "[" in name:
            assert test in collected(file)
            continue
        names = names_in(file)
        assert name.partition("[")[0] in names if name else names, test
