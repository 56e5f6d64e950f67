"""What the rules of lowering read: the network, its maps and the architecture.

Tests: `tests/dbpim/compiler/test_unstored.py`.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.ops import Fields, MapShape
from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.arch import Arch
from hwgen.network import INPUT, Constant, FeatureMap, Layer, QuantizedNetwork
from hwgen.network.quantization import HALF_UP, ROUNDING_CODES


class Source:
    """A network on its way to passes; rules add maps, constants and filters.

    counted: the network in which each channel of a softmax counts; None: this one
    maps: by name; constants: uint8 (height, width, channels) by name
    filters: of each `conv` pass, (filters, kernel height, width, channels)
    kept: maps that states become
    windowed: whether a word of the stored image holds a whole row of the first window
    """

    def __init__(
        self, network: QuantizedNetwork, arch: Arch, counted: QuantizedNetwork | None = None
    ) -> None:
        self.network, self.arch, self.counted = network, arch, counted or network
        self.features: dict[str, FeatureMap] = {INPUT: network.graph.input}
        self.features |= {layer.name: layer.output for layer in network.layers}
        self.maps = {
            name: MapShape(name=name, height=each.height, width=each.width, channels=each.channels)
            for name, each in self.features.items()
        }
        self.constants = {
            layer.name: network.arrays_of(layer.name)["map"]
            for layer in network.layers
            if isinstance(layer, Constant)
        }
        self.kept = {state.next for state in network.states.values()}
        self.filters: dict[str, NDArray[np.int8]] = {}
        self.windowed = False

    def readers(self, name: str) -> list[Layer]:
        """Return the layers that read a map."""
        return [layer for layer in self.network.layers if name in layer.inputs]

    def zero_point(self, name: str) -> int:
        """Return the zero point of a map."""
        return self.features[name].quantization[0].zero_point

    def words(self, name: str) -> int:
        """Return the channel words of a map."""
        return channel_words(self.maps[name].channels, self.arch)

    def rounding(self, layer: Layer) -> int:
        """Return how the sums of a layer round, as an instruction says it.

        Raw sums must say `half_up`: a requantizer that rounds as float32 rounds the sum itself.
        """
        own = HALF_UP if layer.output.raw else getattr(layer, "rounding", HALF_UP)
        return ROUNDING_CODES[own]

    def output_fields(self, layer: Layer) -> Fields:
        """Return zero point and clip of a layer's map; zeros for raw sums."""
        values = layer.output.quantization[0]
        if layer.output.raw:
            return {"output_zero_point": 0, "output_low": 0, "output_high": 0}
        return {
            "output_zero_point": values.zero_point,
            "output_low": values.low,
            "output_high": values.high,
        }
