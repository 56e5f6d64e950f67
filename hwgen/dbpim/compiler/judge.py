"""The estimated cycles of a unit, from the steps of one of its bands.

Tests: `tests/dbpim/compiler/test_rows.py`.
"""

from collections.abc import Sequence

from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.cost import estimate
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.spill import LOGIT_BYTES
from hwgen.dbpim.compiler.steps import Step, StepWork
from hwgen.dbpim.compiler.units import Unit
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PASSES_WITHOUT_MEAN, Operation, group_channels
from hwgen.dbpim.facts.timing import INVERSE_READY, MEAN_READY, SCALED_READY, SHARE_READY

STEP_CYCLES = 40
"""Cycles of a step beside its work: dispatch, pipeline, barrier."""


def unit_cost(build: Builder, unit: Unit, steps: Sequence[Step]) -> float:
    """Return the cycles of all groups and bands, each as long as the steps given."""
    times = build.run_images // unit.group * unit.bands * unit.tiles
    return times * sum(STEP_CYCLES + step_cycles(step, build.arch) for step in steps)


def step_cycles(step: Step, arch: Arch) -> float:
    """Return the cycles of the work of a step."""
    fields = step.fields
    if step.kind == "load":
        columns, words = fields["columns"], step.output.channel_words if step.output else 1
        beats = fields["beats"]
        return arch.memory_latency_cycles + max(fields["rows"] * columns * words, beats)
    if step.kind == "store":
        return arch.memory_latency_cycles + fields["words"] * 4 / arch.port_bytes
    if step.work is None:
        return 0
    op, grid, split = step.work.op, step.work.grid, step.work.split
    if step.kind == "conv":
        return estimate(split, grid, arch)
    if op.floats is not None:
        return float(row_cycles(op) * max(work.vectors * work.words[1] for work in split.works))
    return simd_cycles(step, step.work, arch)


def simd_cycles(step: Step, work: StepWork, arch: Arch) -> float:
    """Return the cycles of a step of the SIMD unit."""
    op, grid, split = work.op, work.grid, work.split
    words = max(mine.vectors * mine.words[1] for mine in split.works)
    lanes, turns = (
        (arch.simd_lanes, arch.lanes_per_requantizer)
        if op.table is None
        else (arch.table_lookups, arch.table_turns)
    )
    parts = arch.macros_per_core * arch.word // lanes
    if step.fields.get("to_memory"):
        return copy_cycles(grid.positions * op.words[1], arch)
    # A part waits while lanes take turns for the part, or the word-vector, before.
    moves = result_parts(op, parts)
    waits = (parts - 1) * (turns - 1) + max(0, turns - 1 - (moves - parts))
    return float(words * (moves + waits))


def row_cycles(op: Op) -> int:
    """Return the cycles of the row unit for a group of channels at each position of a vector."""
    channels = group_channels(op.fields["bias"])
    if op.fields["operation"] == Operation.NORM:
        if op.fields["kernel_height"] == PASSES_WITHOUT_MEAN:
            return 2 * channels + INVERSE_READY + SCALED_READY
        return 3 * channels + MEAN_READY + INVERSE_READY
    return op.group_words + SHARE_READY + 2 * channels


def result_parts(op: Op, parts: int) -> int:
    """Return the parts that the SIMD unit moves for a result; parts: of a word-vector."""
    if op.whole_second:
        rows, columns = (op.fields[f"kernel_{side}"] for side in ("height", "width"))
        return rows * (1 + (columns - 1) * parts)
    return op.window.kernel[0] * op.window.kernel[1] * len(op.inputs) * parts


def copy_cycles(words: int, arch: Arch) -> float:
    """Return the cycles in which so many words go to the logit buffer and from there to memory."""
    size = words * arch.word
    pieces = size / (LOGIT_BYTES * arch.logit_entries)
    return words + size / arch.port_bytes + pieces * (2 * STEP_CYCLES + arch.memory_latency_cycles)
