"""The page about your memory and your array, followed to the letter."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest
import yaml

from hwgen.chip.replacement import MemorySpec, Port
from hwgen.cli import main
from hwgen.files.load import validate_spec
from tests.schemas import follows

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


@pytest.mark.dear
@pytest.mark.promise(
    "replacements are built, listed and told, and the page about them is true to the letter"
)
def test_a_memory_comes_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its files are written, its commands run; each line that it shows is in the answer."""
    (verilog,), (told, _) = blocks("verilog", MEMORY), blocks("yaml", MEMORY)
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


@pytest.mark.promise(
    "the page shows every form of a port, and a schema describes every file of a replacement"
)
def test_every_form_of_a_port_is_one(tmp_path: Path) -> None:
    """Each port of the list is read, and its keys are those of the table."""
    whole, forms = blocks("yaml", MEMORY)
    ports = yaml.safe_load(forms)
    content = yaml.safe_load(whole)
    seen = set()
    for port in ports:
        with_read = [port] if port["kind"] != "w" else [port, ports[2]]
        cycles = int(all(one.get("edge") != "falling" for one in with_read if "r" in one["kind"]))
        cycles &= all("clock" in one for one in with_read)
        mask = 8 if "mask" in port else None
        early = port.get("edge") == "falling" and port["kind"] == "w"
        given = [port, ports[3]] if early else with_read
        told = {**content, "ports": given, "mask_bits": mask, "read_cycles": cycles}
        follows(told, "replacement")
        spec = validate_spec(MemorySpec, told, source="the page")
        seen |= {key for key, value in port.items() if value is not None}
        assert spec.ports[0].kind == port["kind"]
    assert seen == {field.name for field in fields(Port)}
    assert {one["kind"] for one in ports} == {"r", "w", "rw"}


def test_the_schema_is_that_of_every_file() -> None:
    """What ships and the examples are held to it; a wrong key and a wrong pin are not."""
    files = [
        *(ROOT / "configs/replacements").glob("*.yaml"),
        *(ROOT / "tests/arrays").glob("*.yaml"),
    ]
    files.append(EXAMPLE / "my_array.yaml")
    assert len(files) >= 5
    for file in files:
        content = yaml.safe_load(file.read_text())
        follows(content, "replacement")
        with pytest.raises(jsonschema.ValidationError):
            follows({**content, "colour": "red"}, "replacement")


@pytest.mark.dear
@pytest.mark.promise(
    "an array that computes is another one's in whole networks of all three families, by a"
    " package of its own; what does not fit is one sentence; one that computes something else"
    " fails its bench; its figures stand in the cost"
)
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
