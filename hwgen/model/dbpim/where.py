"""Where the cycles of a prediction go, and how many of the cells do effective work."""

from collections import Counter
from collections.abc import Sequence

from hwgen.model.dbpim.predict import LayerCycles, Prediction

ACTIVE = ("busy", "inactive_positions", "empty_slots", "absent_filters")
"""Causes of cells whose row meets a bit column in the cycle."""


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction.

    The cycles of a layer are shared out as its cells spent them (`hwgen.model.dbpim.state.CAUSES`);
    those around the layers have the names of what the chip does: image, store, end.
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
    """Return the share of the active cells that do effective work, or None if none is active.

    U = effective / active (seed 002, Eq. 2), both summed over all macros and all cycles in which
    a macro issues a bit column. active: the cells of its row. effective: those of them whose
    digit is a non-zero digit of a weight, at an output position of the layer.
    """
    active = sum(layer.causes.get(cause, 0) for layer in layers for cause in ACTIVE)
    return sum(layer.effective for layer in layers) / active if active else None


def utilization_of(predictions: Sequence[Prediction], *, layer: str | None = None) -> float | None:
    """Return the utilization of the cells over some predictions; layer: None: of all layers."""
    found = [each for prediction in predictions for each in prediction.layers]
    return utilization([each for each in found if layer in (None, each.name)])
