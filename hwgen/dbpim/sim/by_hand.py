"""A folder that runs a program under plain Verilator, without Python: sources, memory, script.

Tests: `tests/cli/test_outputs.py`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.by_hand import write_script
from hwgen.chip.sim.host_files import ANSWER_BYTES, UNWRITTEN
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.image import pack_answer
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.sim.chip_run import Job, hosted
from hwgen.dbpim.sim.simulate import job_of


def write_by_hand(
    arch: Arch,
    program: Program,
    images: NDArray[np.uint8],
    answers: Mapping[str, NDArray[Any]],
    folder: Path,
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    images: uint8 NHWC; answers: (images, height, width, channels) of each output
    """
    job = job_of(arch, program, images)
    lines = answer_lines(job, program, arch, answers)
    return write_script(folder, work=job.work(), chip=hosted(arch), expected=lines)


def answer_lines(
    job: Job, program: Program, arch: Arch, answers: Mapping[str, NDArray[Any]]
) -> Iterable[str]:
    """Yield the answers in the format of the host's event file; the last one repeats."""
    facts = program.facts
    for run in range(len(job.images)):
        content = np.full(job.answer_bytes, UNWRITTEN, np.uint8)
        for plan in facts.answers:
            given = answers[plan.layer]
            for number, offset in enumerate(plan.offsets):
                answer = given[min(run * facts.images + number, len(given) - 1)]
                found = np.frombuffer(pack_answer(answer, plan, arch), np.uint8)
                content[offset : offset + len(found)] = found
        for index, word in enumerate(content.view(f"<u{ANSWER_BYTES}").tolist()):
            yield f"answer {run} {index} {word:08x}\n"
