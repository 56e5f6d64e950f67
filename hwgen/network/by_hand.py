"""Networks written by hand, layer by layer, for what they do to a chip: their answers mean nothing.

Tests: `tests/network/test_by_hand.py`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network.average_pool import AveragePool
from hwgen.network.conv import Conv
from hwgen.network.graph import INPUT, ONE_MODE, Graph, QuantizedNetwork, version_of
from hwgen.network.layer import Requantization
from hwgen.network.maps import FeatureMap, Pair, Shape, byte_map, raw_map
from hwgen.network.max_pool import MaxPool
from hwgen.network.quantization import HALF_UP, MULTIPLIER_LOW
from hwgen.network.table import ENTRIES, Table
from hwgen.network.weights import Parameters

UNIT_SHIFT = MULTIPLIER_LOW.bit_length() - 1
"""With the least multiplier a sum becomes an element as it is."""
LARGEST = 255
MIDDLE = 128
"""Zero point of maps whose elements stand for positive and negative sums."""


def plain_map(shape: Shape, zero_point: int = 0) -> FeatureMap:
    """Return a map of bytes, all of which occur."""
    return byte_map(shape, scale=1.0, zero_point=zero_point, low=0, high=LARGEST)


@dataclass
class NetworkByHand:
    """A network that grows by a layer each call; each returns the name of its map.

    shape: of the image, of bytes with the zero point 0
    """

    name: str
    shape: Shape
    layers: list[Any] = field(default_factory=list)
    parameters: dict[str, Parameters] = field(default_factory=dict)
    tables: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def built(self, *outputs: str) -> QuantizedNetwork:
        """Return the network."""
        graph = Graph(
            format="hwgen.network",
            version=version_of(self.layers),
            name=self.name,
            dataset="",
            class_names=[],
            preprocessing="none",
            input=plain_map(self.shape),
            modes=ONE_MODE,
            layers=self.layers,
            outputs=outputs,
        )
        return QuantizedNetwork(graph=graph, parameters=self.parameters, tables=self.tables)

    def map_of(self, name: str) -> FeatureMap:
        """Return a map."""
        maps: dict[str, FeatureMap] = {INPUT: plain_map(self.shape)}
        maps |= {each.name: each.output for each in self.layers}
        return maps[name]

    def add(self, kind: type[Any], source: str, output: FeatureMap, **keys: Any) -> str:
        """Add a layer of a kind; its name tells the kind and its place."""
        op = {Conv: "conv", MaxPool: "max_pool", AveragePool: "average_pool", Table: "table"}[kind]
        name = f"{op}_{len(self.layers)}"
        self.layers.append(
            kind(op=op, name=name, inputs=(source,), output=output, source="", **keys)
        )
        return name

    def conv(
        self,
        source: str,
        weights: NDArray[Any],
        *,
        weight_bits: int = 8,
        stride: Pair = (1, 1),
        groups: int = 1,
        raw: bool = False,
        bias: NDArray[Any] | None = None,
        multiplier: NDArray[Any] | None = None,
        shift: NDArray[Any] | None = None,
    ) -> str:
        """Add a convolution; weights: (out, kernel height, kernel width, in / groups), of 8 bits.

        raw: its sums are an output; else elements are sums above `MIDDLE`, where nothing is given
        """
        before, (filters, height, width, _) = self.map_of(source), weights.shape
        shape = (
            (before.height - height) // stride[0] + 1,
            (before.width - width) // stride[1] + 1,
            filters,
        )
        scaled = (1, 0 if raw else filters)
        name = self.add(
            Conv,
            source,
            raw_map(shape, scale=1.0) if raw else plain_map(shape, MIDDLE),
            weight_bits=weight_bits,
            weight_grid="integer",
            rounding=HALF_UP,
            kernel=(height, width),
            stride=stride,
            padding=(0, 0, 0, 0),
            groups=groups,
        )
        zeros = before.quantization[0].zero_point * weights.reshape(filters, -1).sum(axis=1)
        given = np.zeros(filters, np.int64) if bias is None else bias
        self.parameters[name] = Parameters(
            weights=weights.astype(np.int8),
            bias=(given - zeros)[np.newaxis].astype(np.int64),
            multiplier=filled(multiplier, MULTIPLIER_LOW, scaled).astype(np.uint32),
            shift=filled(shift, UNIT_SHIFT, scaled).astype(np.uint8),
            weight_scale=np.ones(filters, np.float32),
        )
        return name

    def table(self, source: str, values: NDArray[np.uint8]) -> str:
        """Add a table; values: of each byte."""
        name = self.add(Table, source, plain_map(self.map_of(source).shape))
        self.tables[name] = values.reshape(1, ENTRIES)
        return name

    def pool(self, source: str, kernel: Pair, *, mean: bool = False) -> str:
        """Add the largest element or the mean of windows side by side."""
        before = self.map_of(source)
        shape = (before.height // kernel[0], before.width // kernel[1], before.channels)
        zero_point = before.quantization[0].zero_point
        keys: dict[str, Any] = {"kernel": kernel, "stride": kernel, "padding": (0, 0, 0, 0)}
        if not mean:
            return self.add(MaxPool, source, plain_map(shape, zero_point), **keys)
        size = kernel[0] * kernel[1]
        shift = UNIT_SHIFT + (size - 1).bit_length()
        entry = Requantization(multipliers=(round((1 << shift) / size),), shift=shift)
        keys |= {"divisor": "window", "center": None, "rounding": HALF_UP}
        output = plain_map(shape, zero_point)
        return self.add(AveragePool, source, output, requantization=(entry,), **keys)


def filled(given: NDArray[Any] | None, value: int, shape: tuple[int, int]) -> NDArray[Any]:
    """Return what is given in a shape, or a value in all places."""
    return np.full(shape, value) if given is None else np.asarray(given).reshape(shape)
