"""The page about your memory and your array, followed to the letter."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/replace-a-part.md"
MEMORY, ARRAY = PAGE.read_text().split("## An array that computes")
EXAMPLE = ROOT / "docs/examples/my_array"


def blocks(language: str, text: str) -> list[str]:
    """Return the blocks of a text in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def shows(text: str, shown: list[str]) -> None:
    """Hold the lines that the page shows against what a command printed."""
    answer = [" ".join(each.split()) for each in text.splitlines()]
    for each in shown:
        assert " ".join(each.split()) in answer, each


def test_a_memory_comes_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its files are written, its commands run; each line that it shows is in the answer."""
    (verilog,), (told,) = blocks("verilog", MEMORY), blocks("yaml", MEMORY)
    (tmp_path / "my_sram.v").write_text(verilog)
    (tmp_path / "my_sram.yaml").write_text(told)
    monkeypatch.chdir(tmp_path)
    commands = blocks("console", MEMORY)
    assert len(commands) == 3
    for command in commands:
        line, *shown = command.splitlines()
        code = main(shlex.split(line.removeprefix("$ hwgen ")))
        out, err = capfd.readouterr()
        assert code == 0, err
        shows(out, shown)


def test_an_array_comes_as_the_page_says(tmp_path: Path) -> None:
    """Its package is installed by pip, and a whole network runs on it, far from the project."""
    (told,), (commands,) = blocks("yaml", ARRAY), blocks("console", ARRAY)
    assert (EXAMPLE / "my_array.yaml").read_text() == told
    install, run = commands.removeprefix("$ ").split("$ ")
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    pip = [sys.executable, "-m", *shlex.split(install), *options, "--target", str(tmp_path)]
    subprocess.run(pip, cwd=ROOT, check=True)
    line, *shown = run.splitlines()
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shows(done.stdout, shown)
