"""The prediction of a run: the cycles and the events of each step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hwgen.chip.step import Step, in_a_row


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
class Prediction:
    """Cycles of one run, from accepted start to done.

    load: cycles in which an image or an answer moves, and that of the start
    modes: of each image of the run; found: a step a record of each image, then the end
    image_cycles: of each image, from the end of the one before it to its own; the start counts for
        the first image, the end of the run for the last one
    weight_row_writes: rows of weights that LOAD has written in all sub-arrays since reset
    """

    cycles: int
    load: int
    modes: tuple[int, ...]
    found: tuple[StepCycles, ...]
    image_cycles: tuple[int, ...]
    weight_row_writes: int

    loading: ClassVar[int] = 0
    """Cycles before the first run; those in which weights are written are not predicted."""

    @property
    def compute(self) -> int:
        """Cycles without those of images and answers."""
        return self.cycles - self.load

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps; each begins where the one before it retires."""
        return in_a_row(self.found)

    @property
    def step_events(self) -> tuple[Mapping[str, int], ...]:
        """Events of each step by name."""
        return tuple(step.events for step in self.found)

    @property
    def own_events(self) -> tuple[Mapping[str, int], ...]:
        """Of each step the events that never happen while another one runs: all of them."""
        return self.step_events

    @property
    def events(self) -> dict[str, int]:
        """Events of the run by name."""
        total: Counter[str] = Counter()
        for step in self.found:
            total.update(step.events)
        return dict(total)

    @property
    def counters(self) -> dict[str, int]:
        """What the counters of the chip will hold, by the name of their register.

        A run writes no row of weights, and the lock has nothing to refuse.
        """
        events = self.events
        return {
            "layers": len(self.found) - 1,
            "images_done": len(self.modes),
            "active_mode": self.modes[-1] if self.modes else 0,
            "and_operations": events["and_operations"],
            "input_row_writes": events["input_row_writes"],
            "weight_row_writes": self.weight_row_writes,
            "refused_row_writes": 0,
        }


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction."""
    total: Counter[str] = Counter()
    for step in prediction.found:
        total.update(step.causes)
    return dict(total)


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
