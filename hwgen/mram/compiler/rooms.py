"""How full the memories of an MRAM chip are with a program, the fullest first.

Tests: `tests/mram/compiler/test_rooms.py`.
"""

from hwgen.chip.room import Room
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.stream import decode_program

CELLS = "cells of kernels without copies, rows of segments"


def rooms(program: Program, arch: Arch) -> list[Room]:
    """Return what a program takes of each memory, the fullest first.

    Copies of kernels take what is left, so the cells are counted without them: rows of segments.
    """
    facts = program.facts
    content = decode_program(program.image, arch, source=facts.network_name)
    kernels = {
        (each.layer, each.first_kernel, each.block, each.mode): each.planes
        for each in facts.segments
    }
    maps = [
        place.shape[0] * place.shape[1] * place.pixel_blocks * arch.block_bytes
        for mode in facts.modes
        for step in mode.steps
        if (place := step.output) is not None
    ]
    answers = [
        plan.shape[0] * plan.shape[1] * plan.pixel_blocks * arch.block for plan in facts.answers
    ]
    found = [
        Room(what=what, used=used, size=size)
        for what, used, size in (
            (CELLS, sum(kernels.values()), arch.weight_rows * arch.segments),
            ("records", len(content.records), arch.record_entries),
            ("parameter words", len(content.parameters), arch.parameter_entries),
            ("image bank of the largest map, bytes", max(maps), arch.bank_bytes),
            ("answer buffer, elements", max(answers), arch.answer_entries),
        )
    ]
    return sorted(found, key=lambda room: -room.used / room.size)
