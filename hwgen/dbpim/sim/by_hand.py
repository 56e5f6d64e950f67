"""A folder that runs a program under plain Verilator, without Python: sources, memory, script."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.by_hand import write_script
from hwgen.chip.sim.host_files import ANSWER_BYTES, UNWRITTEN, beats_text
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.image import pack_answer
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.sim.chip_run import (
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
from hwgen.dbpim.sim.simulate import job_of


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
    blocks = block_args(arch)
    return write_script(
        folder,
        memory=beats_text(content, arch.port_bytes),
        expected=answer_lines(job, program, arch, logits),
        host=HOST,
        controls=[BLOCKS] if blocks else [],
        build=[*blocks, *host_parameters(arch, size)],
        top=TOP,
        plusargs=host_plusargs(job, addresses),
    )


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
