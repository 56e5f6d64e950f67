"""Verilator lint of emitted Verilog: every warning that is not waived is an error."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.part import Part
from hwgen.chip.sim.cache import write_sources
from hwgen.chip.sim.simulator import WAIVERS
from hwgen.chip.sim.toolchain import find_verilator


def lint(files: Sequence[Path], *, top: str, waivers: Path = WAIVERS) -> str:
    """Return what `verilator --lint-only -Wall` says about `files`: nothing when all is well."""
    command = ["verilator", "--lint-only", "-Wall", "--top-module", top, str(waivers)]
    command += [str(file) for file in files]
    environment = find_verilator().environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not done.stderr:
        return f"verilator ended with {done.returncode} and said nothing"
    return done.stderr


def lint_part(part: Part, *, waivers: Path = WAIVERS) -> str:
    """Return what `lint` says about the Verilog of `part` and of all parts below it."""
    modules = {f"{name}.v": text for name, text in verilog_modules(part).items()}
    with tempfile.TemporaryDirectory() as scratch:
        return lint(write_sources(Path(scratch), modules), top=part.module_name, waivers=waivers)
