"""The prediction of a run: the cycles of each step, where they go, and the utilization."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.chip import runs
from hwgen.chip.runs import largest_of
from hwgen.chip.step import in_a_row
from hwgen.dbpim.facts.events import OVERLAPPING
from hwgen.dbpim.facts.program import StepPlan
from hwgen.network import INPUT

ACTIVE = ("busy", "inactive_positions", "empty_slots", "absent_filters")
"""Causes of cells whose row is active: a bit plane of the inputs meets it in the cycle."""
FULL_PORT = 0.9
"""Of the cycles of a step: with a beat in more of them, what its cells wait for is the port."""
PORT_WAITS = ("load", "imbalance")
"""Causes that a full port explains: a core whose weights come last has no work before."""
BOUNDS = {
    "cells": (*ACTIVE, "row_write"),
    "port": ("port", "load"),
    "SIMD": ("simd",),
    "switch": ("switch",),
    "output": ("output", "write_bus"),
    "imbalance": ("imbalance", "queue"),
    "pipeline": ("pipeline",),
}
"""What may bound a layer, and the causes that count for it; around the layers the name itself."""


def around_of(plan: StepPlan) -> str | None:
    """Return what the chip does around the layers in a step; None where it computes one.

    `image` and `store` move the images and the answers, `spill` a map that does not fit into the
    buffers.
    """
    if plan.kind == "load":
        return "image" if plan.layer == INPUT else "spill"
    if plan.kind == "store":
        return "store" if plan.memory is None or plan.memory.space == "answer" else "spill"
    return "end" if plan.kind == "end" else None


@dataclass(frozen=True, kw_only=True)
class StepCycles:
    """Cycles of one step, from the retirement of the one before it to its retirement.

    around: what the chip does around the layers; None: the step computes `layer`
    causes: where the cells of all macros spent the cycles, by
        `hwgen.dbpim.model.state.CAUSES`; each cycle counts the cells of one row of each macro
        (`hwgen.dbpim.model.cells.row_cells`). Empty for what the chip does around the layers
    effective: of the busy cells, those whose digit is part of a weight
    events: by name, as `hwgen.dbpim.facts.events.events_of` has them; those of BEGIN count for the
        first step
    """

    name: str
    layer: str
    around: str | None
    cycles: int
    causes: Mapping[str, int]
    effective: int
    events: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Prediction(runs.Prediction):
    """The prediction of a run; found: steps of the program, whose cycles add up to the total."""

    found: tuple[StepCycles, ...]

    @property
    def step_events(self) -> tuple[Mapping[str, int], ...]:
        """Events of each step by name."""
        return tuple(step.events for step in self.found)


def prediction_of(cycles: int, load: int, found: tuple[StepCycles, ...]) -> Prediction:
    """Return the prediction of a run; each step begins where the one before it retires."""
    return Prediction(
        cycles=cycles,
        load=load,
        steps=in_a_row(found),
        counters={"layers": len(found)},
        events=runs.summed(step.events for step in found),
        own_events=[
            {name: count for name, count in step.events.items() if name not in OVERLAPPING}
            for step in found
        ],
        found=found,
    )


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction.

    The cycles of a step are divided in proportion to what its cells spent on each cause
    (`hwgen.dbpim.model.state.CAUSES`). Cycles outside the layers have the name of what the chip
    does: image, spill, store, end.
    """
    total: Counter[str] = Counter()
    for step in prediction.found:
        total.update(step_causes(step))
    return dict(total)


def step_causes(step: StepCycles) -> dict[str, float]:
    """Return cycles by cause of one step; of one with a full port the waits for it are `port`."""
    if step.around is not None:
        return {step.around: step.cycles}
    cells = sum(step.causes.values())
    full = step.events["beats_read"] > FULL_PORT * step.cycles
    found: Counter[str] = Counter()
    for cause, spent in step.causes.items():
        named = "port" if full and cause in PORT_WAITS else cause
        found[named] += step.cycles * spent / cells  # type: ignore[assignment]
    return dict(found)


def bound_of(predictions: Sequence[Prediction], *, layer: str) -> str | None:
    """Return what takes most cycles of a layer: one of `BOUNDS`, or what is done around layers."""
    spent: Counter[str] = Counter()
    for prediction in predictions:
        for step in prediction.found:
            if step.layer == layer:
                spent.update(step_causes(step))
    return largest_of(spent, BOUNDS)


def utilization(steps: Sequence[StepCycles]) -> float | None:
    """Return the fraction of the active cells that do effective work, or None if none is active.

    U = effective / active (seed 002, Eq. 2), both summed over all macros and all cycles in which
    a macro issues a bit plane. active: the cells of its row. effective: the active cells whose
    digit is a non-zero digit of a weight, at an output position of the layer.
    """
    active = sum(step.causes.get(cause, 0) for step in steps for cause in ACTIVE)
    return sum(step.effective for step in steps) / active if active else None


def utilization_of(predictions: Sequence[Prediction], *, layer: str | None = None) -> float | None:
    """Return the utilization of the cells over predictions, of one layer or (None) of all."""
    found = [each for prediction in predictions for each in prediction.found]
    return utilization([each for each in found if layer in (None, each.layer)])
