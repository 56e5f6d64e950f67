"""Faults that a machine draws: which there are, which tests meet them, and those that are kept."""

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.changed.run import house
from tests.faults import draw as door
from tests.faults import worth
from tests.faults.kept import KEPT, Kept, planted, read_kept
from tests.faults.operators import changes_of_lines
from tests.faults.python import (
    ALL,
    LANDING,
    NEAR,
    Copies,
    Verdict,
    differs,
    draw,
    further_tests,
    nearest_tests,
    outcomes,
)
from tests.faults.verilog import made_by
from verif.toolchain import ROOT

MOST_KEPT = 150

WRONG = {
    "x = a and b": "x = a | x = b | x = a or b",
    "x = a - 2": "x = a | x = 2 | x = a + 2 | x = 2 - a | x = a - 3 | x = a - 1",
    "x = a < b": "x = a <= b | x = a >= b",
    "x = not a": "x = a",
    "x = a if b else c": "x = a | x = c | x = c if b else a",
    "x = [a for a in b if c]": "x = [a for a in b if True]",
    "x = f(a, k=b)": "x = a | x = f(a)",
    "x = f(a, b)": "x = a | x = b | x = f(a) | x = f(b, a)",
    "x = max(a, b)": "x = a | x = b | x = max(a) | x = min(a, b)",
    "x = a.f()": "x = a",
    "x = a[b:c]": "x = a[:c] | x = a[b:]",
    "x = a, b": "x = (a,) | x = (b,)",
    "x += a": "pass | x = a",
    "x[a] = b": "pass",
    "x = True": "x = False",
    "f(a)": "a | pass",
    "x: a | b = c": "",
    "x = Callable[[a, b], c]": "",
    "x = tuple[a, b]": "",
    "x = zip(a, strict=True)": "x = a",
    "assert a": "pass",
    "assert a is not None": "assert a is None",
    "def f(a: b | c) -> b | c: pass": "",
    "x = f'{a + b}'": "",
    "x = 'é' + a": "x = 'é' | x = a | x = 'é' - a",
}
"""A text, and all programs that a fault makes of it."""


@pytest.mark.promise(
    "faults of Python are drawn by a machine: another operator, a forgotten operand, an exchanged"
    " argument, a statement that does nothing"
)
@pytest.mark.parametrize(("text", "wrong"), WRONG.items())
def test_faults_of_a_line(text: str, wrong: str) -> None:
    changes = changes_of_lines(text).get(1, [])
    programs = {ast.unparse(ast.parse(change.of(text))) for change in changes}
    assert programs - {ast.unparse(ast.parse(text))} == set(filter(None, wrong.split(" | ")))


def test_conditions_loops_and_jumps() -> None:
    text = "for a in b:\n    if c:\n        continue\n    while d:\n        raise e\n"
    lines = {
        line: {change.wrong for change in found} for line, found in changes_of_lines(text).items()
    }
    assert lines == {1: {"()"}, 2: {"True", "False"}, 3: {"pass"}, 4: {"False"}, 5: {"pass"}}


def test_a_fault_is_another_program() -> None:
    assert differs("x = 2", "x = 1")
    assert not differs("x = (1)", "x = 1")
    assert not differs("x = = 1", "x = 1")


