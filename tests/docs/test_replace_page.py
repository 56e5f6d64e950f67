"""The page about your memory, followed to the letter."""

import re
import shlex
from pathlib import Path

import pytest

from hwgen.cli import main

PAGE = Path(__file__).parents[2] / "docs/howto/replace-a-part.md"


def blocks(language: str) -> list[str]:
    """Return the blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def test_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its files are written, its commands run; each line that it shows is in the answer."""
    (verilog,), (told,) = blocks("verilog"), blocks("yaml")
    (tmp_path / "my_sram.v").write_text(verilog)
    (tmp_path / "my_sram.yaml").write_text(told)
    monkeypatch.chdir(tmp_path)
    commands = blocks("console")
    assert len(commands) == 3
    for command in commands:
        line, *shown = command.splitlines()
        code = main(shlex.split(line.removeprefix("$ hwgen ")))
        out, err = capfd.readouterr()
        assert code == 0, err
        answer = [" ".join(each.split()) for each in out.splitlines()]
        for each in shown:
            assert " ".join(each.split()) in answer, each
