"""What people expect of every command line: -o, --version, completion, a run that verifies."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from hwgen import __version__
from hwgen.cli.app import app
from hwgen.errors import MissingToolError
from hwgen.flow.context import Context
from hwgen.flow.engines import default_engine
from hwgen.flow.families import families
from tests.cli.given import ARCH, NETWORK, ROOT, Command

GROUP = typer.main.get_command(app)
assert isinstance(GROUP, click.Group) or hasattr(GROUP, "commands")
COMMANDS: dict[str, click.Command] = dict(GROUP.commands)
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", [name for name, each in COMMANDS.items() if not each.hidden])
def test_out_is_short_everywhere(name: str) -> None:
    spelled = {option: each.opts for each in COMMANDS[name].params for option in each.opts}
    assert "-o" in spelled.get("--out", ["-o"])
    assert spelled.get("-o", ["--out"])[0] == "--out"


def test_it_tells_its_version(hwgen: Command) -> None:
    assert hwgen("--version") == (0, f"hwgen {__version__}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell: str) -> None:
    words = {"COMP_WORDS": "hwgen syn", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "hwgen syn"}
    variables = words | {
        "_HWGEN_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        [sys.executable, "-m", "hwgen"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "synthesize" in done.stdout, done.stderr
    assert "compile" not in done.stdout


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.stem)
def test_no_page_uses_a_hidden_command(page: Path) -> None:
    hidden = {name for name, each in COMMANDS.items() if each.hidden}
    used = set(re.findall(r"\bhwgen ([a-z-]+)", page.read_text(encoding="utf-8")))
    assert not used & hidden


def test_a_run_verifies_where_it_can(capfd: pytest.CaptureFixture[str]) -> None:
    assert default_engine(Context(), families()["dbpim"]) == "rtl"
    assert default_engine(Context(), families()["crossbar"]) == "model"
    assert capfd.readouterr().err == ""


def test_without_verilator_it_predicts_and_says_so(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingToolError("Verilator is needed")

    monkeypatch.setattr("hwgen.sim.toolchain.find_verilator", missing)
    code, out, err = hwgen("run", NETWORK, ARCH, "--work", tmp_path)
    assert code == 0
    assert "predicting instead of simulating: Verilator is needed" in err
    assert "model: " in out and "rtl: " not in out


def test_a_network_and_a_chip_may_be_named(hwgen: Command, tmp_path: Path) -> None:
    given = ["--engine", "model", "--work", tmp_path]
    code, out, _ = hwgen("run", "digits_small_cnn", "dbpim/small", *given)
    assert (code, out) == (0, hwgen("run", NETWORK, ARCH, *given)[1])


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "hwgen", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"hwgen {__version__}\n"
