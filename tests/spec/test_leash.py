"""No child outlives its parent, however the parent ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwgen.spec.leash import leashed
from tests.cli.given import ROOT

DEADLINE_S = 5.0

PARENT = """
import subprocess, sys, time
from pathlib import Path
from hwgen.spec.leash import leashed
script = "sleep 60 & echo $! > {folder}/grandchild; echo $$ > {folder}/child; wait"
with leashed(["sh", "-c", script], out=subprocess.DEVNULL, err=subprocess.DEVNULL) as running:
    print("begun", flush=True)
    running.wait()
"""

FORKING = """
import os, time
from hwgen.spec.leash import die_with_parent
from pathlib import Path
child = os.fork()
if child == 0:
    die_with_parent()
    print("begun", flush=True)
    time.sleep(60)
Path("{folder}/child").write_text(str(child))
os.waitpid(child, 0)
"""


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return ") Z " not in stat.read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def number_in(path: Path) -> int:
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists() or not path.read_text("ascii").strip():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int(path.read_text("ascii"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("script", "names"), [(PARENT, 2), (FORKING, 1)])
def test_no_orphan_is_left(tmp_path: Path, number: signal.Signals, script: str, names: int) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", script.format(folder=tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "begun\n"
    children = [number_in(tmp_path / name) for name in ("child", "grandchild")[:names]]
    assert all(alive(child) for child in children)
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + DEADLINE_S
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(alive(child) for child in children)


def test_a_command_ends_as_it_does_alone(tmp_path: Path) -> None:
    with leashed(
        ["sh", "-c", "pwd; echo $X; exit 7"],
        folder=tmp_path,
        environment={**os.environ, "X": "a b"},
        out=subprocess.PIPE,
        err=subprocess.PIPE,
    ) as running:
        out, err = running.communicate()
    assert (out, err, running.returncode) == (f"{tmp_path}\na b\n", "", 7)
    with leashed(
        ["sh", "-c", "kill -9 $$"], out=subprocess.DEVNULL, err=subprocess.DEVNULL
    ) as running:
        assert running.wait() == -signal.SIGKILL
