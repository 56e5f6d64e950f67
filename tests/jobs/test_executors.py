"""All executors give the same, lose nothing with a worker, and leave nothing behind."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from hwgen.errors import ConfigError, HwgenError, MissingToolError, WorkerError
from hwgen.jobs import hosts
from hwgen.jobs.executors import (
    DaskExecutor,
    Executor,
    ProcessExecutor,
    SerialExecutor,
    make_executor,
)
from hwgen.jobs.store import run_stored
from tests.jobs import work

ROOT = Path(__file__).parents[2]
KINDS = ["serial", "one process", "three processes", "dask"]


@pytest.fixture(scope="module")
def dask() -> Iterator[DaskExecutor]:
    with DaskExecutor(workers=2) as executor:
        yield executor


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(3) as executor:
        yield executor


@pytest.fixture(params=KINDS)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    match request.param:
        case "serial":
            yield SerialExecutor()
        case "one process":
            with ProcessExecutor(1) as one:
                yield one
        case "three processes":
            yield request.getfixturevalue("processes")
        case "dask":
            yield request.getfixturevalue("dask")


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_same_results_to_the_last_bit(executor: Executor) -> None:
    tasks = [{"x": i, "b": 0.1 + i, "a": "ü"} for i in range(7)]
    expected = json.loads(json.dumps([work.what_json_holds(task) for task in tasks]))
    assert json.dumps(run_stored(executor, work.WHAT_JSON_HOLDS, tasks)) == json.dumps(expected)
    done = list(executor.run(work.WHAT_JSON_HOLDS, tasks))
    assert sorted(i for i, _ in done) == list(range(7))
    assert list(executor.run(work.WHAT_JSON_HOLDS, [])) == []


def test_workers_are_counted(executor: Executor, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["executor"]
    assert executor.workers == dict(zip(KINDS, [1, 1, 3, 2], strict=True))[kind]


def test_exception_is_passed_on_as_itself(executor: Executor) -> None:
    with pytest.raises(ConfigError, match=r"^x must be odd, got 2 \(a task\)"):
        list(executor.run(work.REFUSE, [{"x": x} for x in range(5)]))
    assert run_stored(executor, work.REFUSE, [{"x": 1}]) == [None]


def test_exception_of_a_process_shows_where_it_was_raised(processes: ProcessExecutor) -> None:
    with pytest.raises(ConfigError) as caught:
        list(processes.run(work.REFUSE, [{"x": 2}]))
    assert "in refuse" in "".join(caught.value.__notes__)


def test_a_worker_computes_in_one_thread_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threads of several workers would spin while they wait for each other's cores."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    with ProcessExecutor(1) as one:
        found = dict(one.run(work.VARIABLE, [{"name": each} for each in names]))
    assert found == {0: "1", 1: "3"}
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_exception_that_cannot_travel_is_a_sentence(processes: ProcessExecutor) -> None:
    with pytest.raises(WorkerError, match="UnportableError: one and two"):
        list(processes.run(work.UNPORTABLE, [{}]))


def test_task_that_json_cannot_hold_is_refused(executor: Executor) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        list(executor.run(work.WHAT_JSON_HOLDS, [{"x": {1, 2}}]))


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_killed_worker_loses_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    executor: Executor = request.getfixturevalue(kind)
    tasks = work.slow_tasks(tmp_path, 8, 0.02)
    for i, task in enumerate(tasks):
        task["kill"] = i == 2
    assert run_stored(executor, work.KILLED_ONCE, tasks) == [i / 7 for i in range(8)]
    assert (tmp_path / "killed").exists()
    calls = (tmp_path / "calls").read_text().split()
    assert set(calls) == {str(i) for i in range(8)}
    if kind == "processes":
        assert len(calls) == 8, "only the task of the worker that died may be repeated"


def test_worker_killed_from_outside_is_replaced(processes: ProcessExecutor) -> None:
    tasks = [{"seconds": 0.1, "n": n} for n in range(6)]
    with closing(processes.run(work.WHO, tasks)) as finished:
        _, victim = next(finished)
        os.kill(victim, signal.SIGKILL)
        assert len(list(finished)) == 5


UNGUARDED = """
from hwgen.jobs.executors import make_executor

print("once", __name__)
with make_executor({workers}, {scheduler!r}) as executor:
    print([each for _, each in executor.run("tests.jobs.work:refuse", [{{"x": 1}}])])
