"""No child outlives its parent, however the parent ends, and a signal ends a process in time."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hwgen.files.leash import ended_in_time, leashed
from tests.cli.given import ROOT

DEADLINE_S = 5.0

ASKED = "signal.signal(signal.SIGINT, signal.default_int_handler)"
"""Tests that run in the background of a shell are started with Ctrl-C ignored."""

PARENT = """
import signal, subprocess, sys, time
from pathlib import Path
from hwgen.files.leash import leashed
{asked}
script = "sleep 60 & echo $! > {folder}/grandchild; echo $$ > {folder}/child; wait"
with leashed(["sh", "-c", script], out=subprocess.DEVNULL, err=subprocess.DEVNULL) as running:
    print("begun", flush=True)
    running.wait()
"""

FORKING = """
import os, signal, time
from hwgen.files.leash import die_with_parent
from pathlib import Path
{asked}
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


@pytest.mark.promise(
    "a fault is one sentence, a closed pipe is no error, a signal ends all processes and says"
    " that the command goes on"
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("script", "names"), [(PARENT, 2), (FORKING, 1)])
def test_no_orphan_is_left(tmp_path: Path, number: signal.Signals, script: str, names: int) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", script.format(folder=tmp_path, asked=ASKED)],
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
    parent.wait(DEADLINE_S)
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


HELD_UP = """
import hashlib, os, signal, sys, time
from hwgen.files.leash import ended_in_time, no_deadline

signal.signal(signal.SIGINT, signal.default_int_handler)  # not what the tests were started with
signal.signal(signal.SIGTERM, signal.default_int_handler)
with ended_in_time(lambda number: os._exit(100 + number), seconds=0.2):
    print("begun", flush=True)
    try:
        {body}
    except KeyboardInterrupt:
        {after}
sys.exit(7)
"""
COMPUTES = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
SLEEPS = "time.sleep(60)"
BODIES = {
    "a library computes": (COMPUTES, "pass", 100),
    "the exception is lost": (SLEEPS, SLEEPS, 100),
    "it cleans up in time": (SLEEPS, "pass", None),
    "it goes on with what it has": (SLEEPS, "no_deadline(); time.sleep(0.6)", None),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("case", BODIES)
def test_a_signal_has_a_deadline(number: signal.Signals, case: str) -> None:
    body, after, base = BODIES[case]
    process = subprocess.Popen(
        [sys.executable, "-c", HELD_UP.format(body=body, after=after)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.1)  # into the body
    process.send_signal(number)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == (7 if base is None else base + number)


def test_what_was_woken_by_signals_is_woken_again() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing)
    try:
        with ended_in_time(os._exit):
            pass
        assert signal.set_wakeup_fd(writing) == writing
    finally:
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)


def test_another_thread_has_no_deadline() -> None:
    seen = []

    def work() -> None:
        with ended_in_time(os._exit):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
