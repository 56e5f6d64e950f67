"""The how-to of an own cocotb test is followed to the letter, in a folder of its own."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import ROOT
from verif.toolchain import use_verilator

TEXT = (ROOT / "docs/howto/read-the-verilog.md").read_text(encoding="utf-8")
PAGE = TEXT.partition("## Your own cocotb test")[2].partition("\n## ")[0]
FILES = dict(re.findall(r"^`(\w+\.py)`:\n\n```python\n(.*?)^```$", PAGE, re.M | re.S))
(EXPORT,) = re.findall(r"^hwgen (export .*)$", PAGE, re.M)
IMAGE = re.compile(r"image (\d): ([\d]+) cycles")


def followed(folder: Path, simulator: str) -> str:
    """Do what the page says; return what the run prints."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    use_verilator()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "SIM": simulator, "PYTHONPATH": str(ROOT)}
    for command in (
        [sys.executable, "-m", "hwgen", *shlex.split(EXPORT)],
        ["python", "run_test.py"],
    ):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.dear
@pytest.mark.promise("a cocotb test of one's own runs a network on an emitted chip")
@pytest.mark.parametrize("simulator", ["verilator", pytest.param("icarus", marks=pytest.mark.long)])
def test_the_page_is_followed(
    simulator: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if simulator == "icarus":
        request.getfixturevalue("icarus")
    found = IMAGE.findall(followed(tmp_path, simulator))
    assert [number for number, _ in found] == ["0", "1"]
