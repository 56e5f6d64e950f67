"""Where the cycles of a prediction go."""

from collections import Counter

from hwgen.model.dbpim.predict import LayerCycles, Prediction

ENDS = ("image", "store", "end")
"""Entries of a prediction that are no layers of the network."""


def where_cycles_go(prediction: Prediction) -> dict[str, float]:
    """Return cycles by cause; they add up to those of the prediction.

    The cycles of a layer with weights are shared out as the cycles of its macros went
    (`hwgen.model.dbpim.state.CAUSES`); those of another layer belong to the `simd` unit.
    """
    total: Counter[str] = Counter()
    for layer in prediction.layers:
        total.update(layer_causes(layer))
    return dict(total)


def layer_causes(layer: LayerCycles) -> dict[str, float]:
    """Return cycles by cause of one layer."""
    macro_cycles = sum(layer.causes.values())
    if macro_cycles == 0:
        return {layer.name if layer.name in ENDS else "simd": layer.cycles}
    return {cause: layer.cycles * spent / macro_cycles for cause, spent in layer.causes.items()}