FILES = {
    "hwgen/__init__.py": "",
    "hwgen/room/__init__.py": "",
    "hwgen/room/sums.py": "def total(a, b):\n    return a + b\n\n\ndef unread():\n    return 1\n",
    "hwgen/room/loops.py": "def falls(a):\n    while a > 0:\n        a -= 1\n    return a\n",
    "hwgen/room/deep.py": "",
    "hwgen/room/upper.py": "from hwgen.room import deep\n",
    "tests/room/test_sums.py": (
        "from hwgen.room.sums import total\n\n\ndef test_sum():\n    assert total(2, 3) == 5\n\n\n"
        "def test_fails_anyway():\n    assert total(1, 0) == 2\n"
    ),
    "tests/room/test_loops.py": (
        "from hwgen.room.loops import falls\n\n\ndef test_falls():\n    assert falls(3) == 0\n"
    ),
    "tests/room/test_more.py": "from hwgen.room import sums, upper\n",
    "tests/other/test_elsewhere.py": "from hwgen.room import sums, deep\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "tree"


@pytest.mark.promise("drawn faults stand in different lines, and a seed names them")
def test_a_seed_and_a_count_name_the_faults(small: Path) -> None:
    files = [file for file in FILES if file.startswith("hwgen")]
    few = draw(small, files, 3, seed=1)
    assert few == draw(small, reversed(files), 3, seed=1)
    every = draw(small, files, 9, seed=2)
    assert sorted((fault.file, fault.change.line) for fault in every) == [
        *(("hwgen/room/loops.py", line) for line in (2, 3)),
        *(("hwgen/room/sums.py", line) for line in (2, 6)),
    ]


def test_the_nearest_tests_come_first(small: Path) -> None:
    known = house(small)
    assert nearest_tests("hwgen/room/sums.py", known) == (
        "tests/room/test_sums.py",
        "tests/room/test_more.py",
    )
    assert nearest_tests("hwgen/room/deep.py", known) == ("tests/room/test_more.py",)
    (small / "tests/room/test_more.py").unlink()
    assert nearest_tests("hwgen/room/deep.py", house(small)) == ("tests/other/test_elsewhere.py",)
    (small / "tests/other/test_elsewhere.py").unlink()
    assert nearest_tests("hwgen/room/deep.py", house(small)) == ()


def test_a_module_without_tests_has_those_around_it_or_a_row_of_a_table() -> None:
    known = house()
    assert nearest_tests("golden/ops/fixed_softmax.py", known) == (
        "tests/importers/tflite/test_tokens.py",
    )
    test, *chosen = nearest_tests("verif/reference/crossbar/chain.py", known)
    assert test.startswith("tests/verif/crossbar/") and chosen == ["-k", "chain"]


@pytest.mark.promise(
    "a drawn fault is killed by a test that passes without it, or by its time; others survive"
)
def test_killed_surviving_and_hanging(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.python.FIRST_SECONDS", 4)
    monkeypatch.setattr("tests.faults.python.SLACK_SECONDS", 1)
    copies = Copies(small, tmp_path)

    def failed(file: str, old: str, new: str, tests: Sequence[str]) -> str:
        text = FILES[file].replace(old, new)
        return copies.verdict({file: text}, tests, plain=False).failed

    sums, loops = "tests/room/test_sums.py", "tests/room/test_loops.py"
    assert failed("hwgen/room/sums.py", "a + b", "a - b", [sums]) == f"{sums}::test_sum"
    assert failed("hwgen/room/sums.py", "return 1", "return 2", [sums]) == ""
    assert failed("hwgen/room/loops.py", "a -= 1", "pass", [loops]) == "time"
    assert failed("hwgen/room/loops.py", "a -= 1", "a -= ", [loops]) == loops
    assert failed("hwgen/room/loops.py", "a > 0", "a > 1", []) == ""
    assert (small / "hwgen/room/loops.py").read_text() == FILES["hwgen/room/loops.py"]


OPTIONS = """
def pytest_addoption(parser):
    parser.addoption("--landing", action="store_true")
    parser.addoption("--dear", action="store_true")


def pytest_collection_modifyitems(config, items):
    for option, left_out in (("--landing", True), ("--dear", False)):
        if config.getoption(option):
            items[:] = [item for item in items if ("dear" in item.name) != left_out]
"""


def test_a_test_that_needs_compiled_functions_has_them(small: Path, tmp_path: Path) -> None:
    test = "tests/room/test_compiled.py"
    (small / test).write_text(
        "import os\n\nfrom hwgen.room.sums import total\n\n\ndef test_sum():\n"
        "    assert 'NUMBA_DISABLE_JIT' not in os.environ\n    assert total(2, 3) == 5\n"
    )
    wrong = FILES["hwgen/room/sums.py"].replace("a + b", "a - b")
    copies = Copies(small, tmp_path / "copies", workers=1)
    found = copies.verdict({"hwgen/room/sums.py": wrong}, [test], plain=True)
    assert found.failed == f"{test}::test_sum"


@pytest.mark.promise(
    "of each drawn fault it is known whether tests near it, others of the landing run, or dear ones"
    " kill it; a run that its time ends kills nothing"
)
def test_who_kills_a_fault(small: Path, tmp_path: Path) -> None:
    sums, more, elsewhere = "hwgen/room/sums.py", "tests/room/test_more.py", "tests/other/test_b.py"
    (small / "conftest.py").write_text(OPTIONS, encoding="utf-8")
    (small / more).write_text(
        "from hwgen.room.sums import total\n\n\ndef test_one():\n    assert total(1, 0) == 1\n\n\n"
        "def test_dear():\n    assert total(1, 2) < 4\n",
        encoding="utf-8",
    )
    (small / elsewhere).write_text(
        "import time\nfrom hwgen.room import sums\n\n\n"
        "def test_fails_anyway():\n    assert sums.total(1, 0) == 3\n\n\n"
        "def test_b():\n    time.sleep(sums.unread() - 1)\n    assert sums.total(2, 0) == 2\n",
        encoding="utf-8",
    )
    copies, reaching = Copies(small, tmp_path, 1), further_tests(sums, house(small))
    assert set(reaching) == {
        *(more, elsewhere, "tests/room/test_sums.py", "tests/other/test_elsewhere.py")
    }

    def found(old: str, new: str, seconds: float = 60) -> tuple[str, str, float]:
        texts, others = {sums: FILES[sums].replace(old, new)}, [more, elsewhere]
        near = copies.verdict(texts, [more], plain=False, only="--landing")
        if near.failed:
            return near.by, near.failed, 0
        far = copies.further(texts, [more], others, plain=False, seconds=seconds)
        return far.by, far.failed, far.stopped

    assert found("a + b", "b") == (NEAR, f"{more}::test_one", 0)
    assert found("a + b", "min(a, 1) + b") == (LANDING, f"{elsewhere}::test_b", 0)
    assert found("a + b", "a + b * b") == (ALL, f"{more}::test_dear", 0)
    assert found("a + b", "b + a") == ("", "", 0)
    assert found("return 1", "return 99", seconds=1) == ("", "", 1)


def test_the_table_holds_what_runs_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at, record = "1234567890", tmp_path / "drawn.json"
    monkeypatch.setattr(worth, "commit", lambda: at)
    killed, lives = Verdict("a", 1, 1), Verdict("", 1, 1, by="", stopped=3)
    found = {"x": killed, "y": replace(killed, by=LANDING), "z": lives}
    worth.keep("network", 1, found, record)
    worth.keep("golden", 1, {"x": killed}, record)
    assert worth.known("network", 1, record) == found
    assert worth.known("network", 2, record) == {}
    rows = worth.table(worth.read(record)).splitlines()
    assert rows[2:4] == ["| `network` | 3 | 1 | 1 | 0 | 1 |", "| `golden` | 1 | 1 | 0 | 0 | 0 |"]
    assert rows[4].endswith(", commit 1234567890, seed 1")
    at = "1234567891"
    assert worth.known("network", 1, record) == {}


def test_a_run_goes_on_from_what_is_known(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small / "conftest.py").write_text(OPTIONS, encoding="utf-8")
    monkeypatch.setattr("tests.faults.python.FIRST_SECONDS", 10)
    faults = draw(small, ["hwgen/room/sums.py"], 2, seed=2)
    before = {str(fault): Verdict("", 1, 1, by="", stopped=9) for fault in faults[:1]}
    near, kept = {}, {}
    for found, others in ((near, {}), (kept, before)):
        for fault, verdict in outcomes(small, faults, house(small), reach=0, before=others):
            found[str(fault)] = verdict
    assert kept[str(faults[0])] == before[str(faults[0])]
    assert {each.failed and each.by for each in near.values()} == {"", NEAR}
    assert near.keys() == kept.keys()


def test_places() -> None:
    assert door.files_at("network") == door.files_at("hwgen/network")
    assert door.files_at("golden/ops/maps.py") == ["golden/ops/maps.py"]
    with pytest.raises(SystemExit, match=r"PLACE must be a module or a folder of .*, got nowhere"):
        door.files_at("nowhere")
    with pytest.raises(SystemExit, match="2"):
        door.main([])


def test_a_generator_makes_the_modules_with_its_name() -> None:
    assert made_by("simd_lane_2", ["hwgen/dbpim/rtl/simd_lane.py"])
    assert not made_by("simd_lane_2", ["hwgen/dbpim/rtl/simd.py"])
    assert made_by("fifo_8", ["hwgen/chip/rtl/fifo.py"])


@pytest.mark.long
@pytest.mark.promise(
    "faults of a generator are drawn in its Verilog and meet the bench of the part"
)
def test_faults_of_a_generator(capsys: pytest.CaptureFixture[str]) -> None:
    door.main(["mram/rtl/former.py", "--count", "2"])
    said = capsys.readouterr().out
    assert "killed by the bench of former: tiny mram_former:" in said
    assert " of 2 killed" in said


@pytest.mark.promise(
    "faults that no machine draws are kept, at most 150, each with its reason; they have their"
    " places, and the tests that they name exist"
)
def test_kept_faults_have_their_places() -> None:
    faults = read_kept()
    assert len(faults) <= MOST_KEPT
    for fault in faults:
        assert planted(fault) != (ROOT / fault.file).read_text(encoding="utf-8"), fault
        assert fault.reason and fault.tests, fault
    planned = Counter((fault.file, fault.old, fault.new) for fault in faults)
    names = Counter(fault.fault for fault in faults)
    assert [each for each, times in (planned | names).items() if times > 1] == []


def test_no_key_hides_another() -> None:
    """A key given twice keeps its last value: a fault whose line is lost would hide so."""
    groups = yaml.compose(KEPT.read_text(encoding="utf-8"))
    faults = [fault for group in groups.value for fault in dict_of(group)["faults"].value]
    assert len(faults) == len(read_kept())
    for fault in faults:
        keys = [key.value for key, _ in fault.value]
        assert len(keys) == len(set(keys)), f"line {fault.start_mark.line + 1}"


def dict_of(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    """Return the values of a mapping by their keys."""
    return {key.value: value for key, value in node.value}


def test_a_kept_fault_without_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    fault = Kept("", file="a.py", old="x = 1", new="x = 2", tests=(), reason="")
    with pytest.raises(SystemExit, match=r"a\.py must hold once: x = 1"):
        planted(fault, tmp_path)
