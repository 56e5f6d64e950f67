"""A folder that runs a program on an MRAM chip under plain Verilator, without Python."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.by_hand import write_script
from hwgen.chip.sim.host_files import ANSWER_BYTES
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import AnswerPlan, Program
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
    answers: (images, height, width, channels) of each output
    """
    job = job_of(arch, program, images, modes=[mode] * len(images))
    lines = answer_lines(program, arch, answers)
    return write_script(folder, work=job.work(), chip=hosted(arch), expected=lines)


def answer_lines(
    program: Program, arch: Arch, answers: Mapping[str, NDArray[Any]]
) -> Iterable[str]:
    """Yield the words of the answers in the format of the host's event file, padding left out."""
    plans = program.facts.answers
    for image in range(len(answers[plans[0].layer])):
        for plan in sorted(plans, key=lambda each: each.offset):
            yield from plan_lines(plan, image, answers[plan.layer][image], arch)


def plan_lines(plan: AnswerPlan, image: int, answer: NDArray[Any], arch: Arch) -> Iterable[str]:
    """Yield the words of an output of an image."""
    height, width, _ = plan.shape
    channels, words = answer.size // (height * width), arch.answer_bits // 8 // ANSWER_BYTES
    whole = np.zeros((height * width, plan.pixel_blocks * arch.block), np.int64)
    known = np.zeros(whole.shape, bool)
    whole[:, :channels] = answer.reshape(height * width, channels)
    known[:, :channels] = True
    content = whole.astype(f"<i{arch.answer_bits // 8}").view("<u4").ravel()
    for index in np.flatnonzero(np.repeat(known.ravel(), words)):
        number = plan.offset // ANSWER_BYTES + int(index)
        yield f"answer {image} {number} {int(content[index]):08x}\n"
