"""Machine code is kept, and it is known beforehand whether there is any."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from hwgen.chip.compiled import compiled, is_compiled
from hwgen.chip.sources import PACKAGE


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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiled(add_twice)(3) == 9
    assert not quickly.signatures and quickly.inner.signatures
    assert quickly(4) == 8
    assert quickly.signatures


def test_a_function_is_cold_until_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    quick = compiled(twice)
    assert not is_compiled(quick)
    assert quick(3) == 6
    assert is_compiled(quick)
    assert not is_compiled(thrice)


FAST = """
from hwgen.chip.compiled import compiled
from mine.constants import FACTOR

@compiled
def scaled(x):
    return FACTOR * x

if __name__ != "__main__":
    print(scaled(3), sum(scaled.stats.cache_misses.values()))
"""


@pytest.mark.dear
@pytest.mark.promise(
    "machine code is compiled again where a module behind it changes, and for nothing else;"
    " copies of the sources share it"
)
def test_copies_share_machine_code_and_a_changed_constant_does_not(tmp_path: Path) -> None:
    def run(copy: str, factor: int) -> list[str]:
        package = tmp_path / copy / "mine"
        package.mkdir(parents=True, exist_ok=True)
        files = {"__init__.py": "", "constants.py": f"FACTOR = {factor}\n", "fast.py": FAST}
        for name, text in files.items():
            (package / name).write_text(text, encoding="utf-8")
        paths = [str(package.parent), str(PACKAGE.parent)]
        environment = {"PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(tmp_path)}
        # Python takes bytecode for current where size and second of the source are alike.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        done = subprocess.run(
            [sys.executable, "-c", "import mine.fast"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert run("a", 2) == ["6", "1"]  # compiled
    assert run("a", 2) == run("b", 2) == ["6", "0"]  # loaded
    assert run("b", 5) == ["15", "1"]


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
