"""The how-to from Brevitas is followed to the letter, in a folder of its own."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import ROOT

PAGE = (ROOT / "docs/howto/from-brevitas.md").read_text(encoding="utf-8")
(TRAIN,) = re.findall(r"^`train.py`:\n\n```python\n(.*?)^```$", PAGE, re.M | re.S)
COMMANDS = re.findall(r"^(?:hwgen|python) .*$", PAGE, re.M)
CYCLES = re.compile(r"^(?:model|rtl): ([\d,]+) cycles", re.M)


def test_the_page_has_a_command_of_each_kind() -> None:
    named = [shlex.split(line)[1] for line in COMMANDS]
    form = ["import", "compare"]
    assert named == ["train.py", "info", *form, *form, "model", "run"]


@pytest.mark.long
def test_the_page_is_followed(tmp_path: Path) -> None:
    pytest.importorskip("brevitas")
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    printed = {}
    for line in COMMANDS:
        name, *words = shlex.split(line)
        command = [sys.executable, *([] if name == "python" else ["-m", name]), *words]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        printed[line] = done.stdout
    equal = [text for line, text in printed.items() if line.startswith("hwgen compare")]
    assert len(equal) == 2 and all("every element is equal" in text for text in equal)
    predicted, simulated = CYCLES.findall(printed[COMMANDS[-1]])
    assert predicted == simulated
