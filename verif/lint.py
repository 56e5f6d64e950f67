"""Verilator lint of emitted Verilog: every warning that is not waived is an error."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.part import Part
from hwgen.chip.sim.cache import build_once, write_sources
from hwgen.chip.sim.simulator import WAIVERS
from hwgen.chip.sim.toolchain import find_verilator
from hwgen.errors import SimulationError
from verif.toolchain import BUILD_ROOT

OPTIONS = ("--lint-only", "-Wall", "--top-module")
SAID = "said.txt"
"""What Verilator said of a part, in the folder that keeps it."""
ENDED = "%Error: Exiting due to"
"""In what Verilator says when it has read all and found something."""


def lint(files: Sequence[Path], *, top: str, waivers: Path = WAIVERS) -> str:
    """Return what `verilator --lint-only -Wall` says about `files`: nothing when all is well."""
    command = ["verilator", *OPTIONS, top, str(waivers)]
    command += [str(file) for file in files]
    environment = find_verilator().environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not done.stderr:
        return f"verilator ended with {done.returncode} and said nothing"
    return done.stderr


def lint_part(part: Part, *, waivers: Path = WAIVERS) -> str:
    """Return what `lint` says about the Verilog of `part` and of all parts below it."""
    return lint_modules(part.module_name, verilog_modules(part), waivers=waivers)


def lint_modules(top: str, texts: Mapping[str, str], *, waivers: Path = WAIVERS) -> str:
    """Return what `lint` says about modules, given by name, below one of them.

    It is kept under the digest of Verilog, waivers and Verilator, and found by a later run.
    """
    modules = {f"{name}.v": text for name, text in texts.items()}
    rules = waivers.read_text(encoding="utf-8")

    def judge(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            said = lint(write_sources(Path(scratch), modules), top=top, waivers=waivers)
        # What a killed Verilator leaves is no judgement, and must not stay.
        if said and ENDED not in said:
            raise SimulationError(f"Verilator must end by itself, got\n{said}")
        (folder / SAID).write_text(said, encoding="utf-8")

    facts = [modules, rules, OPTIONS, find_verilator().identity]
    kept = build_once(f"{top}-lint", facts, judge, products=[SAID], builds=BUILD_ROOT)
    return (kept.folder / SAID).read_text(encoding="utf-8")
