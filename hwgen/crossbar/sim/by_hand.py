"""A folder that runs a program on a crossbar chip under plain Verilator, without Python."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.sim.by_hand import write_script
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.image_io import packed_answer, result_beats, results
from hwgen.crossbar.facts.program import Program
from hwgen.crossbar.sim.chip_run import hosted
from hwgen.crossbar.sim.simulate import job_of


def write_by_hand(
    arch: Arch,
    program: Program,
    images: NDArray[Any],
    answers: Mapping[str, NDArray[Any]],
    folder: Path,
) -> Path:
    """Write everything but the chip's Verilog into `folder`; return the script to run.

    images: unsigned NHWC; answers: of each output (images, height, width, channels)
    """
    chip = described(arch)
    work = job_of(chip, program, images).work()
    lines = answer_lines(chip, program, answers)
    return write_script(folder, work=work, chip=hosted(chip), expected=lines)


def answer_lines(
    chip: Chip, program: Program, answers: Mapping[str, NDArray[Any]]
) -> Iterator[str]:
    """Yield the words of the answers in the format of the host's event file.

    The last flit of a block may have zeros behind its elements; results of layers that are no
    output are left out.
    """
    maps = [plan.map for plan in program.facts.layers]
    for image in range(len(answers[program.facts.answer.layer])):
        first = 0
        for travel in results(chip):
            name = maps[travel.owner]
            if name in answers:
                words = np.frombuffer(packed_answer(chip, travel, answers[name][image]), "<u4")
                for index, word in enumerate(words.tolist(), first):
                    yield f"answer {image} {index} {word:08x}\n"
            first += result_beats(chip, travel) * chip.flit_bits // 32
