"""A simulation without Python: Verilog in, one executable out, compiled once for its content."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hwgen.errors import SimulationError
from verif.cache import build_once, tail, write_sources
from verif.lint import WAIVERS
from verif.toolchain import BUILD_JOBS, use_verilator

BINARY_ARGS = ["--binary", "--timing", "--x-assign", "unique", "--x-initial", "unique"]
FAST = "-O3"
"""A chip runs for millions of cycles: its executable earns a slower compilation."""
QUICK = "-O1"
"""What is run once, such as a window of waves, should be compiled soon."""


def build_binary(
    sources: Mapping[str, str], *, top: str, args: Sequence[str] = (), optimize: str = FAST
) -> Path:
    """Return the executable that `verilator --binary` makes of `sources`, text by file name.

    Every suffix may occur; those of Verilog (.v, .sv) and of Verilator's control files (.vlt) are
    compiled, others only lie beside. `args` go to Verilator as they are, such as `--trace` for a
    top that calls `$dumpvars`. Run it with `+verilator+rand+reset+2 +verilator+seed+N` to start
    everything that has no power-on value as garbage.
    """
    identity = use_verilator()
    texts = {**sources, "waivers.vlt": WAIVERS.read_text(encoding="utf-8")}
    command = ["verilator", *BINARY_ARGS, "--build-jobs", str(BUILD_JOBS), *args]
    command += ["--top-module", top, "-Mdir", "obj", "-o", top]
    environment = {**os.environ, "MAKEFLAGS": f"{os.environ['MAKEFLAGS']} OPT_FAST={optimize}"}

    def compile_in(folder: Path) -> None:
        files = [file.name for file in write_sources(folder, texts)]
        log = folder / "build.log"
        with log.open("w") as out:
            done = subprocess.run(
                [*command, *files],
                cwd=folder,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise SimulationError(f"Verilator could not build {top}, see {log}:\n{tail(log)}")

    folder = build_once(
        f"{top}-binary", [texts, command, identity, environment["MAKEFLAGS"]], compile_in
    )
    return folder / "obj" / top
