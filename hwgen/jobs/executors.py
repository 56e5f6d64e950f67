"""Where the tasks of a search run: in this process, in some others, on other hosts.

Results do not depend on the executor or on its number of workers; `store.run_stored` puts them in
the order of their tasks.
"""

import json
from collections.abc import Sequence
from typing import Self

from hwgen.jobs.hosts import DaskExecutor
from hwgen.jobs.processes import ProcessExecutor
from hwgen.jobs.tasks import Executor, Result, Results, Task, call, check_workers, task_text

__all__ = [
    "DaskExecutor",
    "Executor",
    "ProcessExecutor",
    "Result",
    "SerialExecutor",
    "Task",
    "make_executor",
]

LOCAL_CLUSTER = "local"


class SerialExecutor:
    """One task after the other, in this process, where a debugger sees them.

    An interrupt that comes while compiled code works can crash Python: numba makes its named tuples
    without looking whether one waits. Commands therefore work in processes, also in a single one.
    """

    workers = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, function: str, tasks: Sequence[Task]) -> Results:
        """Give index and result of each task, in order."""
        for i, task in enumerate(tasks):
            yield i, json.loads(call(function, task_text(task)))


def make_executor(workers: int, scheduler: str | None = None) -> Executor:
    """Return an executor that an interrupt stops at once.

    scheduler: none for processes of this machine; the address of a Dask scheduler, whose workers
    are those that it has; or `local` for a Dask cluster of so many workers on this machine
    """
    if scheduler == LOCAL_CLUSTER:
        return DaskExecutor(workers=workers)
    if scheduler is not None:
        return DaskExecutor(address=scheduler)
    check_workers(workers)
    return ProcessExecutor(workers)
