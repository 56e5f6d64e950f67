"""One process compiles everything, and nothing compiles unannounced later."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwgen.crossbar.synthesis.compiling import compile_once, complete, must_compile

QUIET = """
import sys
from pathlib import Path
from numba.core import event
import hwgen.jobs.executors as executors
from hwgen import api
from hwgen.api import Context
from hwgen.crossbar.synthesis.compiling import compile_once

compile_once()
executors.make_executor = lambda *_: executors.SerialExecutor()
folder, recorded = Path(sys.argv[1]), event.RecordingListener()
with event.install_listener("numba:compile", recorded):
    for rules, objective in (("strict", "image"), ("strict", "stream"), ("published", "image")):
        api.synthesize(
            "cifar_alexnet", 20.0, rules=rules, objective=objective, evaluations=1000,
            out=folder / f"{rules}-{objective}", context=Context(work=folder / "work"),
        )
print([one.data["dispatcher"].py_func.__name__ for _, one in recorded.buffer if one.is_start])
"""


@pytest.mark.dear
@pytest.mark.promise("one process compiles the search, and nothing is compiled behind it")
def test_nothing_compiles_after_it_was_said(tmp_path: Path) -> None:
    """A search, its report and its streams, by both rules, find all machine code there."""
    given = [sys.executable, "-c", QUIET, str(tmp_path)]
    done = subprocess.run(given, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_who_comes_later_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all is compiled, nobody looks at it again."""
    compile_once()
    assert complete().exists() and not must_compile()
    monkeypatch.setattr("hwgen.crossbar.synthesis.compiling.compile_all", lambda: 1 / 0)
    begin = time.process_time()
    compile_once()
    assert time.process_time() - begin < 1
