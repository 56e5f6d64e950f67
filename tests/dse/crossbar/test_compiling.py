"""One process compiles everything, and nothing compiles unannounced later."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwgen.dse.crossbar.compiling import compile_once, complete, must_compile

QUIET = """
import sys
from numba.core import event
from hwgen import api
from hwgen.api import Context
from hwgen.dse.crossbar.compiling import compile_once
from hwgen.dse.executors import SerialExecutor
import hwgen.dse.executors as executors

compile_once()
executors.make_executor = lambda *_: SerialExecutor()
recorded = event.RecordingListener()
with event.install_listener("numba:compile", recorded):
    for rules in ("strict", "published"):
        for objective in ("image", "stream"):
            api.synthesize(
                "cifar_alexnet", 20.0, rules=rules, objective=objective, evaluations=300,
                out=sys.argv[1] + rules + objective, context=Context(work=sys.argv[1] + "work"),
            )
print([e.data["dispatcher"].py_func.__name__ for _, e in recorded.buffer if e.is_start])
"""


def test_nothing_compiles_after_it_was_said(tmp_path: Path) -> None:
    """A search, its report and its streams, by both rules, find all machine code there."""
    given = [sys.executable, "-c", QUIET, f"{tmp_path}/"]
    done = subprocess.run(given, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_who_comes_later_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all is compiled, nobody looks at it again."""
    compile_once()
    assert complete().exists() and not must_compile()
    monkeypatch.setattr("hwgen.dse.crossbar.compiling.compile_all", lambda: 1 / 0)
    begin = time.process_time()
    compile_once()
    assert time.process_time() - begin < 1
