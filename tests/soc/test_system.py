"""Firmware on a processor runs networks on chips of both families; others' tools take the files."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.chip.sim.toolchain import find_verilator
from tests.docs.console import Command, commands_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/soc.md"
MOST_COMMANDS = 10
RUN = ROOT / "docs/examples/soc/run.py"
SYSTEMS = [("dbpim/small", "digits_small_cnn"), ("mram/small", "cadnn_digits")]
INSTALLS = ("pip", "apt-get")


def soc(*arguments: object, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) if path is None else {**os.environ, "PATH": path}
    command = [sys.executable, str(RUN), *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.long
@pytest.mark.parametrize(("arch", "network"), SYSTEMS)
def test_firmware_passes_and_a_wrong_answer_fails(arch: str, network: str, tmp_path: Path) -> None:
    done = soc(arch, network, "--out", tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "PASS" and "warnings: 0 of the chip" in done.stdout
    images = [line for line in lines if re.fullmatch(r"image \d: equal, \d+ cycles .*", line)]
    assert len(images) == 4
    for refusal in ("NO_CHIP", "WRONG_CHIP", "WRONG_ARCHITECTURE", "MISALIGNED", "BUSY"):
        assert refusal in lines
    wrong = soc(arch, network, "--out", tmp_path, "--wrong-answer")
    assert (wrong.returncode, wrong.stdout.splitlines()[-1]) == (1, "FAIL")


def test_a_machine_without_the_compiler_is_told_the_packages() -> None:
    done = soc(*SYSTEMS[0], path=str(Path(sys.executable).parent))
    assert done.returncode == 2
    assert done.stderr == (
        "soc: riscv64-unknown-elf-gcc is needed: apt-get install gcc-riscv64-unknown-elf"
        " picolibc-riscv64-unknown-elf\n"
    )


def test_the_page_has_few_commands() -> None:
    assert len(list(commands_of(PAGE))) <= MOST_COMMANDS


@pytest.mark.long
def test_the_page_runs(tmp_path: Path) -> None:
    """All of its commands but the two that install, from a folder with the files of a clone."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    said, command = "", Command("", [])
    for command in commands_of(PAGE):
        if command.line.startswith(INSTALLS):
            continue
        done = subprocess.run(
            command.line,
            shell=True,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout
        assert done.returncode == 0, f"{command.line}: {done.stderr}{done.stdout}"
    assert said.splitlines()[-5:] == command.printed[-5:], "python -m tests.docs.console"


@pytest.mark.long
def test_fusesoc_lints_and_sets_synthesis_up(
    chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    tool = Path(sys.executable).with_name("fusesoc")
    core = f"hwgen:{family}:tiny"
    for options in (["--target=lint"], ["--setup", "--target=synth"]):
        done = subprocess.run(
            [tool, "--cores-root", chips[family], "run", *options, core],
            cwd=tmp_path,
            env=find_verilator().environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert "WARNING" not in said and "%Warning" not in said, said
    scripts = [path for path in tmp_path.rglob("*.tcl") if "synth_ecp5" in path.read_text()]
    assert scripts
