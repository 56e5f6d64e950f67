"""Results outlive interrupts; damaged files do not matter; resumed runs give the same bytes."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import OutputError
from hwgen.jobs.executors import ProcessExecutor, SerialExecutor
from hwgen.jobs.store import MISSING, Store, run_stored
from tests.jobs import work

ROOT = Path(__file__).parents[2]


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return file.read_text().split() if file.exists() else []


def stored_bytes(store: Store) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in store.folder.iterdir()}


@pytest.mark.parametrize("result", [None, 0.1 + 0.2, -0.0, 5e-324, [1, "ü", {"a": None}], 2**80])
def test_reads_what_was_written(result: Any, tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder", code="c")
    assert store.read("f", {"x": 1}) is MISSING
    store.write("f", {"x": 1, "y": 2.5}, result)
    read = store.read("f", {"y": 2.5, "x": 1})
    assert repr(read) == repr(result)
    assert len(list(store.folder.iterdir())) == 1, "nothing half-written stays behind"


def test_not_a_number_is_kept_too(tmp_path: Path) -> None:
    store = Store(tmp_path, code="c")
    store.write("f", {}, [math.inf, math.nan])
    assert repr(store.read("f", {})) == "[inf, nan]"


def test_another_function_task_or_code_is_another_result(tmp_path: Path) -> None:
    store = Store(tmp_path, code="c")
    store.write("f", {"x": 1}, 1)
    assert store.read("g", {"x": 1}) is MISSING
    assert store.read("f", {"x": 1.0}) is MISSING
    assert Store(tmp_path, code="d").read("f", {"x": 1}) is MISSING


def test_order_and_what_is_fresh(tmp_path: Path) -> None:
    store, tasks = Store(tmp_path / "store", code="c"), work.slow_tasks(tmp_path, 5, 0)
    heard: list[tuple[int, Any, bool]] = []
    run_stored(SerialExecutor(), work.SLOW, tasks[3:], store)
    results = run_stored(
        SerialExecutor(), work.SLOW, tasks, store, lambda *event: heard.append(event)
    )
    assert results == [i / 7 for i in range(5)]
    assert heard == [(i, i / 7, i < 3) for i in (3, 4, 0, 1, 2)]
    assert calls(tmp_path) == ["3", "4", "0", "1", "2"]


def test_what_finished_before_an_error_is_kept(tmp_path: Path) -> None:
    store, tasks = Store(tmp_path / "store", code="c"), work.slow_tasks(tmp_path, 5, 0)

    def stop(index: int, result: Any, fresh: bool) -> None:
        if index == 2:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        run_stored(SerialExecutor(), work.SLOW, tasks, store, stop)
    assert len(stored_bytes(store)) == 3
    run_stored(SerialExecutor(), work.SLOW, tasks, store)
    assert calls(tmp_path) == ["0", "1", "2", "3", "4"]


def flipped(whole: bytes) -> bytes:
    at = whole.index(b'"result": 0.') + len(b'"result": 0.')
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"\xff" + whole,
        lambda whole: b"[" * 100_000,
        lambda whole: b"[]",
        lambda whole: b"{}",
        flipped,
    ],
    ids=["empty", "truncated", "no text", "deep", "list", "no keys", "flipped bit"],
)
def test_damaged_file_is_computed_again(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    store, tasks = Store(tmp_path / "store", code="c"), work.slow_tasks(tmp_path, 3, 0)
    expected = run_stored(SerialExecutor(), work.SLOW, tasks, store)
    whole = stored_bytes(store)
    file = store.path(work.SLOW, tasks[1])
    file.write_bytes(damage(file.read_bytes()))
    assert run_stored(SerialExecutor(), work.SLOW, tasks, store) == expected
    assert calls(tmp_path) == ["0", "1", "2", "1"]
    assert stored_bytes(store) == whole


def test_file_of_another_task_is_not_taken(tmp_path: Path) -> None:
    store, tasks = Store(tmp_path / "store", code="c"), work.slow_tasks(tmp_path, 2, 0)
    expected = run_stored(SerialExecutor(), work.SLOW, tasks, store)
    shutil.copy(store.path(work.SLOW, tasks[0]), store.path(work.SLOW, tasks[1]))
    assert run_stored(SerialExecutor(), work.SLOW, tasks, store) == expected


def test_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    store = Store(tmp_path / "store", code="c")
    with pytest.raises(OutputError, match="the store of results must be writable at"):
        run_stored(SerialExecutor(), work.SLOW, work.slow_tasks(tmp_path, 2, 0), store)


def start(folder: Path, workers: int, scheduler: str) -> subprocess.Popen[str]:
    """Start a stored job as the leader of a group of processes, as a shell would.

    Where these tests run in the background, interrupts are ignored, and a child would inherit that.
    """
    arguments = [str(folder), str(workers), scheduler]
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"import tests.jobs.work as w; w.main(*{arguments!r})"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.dear("1-")
@pytest.mark.promise(
    "any number of workers, and an interrupt with a second run, give the same files"
)
@pytest.mark.parametrize(("workers", "scheduler"), [(1, ""), (3, ""), (2, "local")])
def test_interrupt_and_resume(workers: int, scheduler: str, tmp_path: Path) -> None:
    job = start(tmp_path, workers, scheduler)
    store = Store(tmp_path / "store", code="c")
    wait_for(lambda: store.folder.exists() and len(list(store.folder.glob("[!.]*"))) >= 3)
    os.killpg(job.pid, signal.SIGINT)
    _, error = job.communicate(timeout=10)
    assert job.returncode == -signal.SIGINT
    assert error.count("Traceback") == 1, error
    wait_for(lambda: group_is_gone(job.pid), 5)
    kept = {json.loads(data)["task"]["x"] for data in stored_bytes(store).values()}
    assert 3 <= len(kept) < 12
    (tmp_path / "calls").unlink()

    tasks = work.slow_tasks(tmp_path, 12, 0.15)
    with ProcessExecutor(2) as executor:
        results = run_stored(executor, work.SLOW, tasks, store)
    assert results == [i / 7 for i in range(12)]
    assert sorted(int(x) for x in calls(tmp_path)) == sorted(set(range(12)) - kept)
    uninterrupted = Store(tmp_path / "uninterrupted", code="c")
    for task in tasks:
        uninterrupted.write(work.SLOW, task, work.slow(task | {"seconds": 0}))
    assert stored_bytes(store) == stored_bytes(uninterrupted)


def test_workers_leave_when_the_main_process_is_killed(tmp_path: Path) -> None:
    job = start(tmp_path, 2, "")
    wait_for(lambda: len(calls(tmp_path)) >= 2)
    os.kill(job.pid, signal.SIGKILL)
    job.communicate(timeout=10)
    wait_for(lambda: group_is_gone(job.pid), 5)
