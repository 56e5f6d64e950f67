"""What people expect of every command line: -o, --version, completion, a run that verifies."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import click
import pytest
import typer

from hwgen import __version__
from hwgen.cli.app import app
from hwgen.commands.engines import default_engine
from hwgen.commands.families import InstalledFamily, families
from hwgen.errors import MissingToolError
from tests.cli.given import ARCH, NETWORK, ROOT, Command

GROUP = typer.main.get_command(app)
assert isinstance(GROUP, click.Group) or hasattr(GROUP, "commands")
COMMANDS: dict[str, click.Command] = dict(GROUP.commands)
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.promise(
    "every command takes -o for --out, the shell completes, and no page uses a hidden command"
)
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


@pytest.mark.promise(
    "a run verifies, says how long a long simulation takes, and ends with 2 without Verilator"
)
def test_a_run_verifies_where_it_can(capfd: pytest.CaptureFixture[str]) -> None:
    assert default_engine(families()["dbpim"]) == "rtl"
    assert default_engine(families()["crossbar"]) == "rtl"
    without = cast(InstalledFamily, SimpleNamespace(offers=lambda _: False))
    assert default_engine(without) == "model"
    assert capfd.readouterr().err == ""


def test_without_verilator_a_model_is_asked_for(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingToolError("Verilator is needed")

    monkeypatch.setattr("hwgen.chip.sim.toolchain.find_verilator", missing)
    code, out, err = hwgen("run", NETWORK, ARCH, "--work", tmp_path)
    assert (code, out) == (2, "")
    assert "Verilator is needed; --engine model predicts without it" in err
    code, out, _ = hwgen("run", NETWORK, ARCH, "--engine", "model", "--work", tmp_path)
    assert code == 0 and "model: " in out and "rtl: " not in out


def test_a_network_and_a_chip_may_be_named(hwgen: Command, tmp_path: Path) -> None:
    given = ["--engine", "model", "--work", tmp_path]
    code, out, _ = hwgen("run", "digits_small_cnn", "dbpim/small", *given)
    assert (code, out) == (0, hwgen("run", NETWORK, ARCH, *given)[1])


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "hwgen", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"hwgen {__version__}\n"


@pytest.mark.promise(
    "help has lines, errors of the parser are said once, names are completed and asked for, -"
    " is standard output"
)
@pytest.mark.parametrize("arguments", [[], ["paper"]])
def test_help_that_was_not_asked_for_has_lines(hwgen: Command, arguments: list[str]) -> None:
    code, out, err = hwgen(*arguments)
    assert code == 2 and "\\n" not in out + err
    assert (out + err).count("\n") > 10


PAPERS = ("cadnn", "dbpim", "mlperf-tiny", "pimsyn")


def test_the_help_of_papers_lists_them(hwgen: Command) -> None:
    code, out, _ = hwgen("paper", "--help")
    assert code == 0 and all(f"\n  {name} " in out for name in PAPERS)


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_has_no_braces(hwgen: Command, name: str) -> None:
    code, out, _ = hwgen(name, "--help")
    assert code == 0 and "{" not in out.split("\n\n")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument 'NETWORK'."),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["model", NETWORK, ARCH, "--image", 2], "--images"),
    ],
)
def test_an_error_of_the_parser_is_said_once(
    hwgen: Command, arguments: list[object], said: str
) -> None:
    code, out, err = hwgen(*arguments)
    assert (code, out) == (2, "")
    assert err.count(said) == 1 and err.count("Error: ") == 1


def test_a_report_goes_to_standard_output(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = hwgen("info", ARCH, "--json", "-")
    assert (code, err, json.loads(out)["format"]) == (0, "", "hwgen.report.info")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hwgen model digits_r", "digits_resnet20"),
        ("hwgen model digits_small_cnn dbpim/ti", "dbpim/tiny"),
    ],
)
def test_a_shell_completes_names_that_ship(words: str, found: str) -> None:
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "hwgen"],
        env={**os.environ, **variables, "_HWGEN_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [found], done.stderr


@pytest.mark.promise("a misspelt name or key is answered with the near one")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("model digits_vitt dbpim/small", "got digits_vitt: did you mean digits_vit?"),
        ("build dbpim/smal -o verilog", "got dbpim/smal: did you mean dbpim/small"),
        ("model digits_small_cnn dbpim/tiny --sparsity inputbits", "did you mean input_bits?"),
        (
            "explore digits_small_cnn dbpim/tiny --grid macro.row=4",
            "got macro.row: did you mean macro.rows",
        ),
        ("model cadnn_digits mram/tiny --mode 0.5", "got 0.5: did you mean 0.5x?"),
        ("energy mrom -o mine.yaml", "got mrom: did you mean mram?"),
        ("run digits_small_cnn dbpim/tiny --engine gloden", "did you mean golden?"),
    ],
)
def test_a_name_that_is_near_is_asked_for(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = hwgen(*given.split())
    assert (code, out) == (2, "") and told in " ".join(err.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.promise("network and chip in each other's place are told in the right order")
@pytest.mark.parametrize(
    "command", ["run", "model", "compile -o p.npz", "explore --grid cores=1", "export -o f"]
)
@pytest.mark.parametrize(
    ("network", "chip"), [("digits_small_cnn", "dbpim/tiny"), ("mine.onnx", "chip.yaml")]
)
def test_arguments_in_each_others_place(
    hwgen: Command, command: str, network: str, chip: str
) -> None:
    name, *options = command.split()
    code, _, err = hwgen(name, chip, network, *options)
    assert code == 2
    assert err == (
        "hwgen: NETWORK must be a quantized network file, and ARCH an architecture, got"
        f" {chip} {network}: did you mean {network} {chip}?\n"
    )


def test_a_command_that_is_near_is_asked_for(hwgen: Command) -> None:
    code, _, err = hwgen("paper", "dbpin")
    assert code == 2 and "No such command 'dbpin'. Did you mean 'dbpim'?" in err
