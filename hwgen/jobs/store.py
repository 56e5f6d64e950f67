"""Results that outlive the process: one file for each finished task, whole or not there at all."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from hwgen.files.output import write_text
from hwgen.jobs.tasks import Result, Runner, Task, task_text

FORMAT, VERSION = "hwgen-result", 1

MISSING = object()
"""What `Store.read` returns when there is nothing; None is a result like others."""

OnDone = Callable[[int, Result, bool], None]
"""Takes the index of a task, its result, and whether it was computed now."""


def sha256(text: str) -> str:
    """Return the digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """A folder of results.

    code: digest of what results depend on beside function and task: sources, versions; with
    another one, nothing that lies in the folder is found
    """

    def __init__(self, folder: Path, *, code: str) -> None:
        self.folder = folder
        self.code = code

    def path(self, function: str, task: Task) -> Path:
        """Return where the result of a task lies or will lie."""
        return self.folder / f"{sha256(self._facts(function, task))}.json"

    def _facts(self, function: str, task: Task) -> str:
        return json.dumps([FORMAT, VERSION, self.code, function, task_text(task)])

    def read(self, function: str, task: Task) -> Result:
        """Return a result, or MISSING; a file that is damaged counts as missing."""
        try:
            document = json.loads(self.path(function, task).read_bytes())
            text = json.dumps(document["result"])
            whole = document["sha256"] == sha256(self._facts(function, task) + text)
        # Damaged bytes are no JSON, no UTF-8, no dict, too deep, or lack a key.
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return MISSING
        return document["result"] if whole else MISSING

    def write(self, function: str, task: Task, result: Result) -> None:
        """Keep a result."""
        path = self.path(function, task)
        document = {
            "format": FORMAT,
            "version": VERSION,
            "code": self.code,
            "function": function,
            "task": task,
            "result": result,
            "sha256": sha256(self._facts(function, task) + json.dumps(result)),
        }
        write_text(path, json.dumps(document) + "\n", what="store of results")


def run_stored(
    executor: Runner,
    function: str,
    tasks: Sequence[Task],
    store: Store | None = None,
    on_done: OnDone | None = None,
) -> list[Result]:
    """Return the results of tasks in their order; those in the store are not computed again.

    A result is in the store before `on_done` hears of it, first of those that were there, then of
    each that finishes. What `on_done` raises, as an interrupt does, ends the run; what finished
    is kept.
    """
    results = [MISSING if store is None else store.read(function, task) for task in tasks]
    for i, result in enumerate(results):
        if result is not MISSING and on_done:
            on_done(i, result, False)
    todo = [i for i, result in enumerate(results) if result is MISSING]
    with closing(executor.run(function, [tasks[i] for i in todo])) as finished:
        for k, result in finished:
            results[todo[k]] = result
            if store is not None:
                store.write(function, tasks[todo[k]], result)
            if on_done:
                on_done(todo[k], result, True)
    return results
