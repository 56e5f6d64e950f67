"""Seconds are booked under the kind of the child that spent them, and summed by test."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.profile.plugin import BENCH, OTHER, OWN, kind_of
from tests.profile.run import read_profile, tables

ROOT = Path(__file__).parents[2]
TESTS = """
import subprocess, sys, time
import pytest

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

@pytest.mark.parametrize("n", [1, 2])
def test_child(n):
    code = "import time\\nend = time.process_time() + 0.4\\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", code, "verilator", "--lint-only"], check=True)

def test_own():
    burn(0.3)

def test_compiled():
    import numba
    assert numba.njit(lambda x: x + 1)(1) == 2
"""


@pytest.mark.promise(
    "a profile of the tests books each processor second under the kind of work that spent it"
)
@pytest.mark.parametrize(
    ("command", "environment", "kind"),
    [
        (["/x/verilator_bin", "--lint-only", "-Wall", "a.v"], (), "lint"),
        (["verilator", "--cc", "--exe", "a.v"], (), "C++ build"),
        (["make", "-C", "build/sim/host"], (), "C++ build"),
        ([sys.executable, "-c", "import pyosys"], (), "Yosys"),
        (["/home/a/.cache/hwgen/sim/host-0123/host"], (), "simulation"),
        (["vvp", "-M", "lib"], (BENCH,), "bench"),
        ([sys.executable, "-m", "hwgen", "run"], (), "commands"),
        ("git diff", (), OTHER),
    ],
)
def test_kinds_of_processes(command: object, environment: tuple[str, ...], kind: str) -> None:
    assert kind_of(command, environment) == kind


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a small suite under the plugin, by two workers."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_small.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "tests.profile.plugin"]
    more = ["--rootdir", folder, "--junitxml", folder / "results.xml", folder / "test_small.py"]
    subprocess.run([*command, *more], cwd=ROOT, check=True, capture_output=True)
    return folder / "results.xml"


@pytest.mark.dear
def test_seconds_lie_where_they_were_spent(results: Path) -> None:
    found = {test.split("::")[1]: spent for test, spent in read_profile(results).items()}
    assert found["test_child"]["lint"] > 0.8 > 2 * found["test_child"][OWN]
    assert found["test_own"][OWN] > 0.3 and found["test_own"]["lint"] == 0
    compiled = found["test_compiled"]
    assert compiled["compiled functions"] > compiled[OWN] > 0


def test_tables_have_sums_and_the_dearest() -> None:
    profile = {
        "tests/a/b/c/test_x.py::test_one": Counter({OWN: 1.0, "bench": 3.0}),
        "tests/a/b/test_y.py::test_two": Counter({"bench": 1.0}),
    }
    lines = list(tables(profile))
    assert "| all | 5 | 4 | 1 |" in lines and "| a/b | 5 | 4 | 1 |" in lines
    assert lines[-2:] == [
        "| a/b/c/test_x.py::test_one | 4.0 | bench 3.0 |",
        "| a/b/test_y.py::test_two | 1.0 | bench 1.0 |",
    ]
