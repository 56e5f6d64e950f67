"""Signals get their names from the source text, so that every Python writes the same Verilog."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import amaranth
import pytest
from amaranth import tracer

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.names import name_of_result, names_from_source
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.rtl.chip import Chip
from tests.chip.rtl.forms import Forms

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "configs" / "dbpim" / "small.yaml"
PYTHONS = "HWGEN_PYTHONS"
"""More interpreters to compare, such as those of virtual environments, as in PATH."""
VERSIONS = range(11, 16)

WRITE_FORMS = """
from hwgen.chip.rtl.emit import verilog_modules
from tests.chip.rtl.forms import Forms
print(*verilog_modules(Forms()).values())
"""
WRITE_CHIP = f"""
from pathlib import Path
from hwgen.dbpim.rtl.chip import Chip
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.dbpim.facts.arch import load_arch
print(*verilog_modules(Chip(arch=load_arch(Path({str(CONFIG)!r})))).values())
"""


def pythons() -> list[str]:
    """Return this Python and all others of a supported version that are found and run."""
    found = [sys.executable, *filter(None, os.environ.get(PYTHONS, "").split(os.pathsep))]
    found += filter(None, (shutil.which(f"python3.{minor}") for minor in VERSIONS))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in VERSIONS:
        found += map(str, sorted(pyenv.glob(f"3.{minor}.*/bin/python")))
    return [python for python in dict.fromkeys(found) if run(python, "pass").returncode == 0]


def run(python: str, program: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [python, "-W", "ignore", "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.promise(
    "signals are named after the source text, so that every version of Python writes the same bytes"
)
def test_names_are_those_of_the_source() -> None:
    (text,) = verilog_modules(Forms()).values()
    names = re.findall(r"^  reg \[3:0\] (\w+);", text, re.M)
    of_source = ["alone", "first", "last", "read", "write", "_kept", "chained", "asked"]
    assert sorted(names) == sorted([*of_source, "many_0", "many_1"])
    assert "words" in re.findall(r"\w+", text)


@pytest.mark.dear
def test_the_tracer_of_amaranth_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("a name depends on byte code")

    expected = verilog_modules(Chip(arch=load_arch(CONFIG)))
    monkeypatch.setattr(tracer, "get_var_name", refuse)
    assert verilog_modules(Chip(arch=load_arch(CONFIG))) == expected
    assert tracer.get_var_name is refuse


def test_outside_the_tracer_is_amaranths_own() -> None:
    original = tracer.get_var_name
    with pytest.raises(ZeroDivisionError), names_from_source():
        assert tracer.get_var_name is name_of_result
        raise ZeroDivisionError
    assert tracer.get_var_name is original


def test_without_a_source_there_is_the_default_or_an_error() -> None:
    found: dict[str, object] = {"name": name_of_result}
    exec("given = name(1, 'default')", found)
    assert found["given"] == "default"
    with pytest.raises(tracer.NameNotFound):
        exec("missing = name(1)", found)


@pytest.mark.dear
def test_every_python_writes_the_same_verilog_of_all_forms() -> None:
    # Amaranth and its Yosys are pure Python, so that others can borrow them from this one.
    packages = Path(amaranth.__file__).parents[1]
    texts = {python: run(python, WRITE_FORMS, ROOT, packages) for python in pythons()}
    print(f"compared: {', '.join(texts)}")
    for python, done in texts.items():
        assert done.returncode == 0, f"{python}: {done.stderr}"
        assert done.stdout == texts[sys.executable].stdout, f"{python} writes other names"


@pytest.mark.long
def test_every_python_writes_the_same_verilog_of_a_chip() -> None:
    expected = run(sys.executable, WRITE_CHIP, ROOT)
    assert expected.returncode == 0, expected.stderr
    for python in pythons():
        # The chip needs compiled packages, which an interpreter must have itself.
        if run(python, "import amaranth, numpy, pydantic, yaml", ROOT).returncode == 0:
            assert run(python, WRITE_CHIP, ROOT).stdout == expected.stdout, python
