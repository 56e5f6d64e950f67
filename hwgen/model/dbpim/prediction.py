"""The prediction of one image: the cycles of each layer, where they go, and the utilization."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from hwgen.spec.step import Step

IMAGE, STORE, END = "image", "store", "end"
"""Names of what the chip does around the layers of a network."""

ACTIVE = ("busy", "inactive_positions", "empty_slots", "absent_filters")
"""Causes of cells whose row is active: a bit plane of the inputs meets it in the cycle."""


@dataclass(frozen=True)
class LayerCycles:
    """Cycles of one layer, from the retirement of the one before it to its retirement.

    causes: where the cells of all macros spent the cycles, by
        `hwgen.model.dbpim.state.CAUSES`; each cycle counts the cells of one row of each macro
        (`hwgen.model.dbpim.cells.row_cells`). Empty for what the chip does around the layers
    effective: of the busy cells, those whose digit is part of a weight
    """

    name: str
    cycles: int
    causes: Mapping[str, int]
    effective: int


@dataclass(frozen=True)
class Prediction:
    """Cycles of one image, from accepted start to done.

    load: load-stall cycles, in which nothing computes because a load is pending
    layers: `image`, the layers of the program, `store`, `end`; their cycles add up to the total
    """

    cycles: int
    load: int
    layers: tuple[LayerCycles, ...]

    @property
    def compute(self) -> int:
        """Cycles without the load-stall cycles."""
        return self.cycles - self.load

    @property
    def steps(self) -> tuple[Step, ...]:
        """One step for each of `layers`; it begins where the one before it retires."""
        ends = list(accumulate(layer.cycles for layer in self.layers))
        return tuple(
            Step(name=layer.name, layer=layer.name, begin=end - layer.cycles, end=end)
            for layer, end in zip(self.layers, ends, strict=True)
        )

    @property
    def counters(self) -> dict[str, int]:
        """What the other counters of the chip will hold, by the name of their register."""
        return {"layers": len(self.layers)}

    @property
    def events(self) -> dict[str, int]:
        """Events by name: this chip has none that are counted."""
        return {}


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction.

    The cycles of a layer are divided in proportion to what its cells spent on each cause
    (`hwgen.model.dbpim.state.CAUSES`). Cycles outside the layers have the name of what the chip
    does: image, store, end.
    """
    total: Counter[str] = Counter()
    for layer in prediction.layers:
        total.update(layer_causes(layer))
    return dict(total)


def layer_causes(layer: LayerCycles) -> dict[str, float]:
    """Return cycles by cause of one layer."""
    cells = sum(layer.causes.values())
    if cells == 0:
        return {layer.name: layer.cycles}
    return {cause: layer.cycles * spent / cells for cause, spent in layer.causes.items()}


def utilization(layers: Sequence[LayerCycles]) -> float | None:
    """Return the fraction of the active cells that do effective work, or None if none is active.

    U = effective / active (seed 002, Eq. 2), both summed over all macros and all cycles in which
    a macro issues a bit plane. active: the cells of its row. effective: the active cells whose
    digit is a non-zero digit of a weight, at an output position of the layer.
    """
    active = sum(layer.causes.get(cause, 0) for layer in layers for cause in ACTIVE)
    return sum(layer.effective for layer in layers) / active if active else None


def utilization_of(predictions: Sequence[Prediction], *, layer: str | None = None) -> float | None:
    """Return the utilization of the cells over predictions, of one layer or (None) of all."""
    found = [each for prediction in predictions for each in prediction.layers]
    return utilization([each for each in found if layer in (None, each.name)])