"""


@pytest.mark.promise(
    "a script that calls the Python API needs no main guard, however many workers it asks for"
)
@pytest.mark.parametrize(("workers", "scheduler"), [(1, None), (2, None), (1, "local")])
def test_a_script_needs_no_main_guard(workers: int, scheduler: str | None, tmp_path: Path) -> None:
    """A worker does not run it again."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED.format(workers=workers, scheduler=scheduler))
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "once __main__\n[None]\n", "")


def test_task_that_kills_every_worker_is_one_sentence(
    processes: ProcessExecutor, tmp_path: Path
) -> None:
    tasks = [task | {"kill": task["x"] == 1} for task in work.slow_tasks(tmp_path, 4, 0.02)]
    with pytest.raises(WorkerError, match=r"^task 1 of .* 3 that died .* exit code -9: if memory"):
        list(processes.run(work.ALWAYS_KILLED, tasks))
    assert run_stored(processes, work.SLOW, tasks[:1]) == [0.0]


@pytest.mark.long
def test_task_that_kills_every_dask_worker_is_one_sentence(tmp_path: Path) -> None:
    tasks = [task | {"kill": True} for task in work.slow_tasks(tmp_path, 1, 0)]
    with (
        DaskExecutor(workers=2) as own,
        pytest.raises(WorkerError, match="worker after worker died"),
    ):
        list(own.run(work.ALWAYS_KILLED, tasks))


def test_processes_live_on_between_runs_and_end_with_the_executor() -> None:
    before = children()
    with ProcessExecutor(2) as executor:
        tasks = [{"seconds": 0.05, "n": n} for n in range(4)]
        first = set(run_stored(executor, work.WHO, tasks))
        assert first == set(run_stored(executor, work.WHO, tasks))
        assert len(first) == 2
    assert not first & children()
    assert len(children() - before) <= 1  # the resource tracker of multiprocessing


def test_abandoned_run_stops_at_once(processes: ProcessExecutor) -> None:
    began = time.monotonic()
    with closing(processes.run(work.WHO, [{"seconds": s} for s in (0, 60, 61)])) as finished:
        assert next(finished)[0] == 0
    assert time.monotonic() - began < 10
    assert len(run_stored(processes, work.WHO, [{"seconds": 0}] * 3)) == 3


def test_dask_listens_on_loopback_only(dask: DaskExecutor) -> None:
    own = psutil.Process()
    addresses = {
        connection.laddr.ip
        for process in [own, *own.children(recursive=True)]
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_two_dask_clusters_at_a_time(dask: DaskExecutor) -> None:
    began = time.monotonic()
    with DaskExecutor(workers=1) as another:
        finished = another.run(work.WHO, [{"seconds": s} for s in (0, 60)])
        assert next(finished)[0] == 0
        finished.close()
    assert time.monotonic() - began < 15, "what is abandoned does not hold up the end"


def test_dask_of_others_is_reached_by_its_address(dask: DaskExecutor) -> None:
    address = dask._client.scheduler.address
    with make_executor(7, address) as executor:
        assert executor.workers == 2
        assert run_stored(executor, work.REFUSE, [{"x": 1}]) == [None]
    assert run_stored(dask, work.REFUSE, [{"x": 3}]) == [None]


def test_host_with_other_sources_refuses() -> None:
    hosts.call_here(work.REFUSE, '{"x": 1}', hosts.sources_digest())
    with pytest.raises(WorkerError, match="every Dask worker must have the same hwgen, got"):
        hosts.call_here(work.REFUSE, '{"x": 1}', "0" * 64)


@pytest.mark.promise("options that nobody means are one sentence")
def test_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "PATIENCE_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(WorkerError, match=rf"must be reachable.*\(tcp://127.0.0.1:{port}\)$"):
        make_executor(2, f"tcp://127.0.0.1:{port}")


def test_missing_dask_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingToolError, match=r"^the package distributed is needed"):
        make_executor(2, "local")


def test_number_of_workers() -> None:
    for workers in (1, 2):
        made = make_executor(workers)
        assert isinstance(made, ProcessExecutor)
        assert made.workers == workers
    for wrong in (0, -1):
        with pytest.raises(ConfigError, match=f"^workers must be at least 1, got {wrong}"):
            make_executor(wrong)
        with pytest.raises(ConfigError, match=f"^workers must be at least 1, got {wrong}"):
            make_executor(wrong, "local")


@pytest.mark.dear("base")
@pytest.mark.parametrize(
    "make", [lambda: HwgenError("one"), lambda: WorkerError("two")], ids=["base", "worker"]
)
def test_errors_are_values(make: Callable[[], HwgenError]) -> None:
    copy = pickle.loads(pickle.dumps(make()))
    assert type(copy) is type(make())
    assert copy.args == make().args
