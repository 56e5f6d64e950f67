"""Task functions for the tests of the executors; each says in a file that it was called."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from hwgen.errors import ConfigError
from hwgen.jobs.executors import make_executor
from hwgen.jobs.store import Store, run_stored

HERE = "tests.jobs.work"
WHAT_JSON_HOLDS = f"{HERE}:what_json_holds"
SLOW, KILLED_ONCE, ALWAYS_KILLED = f"{HERE}:slow", f"{HERE}:killed_once", f"{HERE}:always_killed"
REFUSE, UNPORTABLE, WHO = f"{HERE}:refuse", f"{HERE}:unportable", f"{HERE}:who"
VARIABLE = f"{HERE}:variable"


def what_json_holds(task: dict[str, Any]) -> dict[str, Any]:
    x = task["x"]
    values = [x / 3, -0.0, 1e300 * x, 5e-324, 2**70 + x, None, True, "ü", (x, [x])]
    return {"z": values, "a": {"keys": sorted(task)}}


def variable(task: dict[str, Any]) -> str | None:
    """Return a variable of the environment."""
    return os.environ.get(task["name"])


def slow(task: dict[str, Any]) -> float:
    """Say that it was called, wait, and return something."""
    time.sleep(task["seconds"])
    with (Path(task["folder"]) / "calls").open("a") as calls:
        calls.write(f"{task['x']}\n")
    return float(task["x"]) / 7


def killed_once(task: dict[str, Any]) -> float:
    """End the own process hard where the mark is missing, otherwise as `slow`."""
    mark = Path(task["folder"]) / "killed"
    if task["kill"] and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return slow(task)


def always_killed(task: dict[str, Any]) -> float:
    if task["kill"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return slow(task)


def refuse(task: dict[str, Any]) -> None:
    if task["x"] == 2:
        raise ConfigError(field="x", allowed="odd", given=task["x"], source="a task")


class UnportableError(Exception):
    """Cannot be built from its own arguments, as many exceptions of other packages."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def unportable(task: dict[str, Any]) -> None:
    raise UnportableError("one", "two")


def who(task: dict[str, Any]) -> int:
    time.sleep(task["seconds"])
    return os.getpid()


def slow_tasks(folder: Path, count: int, seconds: float) -> list[dict[str, Any]]:
    return [{"x": i, "folder": str(folder), "seconds": seconds} for i in range(count)]


def main(folder: str, workers: str, scheduler: str) -> None:
    """Run a stored job, as a process of its own that can be interrupted."""
    with make_executor(int(workers), scheduler or None) as executor:
        store = Store(Path(folder) / "store", code="c")
        print(*run_stored(executor, SLOW, slow_tasks(Path(folder), 12, 0.15), store))
