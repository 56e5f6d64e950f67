"""A folder that runs a program on an MRAM chip under plain Verilator, without Python."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.by_hand import write_script
from hwgen.chip.sim.host_files import ANSWER_BYTES
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Program
from hwgen.mram.sim.chip_run import hosted
from hwgen.mram.sim.simulate import job_of


def write_by_hand(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    answers: Mapping[str, NDArray[Any]],
    folder: Path,
    *,
    mode: int = 0,
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    images: unsigned NHWC, of the widest mode; mode: number of the mode of all
    answers: (images, height, width, channels) of the only output
    """
    job = job_of(arch, program, images, modes=[mode] * len(images))
    lines = answer_lines(program, arch, answers[program.facts.answer.layer])
    return write_script(folder, work=job.work(), chip=hosted(arch), expected=lines)


def answer_lines(program: Program, arch: Arch, answers: NDArray[Any]) -> Iterable[str]:
    """Yield the words of the answers in the format of the host's event file, padding left out."""
    plan = program.facts.answer
    height, width, _ = plan.shape
    channels = answers[0].size // (height * width)
    words = arch.answer_bits // 8 // ANSWER_BYTES
    for image, answer in enumerate(answers):
        whole = np.zeros((height * width, plan.pixel_blocks * arch.block), np.int64)
        known = np.zeros(whole.shape, bool)
        whole[:, :channels] = answer.reshape(height * width, channels)
        known[:, :channels] = True
        content = whole.astype(f"<i{arch.answer_bits // 8}").view("<u4").ravel()
        for index, used in enumerate(np.repeat(known.ravel(), words)):
            if used:
                yield f"answer {image} {index} {int(content[index]):08x}\n"
