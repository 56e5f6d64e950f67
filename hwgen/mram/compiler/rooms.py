"""How full the memories of an MRAM chip are with a program, the fullest first.

Tests: `tests/mram/compiler/test_rooms.py`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hwgen.chip.room import Room
from hwgen.mram.compiler.tiling import computed
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
            (CELLS, cell_rows(program, content.records, arch), arch.weight_rows * arch.segments),
            ("records", len(content.records), arch.record_entries),
            ("parameter words", len(content.parameters), arch.parameter_entries),
            ("image bank of the largest map, bytes", max(maps), arch.bank_bytes),
            ("answer buffer, elements", max(answers), arch.answer_entries),
        )
    ]
    return sorted(found, key=lambda room: -room.used / room.size)


def cell_rows(program: Program, records: Sequence[Mapping[str, int]], arch: Arch) -> int:
    """Return the rows of segments that all kernels take, each once, one in each sub-array.

    Kernels that stand side by side in a row stand in several groups, too, and count once. Each
    segment of a depthwise layer holds kernels of its own.
    """
    depthwise = {
        computed(step)
        for mode in program.facts.modes
        for step in mode.steps
        if records[step.record].get("depthwise", 0)
    }
    kernels = defaultdict[tuple[object, ...], set[int]](set)
    planes = dict[tuple[object, ...], int]()
    for each in program.facts.segments:
        own = each.first_kernel if each.layer in depthwise else None
        key = each.layer, each.block, each.mode, own
        end = each.first_kernel + each.octets * arch.block
        kernels[key] |= set(range(each.first_kernel, end))
        planes[key] = each.planes
    return sum(planes[key] * -(-len(held) // arch.sub_arrays) for key, held in kernels.items())
