"""A network of random weights for a chip that a person gives: the layers that it was made for."""

from dataclasses import replace
from typing import Any

from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.image_io import results
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.network import INPUT, FeatureMap, MapQuantization, QuantizedNetwork
from verif.common.drawing import Drawing

MOST_BITS = 16
"""Of an element of a map; those of raw sums are more."""


class Given(Drawing):
    """Layers are called as those of a chip; all maps have the quantization of the image.

    So any of them may stand side by side.
    """

    called: str | None = None
    """Name of the next layer; None: as it is drawn."""

    def _names(self, op: str, *inputs: str) -> dict[str, Any]:
        names = super()._names(op, *inputs)
        return names if self.called is None else names | {"name": self.called}

    def map(self, *sizes: Any, bits: int = 8, **how: Any) -> FeatureMap:
        found = super().map(*sizes, bits=min(bits, MOST_BITS), **how)
        if not hasattr(self, "_maps"):
            return found
        same = self._maps[INPUT].quantization
        raw = (MapQuantization(scale=1.0, zero_point=0, low=0, high=0),)
        return replace(found, bits=bits, quantization=raw if bits > MOST_BITS else same)


def network_for(chip: Chip, *, seed: int) -> QuantizedNetwork:
    """Return a network that fills a chip, its weights, biases, factors and tables random."""
    rows, columns = chip.image_sides
    shape = (rows, columns, chip.image_channels)
    drawing = Given(seed, modes=("full",), shape=shape, bits=chip.activation_bits)
    names: list[str] = []
    for placed in chip.layers:
        read = [names[place] for place in placed.layer.providers] or [INPUT]
        name = append(drawing, chip, placed.layer, read)
        names.append(drawing.table(name) if placed.table else name)
    return drawing.build(*(names[travel.owner] for travel in results(chip)))


def append(drawing: Given, chip: Chip, layer: CrossbarLayer, read: list[str]) -> str:
    """Append a layer; return the name of its map."""
    several = layer.kind != "eltwise" and len(read) > 1
    source = drawing.concatenate(*read) if several else read[0]
    drawing.called = layer.name
    name = computed(drawing, chip, layer, [source] if several else read)
    drawing.called = None
    return name


def computed(drawing: Given, chip: Chip, layer: CrossbarLayer, read: list[str]) -> str:
    """Append what a layer computes of one map, or of two; return the name of its map."""
    if layer.kind == "eltwise":
        return drawing.add(*read, bits=chip.activation_bits)
    (source,) = read
    bits: int = layer.raw_bits or chip.activation_bits
    if layer.kind == "fc":
        channels = (layer.out_channels,)
        return drawing.linear(source, channels, bits=bits, weight_bits=chip.weight_bits)
    if layer.kind == "pool" and layer.taps == 1 and not layer.average:
        return drawing.shortcut(source, (layer.out_channels,), stride=layer.strides)
    window: dict[str, Any] = {"kernel": layer.kernels, "stride": layer.strides}
    window["padding"] = (*layer.paddings, *layer.end_paddings)
    if layer.average:
        return drawing.average_pool(source, bits=bits, **window)
    if layer.kind == "pool":
        return drawing.max_pool(source, **window)
    return drawing.conv(
        source,
        (layer.out_channels,),
        groups=layer.groups,
        weight_bits=chip.weight_bits,
        bits=bits,
        **window,
    )
