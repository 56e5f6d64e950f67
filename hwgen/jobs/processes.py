"""Tasks in processes of this machine.

Each worker has a pipe of its own and nothing else in common with the others: one that is killed
takes only its own task with it, and that task is handed to another. (A
`concurrent.futures.ProcessPoolExecutor` is broken as a whole when one worker is killed.) The pipe
is also the leash: a worker whose main process is gone reads the end of it and leaves; one that is
at work is killed by the system.

Tests: `tests/jobs/test_executors.py`.
"""

import json
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import NamedTuple, Self, cast

from hwgen.errors import WorkerError
from hwgen.files.leash import die_with_parent
from hwgen.jobs.tasks import Results, Task, call, check_workers, task_text

DEATHS = 3
"""So many workers may die in the same task; then the task is to blame, or the machine."""

CONTEXT = multiprocessing.get_context("spawn")
"""A forked process would inherit the locks of numba's and Dask's threads, but not the threads."""


ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""Variables by which libraries count their threads, read as they are loaded."""


class Job(NamedTuple):
    """A task on its way: which one it is, and its text."""

    number: int
    text: str


@contextmanager
def on_their_own() -> Iterator[None]:
    """Start processes that know of hwgen alone, neither of Ctrl-C nor of the script that runs.

    Each computes in one thread, unless a variable of yours says otherwise: there are as many as
    cores, and NumPy's threads would spin while they wait for each other. One that is started
    meanwhile never sees an interrupt and prints no traceback. A worker finds what it does by name;
    a script without a main guard, run in it again, would start workers, too.
    """
    resource_tracker.ensure_running()  # when it starts, it lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    added = [name for name in ONE_THREAD if name not in os.environ]
    os.environ |= dict.fromkeys(added, "1")
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
        sys.modules["__main__"] = script
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def portable(error: Exception) -> Exception:
    """Return the error with its traceback as a note, or its sentence if it cannot be pickled."""
    error.add_note(f"In the worker process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return WorkerError(f"a task failed with {type(error).__name__}: {error}")
    return error


def answer(function: str, task: str) -> str | Exception:
    """Return the result of a task, or its exception."""
    try:
        return call(function, task)
    except Exception as error:
        return portable(error)


def serve(connection: Connection) -> None:
    """Do what comes through the pipe until the other end is closed; never outlive the parent."""
    die_with_parent()
    with suppress(EOFError, OSError):
        while True:
            function, task = connection.recv()
            connection.send(answer(function, task))


class Worker:
    """One process and our end of its pipe."""

    def __init__(self) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def hand(self, function: str, job: Job) -> None:
        """Send a task; a worker that is dead is found when its answer is read."""
        with suppress(OSError):
            self.connection.send((function, job.text))

    def take(self) -> str | Exception | None:
        """Return the answer to the task, its exception, or None if the worker is dead."""
        try:
            return cast("str | Exception", self.connection.recv())
        except (EOFError, OSError):
            return None

    def kill(self) -> int | None:
        """End the process at once, whatever it does; return how it ended if it had already."""
        code = self.process.exitcode
        self.process.kill()
        self.process.join()
        self.connection.close()
        return code


class ProcessExecutor:
    """Tasks in processes that live until the executor is closed, over all its runs."""

    def __init__(self, workers: int) -> None:
        check_workers(workers)
        self.workers = workers
        self._all: set[Worker] = set()
        self._idle: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._dismiss(list(self._all))
        self._idle.clear()

    def run(self, function: str, tasks: Sequence[Task]) -> Results:
        """Give index and result of each task as it finishes."""
        waiting = deque(Job(i, task_text(task)) for i, task in enumerate(tasks))
        busy: dict[Worker, Job] = {}
        deaths: Counter[int] = Counter()
        try:
            while waiting or busy:
                self._hand_out(function, waiting, busy)
                (ready, *_) = wait([worker.connection for worker in busy])
                worker = next(worker for worker in busy if worker.connection is ready)
                text = worker.take()
                job = busy.pop(worker)
                if text is None:
                    deaths[job.number] += 1
                    self._bury(worker, function, job, deaths[job.number])
                    waiting.appendleft(job)
                    continue
                self._idle.append(worker)
                if isinstance(text, Exception):
                    raise text
                self._hand_out(function, waiting, busy)
                yield job.number, json.loads(text)
        finally:
            self._dismiss(list(busy))

    def _hand_out(
        self,
        function: str,
        waiting: deque[Job],
        busy: dict[Worker, Job],
    ) -> None:
        """Give each worker that has none a task, and start workers as long as there are tasks."""
        while waiting and len(busy) < self.workers:
            if not self._idle:
                with on_their_own():
                    worker = Worker()
                    self._all.add(worker)
                    self._idle.append(worker)
            worker, job = self._idle.pop(), waiting.popleft()
            busy[worker] = job
            worker.hand(function, job)

    def _bury(self, worker: Worker, function: str, job: Job, deaths: int) -> None:
        """Let a dead worker go; too many in one task are an error."""
        self._all.discard(worker)
        worker.process.join(1)  # its pipe ends a moment before it does
        code = worker.kill()
        if deaths >= DEATHS:
            raise WorkerError(
                f"task {job.number} of {function} must leave its worker process alive, got"
                f" {deaths} that died in it, the last with exit code {code}: if memory is short,"
                " fewer workers need less"
            )

    def _dismiss(self, workers: list[Worker]) -> None:
        """End workers at once; what they were doing is lost."""
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.kill()
            self._all.discard(worker)
