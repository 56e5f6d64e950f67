"""Machine code is kept, and it is known beforehand whether there is any."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from hwgen.chip import compiled as compiled_module
from hwgen.chip.compiled import compiled, is_compiled


def twice(x: int) -> int:
    return 2 * x


def thrice(x: int) -> int:
    return 3 * x


def add_twice(x: int) -> int:
    return int(quickly(x) + x)


quickly: Any = compiled(twice)


@pytest.mark.skipif(bool(getattr(numba.config, "DISABLE_JIT", 0)), reason="nothing is compiled")
def test_what_only_compiled_functions_call_has_no_form_for_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert compiled(add_twice)(3) == 9
    assert not quickly.signatures and quickly.inner.signatures
    assert quickly(4) == 8
    assert quickly.signatures


def test_a_function_is_cold_until_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    quick = compiled(twice)
    assert not is_compiled(quick)
    assert quick(3) == 6
    assert is_compiled(quick)
    assert not is_compiled(thrice)


@pytest.mark.parametrize(
    "room",
    [
        "chip",
        "network",
        "dbpim/facts",
        "mram/model",
        "crossbar/synthesis",
        "studies/a/published_search",
    ],
)
def test_the_folder_follows_every_source(
    room: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiled_module, "PACKAGE", tmp_path / "hwgen")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "hwgen" / room / "deep/constants.py"
    source.parent.mkdir(parents=True)
    source.write_text("A = 1\n", encoding="utf-8")
    first = compiled_module.cache_folder()
    source.write_text("A = 2\n", encoding="utf-8")
    assert compiled_module.cache_folder() != first


def test_every_folder_that_compiles_is_followed() -> None:
    """A function of a folder that the name leaves out would stay as it was."""
    package = compiled_module.PACKAGE
    followed = {file for room in compiled_module.ROOMS for file in package.glob(f"{room}/**/*.py")}
    users = {
        file
        for file in package.rglob("*.py")
        if "\n@compiled\n" in (text := file.read_text("utf-8")) or "\n@inlined\n" in text
    }
    assert users and users <= followed


@pytest.mark.parametrize("given", [None, "2"])
def test_functions_are_optimized_a_little_unless_a_person_says_otherwise(given: str | None) -> None:
    code = "import numba; import hwgen.chip.compiled; print(int(numba.config.OPT))"
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_OPT"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment if given is None else {**environment, "NUMBA_OPT": given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (given or "1")
