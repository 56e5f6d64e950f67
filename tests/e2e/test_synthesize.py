"""The whole synthesis with the real search: any number of workers, interrupted, and resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwgen.crossbar.pages.synthesis_files import FILES

ROOT = Path(__file__).parents[2]
REQUEST = ["synthesize", "cifar_alexnet", "--power-w", "12", "--evaluations", "4000"]

INTERRUPT_AFTER = 3
"""Results in the store before the interrupt comes."""


def command(folder: Path, *more: str) -> list[str]:
    given = [*REQUEST, "--out", str(folder / "out"), "--work", str(folder / "work"), *more]
    return [sys.executable, "-m", "hwgen", *given]


def synthesize(folder: Path, *more: str) -> dict[str, bytes]:
    """Run a synthesis to its end; return the bytes of its files."""
    done = subprocess.run(
        command(folder, *more), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name: (folder / "out" / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process writes without being disturbed."""
    return synthesize(tmp_path_factory.mktemp("whole"), "--workers", "1")


@pytest.mark.long
def test_workers_change_nothing(whole: dict[str, bytes], tmp_path: Path) -> None:
    assert synthesize(tmp_path, "--workers", "2") == whole


@pytest.mark.long
def test_interrupted_and_resumed(whole: dict[str, bytes], tmp_path: Path) -> None:
    with subprocess.Popen(
        command(tmp_path, "--workers", "2"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        while running.poll() is None and results_in(tmp_path) < INTERRUPT_AFTER:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=120)
    assert running.returncode in (0, 130)
    assert "Traceback" not in said
    assert "goes on where" in said
    assert results_in(tmp_path) >= INTERRUPT_AFTER
    assert synthesize(tmp_path, "--workers", "2") == whole


def results_in(folder: Path) -> int:
    """Return the number of cached tasks."""
    return len(list((folder / "work/search").glob("*.json")))
