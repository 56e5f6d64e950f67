"""Maps that do not depend on the image: they lie in the program, behind its stream.

Tests: `tests/dbpim/compiler/test_products.py`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.encode import encode_step
from hwgen.dbpim.compiler.memory import aligned, constant_maps
from hwgen.dbpim.compiler.steps import Step
from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.stream import header_beats


def place_constants(steps: list[Step], build: Builder) -> bytes:
    """Let the LOADs of constants count from the program's address; return what lies behind END."""
    if not build.lowered.constants:
        return b""
    arch = build.arch
    beats = header_beats(Opcode.BEGIN, arch)
    size = beats * arch.port_bytes + sum(step_bytes(step, arch) for step in steps)
    start = aligned(size, ALIGNMENT_BYTES)
    for step in steps:
        if step.memory is None or step.memory.space != "program":
            continue
        offset = start + step.memory.offset
        step.memory = replace(step.memory, offset=offset)
        step.fields = {**step.fields, "offset": offset}
    return bytes(start - size) + b"".join(
        row_bytes(values, constant_maps(build)[name].pitch, arch)
        for name, values in build.lowered.constants.items()
    )


def step_bytes(step: Step, arch: Arch) -> int:
    """Return the bytes of the packets of a step, whose LOADs need not be complete."""
    if step.kind == "load":
        return header_beats(Opcode.LOAD, arch) * arch.port_bytes
    return len(encode_step(step, arch))


def row_bytes(values: NDArray[np.uint8], pitch: int, arch: Arch) -> bytes:
    """Return a map in words of C bytes, `pitch` bytes from one row to the next."""
    height, width, channels = values.shape
    size = channel_words(channels, arch) * arch.word
    words = np.pad(values, ((0, 0), (0, 0), (0, size - channels)))
    return np.pad(words.reshape(height, -1), ((0, 0), (0, pitch - width * size))).tobytes()
