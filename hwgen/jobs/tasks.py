"""What every executor does with one task, wherever it runs.

A task function is named by its import path, `package.module:function`, and takes a task: a dict
that JSON can hold. It must return something that JSON can hold. Task and result cross as JSON text
in every executor, the serial one too, so that all of them see and give the same: the keys of a
task sorted, tuples as lists, floats to the last bit.

Tests: `tests/jobs/test_store.py`.
"""

import importlib
import json
from collections.abc import Generator, Sequence
from typing import Any, Protocol, Self

from hwgen.errors import ConfigError

Task = dict[str, Any]
Result = Any
Results = Generator[tuple[int, Result], None, None]
"""Index of a task and its result, as they finish."""


class Runner(Protocol):
    """Runs tasks and gives their results in any order.

    run: an exception of a task is raised as itself. Closing the generator, as an exception does
    that passes through `contextlib.closing`, abandons what is unfinished.
    """

    def run(self, function: str, tasks: Sequence[Task]) -> Results: ...


class Executor(Runner, Protocol):
    """A runner with workers; a context manager that leaves nothing."""

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def check_workers(workers: int) -> None:
    """Refuse to work with nobody."""
    if workers < 1:
        raise ConfigError(field="workers", allowed="at least 1", given=workers, source="search")


def task_text(task: Task) -> str:
    """Return the one text of a task, whatever the order of its keys."""
    return json.dumps(task, sort_keys=True)


def call(function: str, task: str) -> str:
    """Return the result of a task as JSON."""
    module, _, name = function.partition(":")
    work = getattr(importlib.import_module(module), name)
    return json.dumps(work(json.loads(task)))
