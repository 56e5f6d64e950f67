"""Where the cycles of an image go, from counted events: the bound, and what lies above it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hwgen.mram.facts.arch import Arch

if TYPE_CHECKING:
    from hwgen.mram.model.prediction import StepCycles

BOUND = "bound"
PARTS = {
    BOUND: (
        "the bound: ANDs of columns with a channel's input, all columns of all sub-arrays at work"
    ),
    "within_segments": (
        "columns of active segments without a channel: blocks and last loads not full"
    ),
    "beside_segments": "segments that hold nothing for the layer, columns behind the last segment",
    "input_rows": "input rows written while no AND runs in the sub-array, without `overlap`",
    "waiting": "sub-arrays wait: for sums to leave, first and last loads, no kernel, dispatch",
    "image": "the image enters",
    "pool": "the pool unit works",
    "answer": "the answer leaves, the end",
}
"""Name -> meaning; in cycles of the chip."""


def cycle_parts(steps: "Sequence[StepCycles]", arch: Arch) -> dict[str, float]:
    """Return the cycles of an image by cause; they add up to its cycles."""
    columns = arch.sub_arrays * arch.array.columns
    found = dict.fromkeys(PARTS, 0.0)
    for step in steps:
        events = step.events
        if not events["and_operations"]:
            found[step_part(step)] += step.cycles
            continue
        active = events["and_segments"] * arch.segment_columns
        own = {
            BOUND: step.effective / columns,
            "within_segments": (active - step.effective) / columns,
            "beside_segments": (step.columns - active) / columns,
            "input_rows": events["input_row_writes"] / arch.sub_arrays,
        }
        if arch.overlap:
            own["input_rows"] = 0.0
        own["waiting"] = step.cycles - sum(own.values())
        for name, cycles in own.items():
            found[name] += cycles
    return found


def step_part(step: "StepCycles") -> str:
    """Return the part of a step without ANDs."""
    if step.around is None:
        return "pool"
    return "image" if step.around == "image" else "answer"
