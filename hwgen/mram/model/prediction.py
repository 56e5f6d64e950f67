"""The prediction of a run: the cycles and the events of each step.

Tests: `tests/mram/model/test_predict.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.chip import runs


@dataclass(frozen=True, kw_only=True)
class StepCycles:
    """A step, from the retirement of the record before it to its own.

    around: what the chip does around the layers; None: the step computes `layer`
    causes: cycles by what the step did in them
    columns, effective: of the AND operations, columns sensed, and those with a channel's input
    """

    name: str
    layer: str
    around: str | None
    cycles: int
    causes: Mapping[str, int]
    events: Mapping[str, int]
    columns: int
    effective: int


@dataclass(frozen=True, kw_only=True)
class Prediction(runs.Prediction):
    """The prediction of a run; found: a step a record of each image, then the end."""

    found: tuple[StepCycles, ...]

    @property
    def step_events(self) -> tuple[Mapping[str, int], ...]:
        """Events of each step by name."""
        return tuple(step.events for step in self.found)


def counters_of(
    found: Sequence[StepCycles],
    events: Mapping[str, int],
    *,
    modes: Sequence[int],
    weight_row_writes: int,
) -> dict[str, int]:
    """Return what the counters of the chip will hold, by the name of their register.

    A run writes no row of weights, and the lock has nothing to refuse.

    weight_row_writes: rows of weights that LOAD has written in all sub-arrays since reset
    """
    return {
        "layers": len(found) - 1,
        "images_done": len(modes),
        "active_mode": modes[-1] if modes else 0,
        "and_operations": events["and_operations"],
        "input_row_writes": events["input_row_writes"],
        "weight_row_writes": weight_row_writes,
        "refused_row_writes": 0,
    }


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction."""
    total: Counter[str] = Counter()
    for step in prediction.found:
        total.update(step.causes)
    return dict(total)


def bound_of(predictions: Sequence[Prediction], *, layer: str) -> str | None:
    """Return the cause that takes most cycles of a layer."""
    spent: Counter[str] = Counter()
    for prediction in predictions:
        for step in prediction.found:
            if step.layer == layer:
                spent.update(step.causes)
    return runs.largest_of(spent)


def utilization_of(predictions: Sequence[Prediction], *, layer: str | None = None) -> float | None:
    """Return the fraction of the columns of AND operations that have the input of a channel."""
    steps = [
        step
        for prediction in predictions
        for step in prediction.found
        if layer in (None, step.layer)
    ]
    columns = sum(step.columns for step in steps)
    return sum(step.effective for step in steps) / columns if columns else None
