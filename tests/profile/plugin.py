"""Where the time of each test goes: `scripts/test --profile` loads this as a plugin of pytest.

A test's own processor seconds and those of its children stand by kind in its properties, and so in
the results of a run of several workers.
"""

import os
import resource
import subprocess
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from typing import Any

import pytest

PREFIX = "cpu_s "
"""Begins the name of a property; the kind follows."""
OWN, COMPILED, OTHER = "test process", "compiled functions", "other processes"
KINDS = (
    ("Yosys", ("yosys", "pyosys")),
    ("lint", ("--lint-only",)),
    ("C++ build", ("--build", "--cc", "--exe", "make", "verilator", "g++", "iverilog")),
    ("simulation", ("vvp", "/sim/", "obj_dir", "sim_build")),
    ("commands", ("-m hwgen", "hwgen/__main__", "bin/hwgen")),
)
"""Kinds of child processes and words of their commands; the first that fits counts."""
BENCH = "COCOTB_TEST_MODULES"
"""Is in the environment of a simulation that runs a bench."""

SPENT: dict[str, float] = defaultdict(float)
"""Processor seconds by kind since the test began."""


def kind_of(command: object, environment: Iterable[str] = ()) -> str:
    """Return the kind of a child process."""
    if BENCH in environment:
        return "bench"
    words = [command] if isinstance(command, str | bytes | os.PathLike) else command
    assert isinstance(words, Iterable)
    text = " ".join(os.fsdecode(word) for word in words)
    return next((kind for kind, some in KINDS if any(word in text for word in some)), OTHER)


def seconds(who: int) -> float:
    """Return the processor seconds of this process or of its ended children."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


class Timed(subprocess.Popen):  # type: ignore[type-arg]
    """A child process whose seconds are booked under its kind when it is reaped."""

    def __init__(self, args: Any, *others: Any, **options: Any) -> None:
        self.kind = kind_of(args, options.get("env") or ())
        super().__init__(args, *others, **options)

    def _try_wait(self, wait_flags: int) -> Any:
        before = seconds(resource.RUSAGE_CHILDREN)
        found = super()._try_wait(wait_flags)  # type: ignore[misc]
        SPENT[self.kind] += seconds(resource.RUSAGE_CHILDREN) - before
        return found


def listen_to_numba() -> None:
    """Book the seconds in which numba compiles; nested compilations are part of the outermost."""
    from numba.core import event

    class Compiling(event.Listener):
        depth, began = 0, 0.0

        def on_start(self, event: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.began = time.process_time()

        def on_end(self, event: Any) -> None:
            self.depth -= 1
            if self.depth == 0:
                SPENT[COMPILED] += time.process_time() - self.began

    event.register("numba:compile", Compiling())


def pytest_configure(config: pytest.Config) -> None:
    """Watch children and compilations of this process from now on."""
    subprocess.Popen = Timed  # type: ignore[misc]
    listen_to_numba()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Begin to count."""
    SPENT.clear()
    SPENT[OWN] = -seconds(resource.RUSAGE_SELF)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Write what was spent into the properties of the test."""
    result = yield
    own = SPENT.pop(OWN) + seconds(resource.RUSAGE_SELF) - SPENT.get(COMPILED, 0.0)
    spent = {OWN: own, **SPENT}
    item.user_properties += [
        (f"{PREFIX}{kind}", f"{value:.3f}") for kind, value in spent.items() if value > 0
    ]
    return result
