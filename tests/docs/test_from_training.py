"""The parts of the how-to from a training to a chip are followed, each in a folder of its own."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.console import ROOT

FILE = re.compile(r"^`(\w+\.py)`:\n\n```python\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"^(?:hwgen|python) .*$", re.M)
CYCLES = re.compile(r"^(?:model|rtl): ([\d,]+) cycles", re.M)
TRIED = ["info", "import", "compare"]


@dataclass(frozen=True)
class HowTo:
    """A part: the packages that its files import, what its commands are, and files it compares."""

    packages: tuple[str, ...]
    commands: tuple[str, ...]
    compared: int

    def of_part(self, name: str) -> tuple[dict[str, str], list[str]]:
        """Return the files of the part and its commands."""
        text = PAGE.read_text(encoding="utf-8").partition(f"\n## From {name}\n")[2]
        text = text.partition("\n## ")[0]
        return dict(FILE.findall(text)), COMMAND.findall(text)


PAGE = ROOT / "docs/howto/from-training.md"
PARTS = {
    "Brevitas": HowTo(
        ("brevitas", "onnxoptimizer"),
        ("train.py", "info", "import", "compare", "import", "compare", "model", "run"),
        2,
    ),
    "torch": HowTo(
        ("onnxruntime", "onnxscript", "torch", "torchao"),
        (
            *("train.py", "by_onnxruntime.py", *TRIED, "by_fx.py", *TRIED, "by_pt2e.py", *TRIED),
            *("model", "run", "run", "run"),
        ),
        3,
    ),
    "Keras": HowTo(
        ("ai_edge_litert", "keras", "tensorflow"),
        ("train.py", "convert.py", *TRIED, "model", "run"),
        1,
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_a_command_of_each_kind(name: str) -> None:
    files, commands = PARTS[name].of_part(name)
    named = [shlex.split(line)[1] for line in commands]
    assert named == list(PARTS[name].commands)
    assert {each for each in named if each.endswith(".py")} <= set(files)


@pytest.mark.long
@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_followed(name: str, tmp_path: Path) -> None:
    missing = [each for each in PARTS[name].packages if find_spec(each) is None]
    if missing:
        pytest.skip(f"{name} needs {', '.join(missing)}: pip install '.[corpus]'")
    files, commands = PARTS[name].of_part(name)
    for file, text in files.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    printed = {}
    for line in commands:
        program, *words = shlex.split(line)
        done = subprocess.run(
            [sys.executable, *([] if program == "python" else ["-m", program]), *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        printed[line] = done.stdout
    equal = [text for line, text in printed.items() if line.startswith("hwgen compare")]
    assert len(equal) == PARTS[name].compared
    assert all("every element is equal" in text for text in equal)
    for line in commands:
        if line.startswith("hwgen run"):
            predicted, simulated = CYCLES.findall(printed[line])
            assert predicted == simulated, line
