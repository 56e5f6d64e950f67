"""The common part of building a network: its layers so far, and their maps on random images."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from golden.network import accumulate, infer_layer
from hwgen.network import (
    INPUT,
    ONE_MODE,
    Conv,
    FeatureMap,
    Graph,
    Layer,
    Linear,
    Parameters,
    QuantizedNetwork,
    raw_map,
    version_of,
)
from hwgen.network.check import check_network
from hwgen.network.maps import Shape
from verif.dbpim.calibration import (
    HEAD_WEIGHT_SCALE,
    ByteRange,
    Bytes,
    Scaling,
    Weights,
    calibrate,
    draw_images,
    feature_map,
    no_scaling,
    parameters_of,
    scale_of,
)

CALIBRATION_IMAGES = 16


class Common(TypedDict):
    """Keys of every layer."""

    name: str
    inputs: tuple[str, ...]
    output: FeatureMap
    source: str


class GraphBuilder:
    """The layers so far, and golden's maps of random images, on which layers are calibrated.

    images: number of these images
    """

    def __init__(
        self,
        *,
        name: str,
        shape: Shape,
        seed: int,
        zero_point: int = 0,
        images: int = CALIBRATION_IMAGES,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self._name = name
        self._layers: list[Layer] = []
        self._parameters: dict[str, Parameters] = {}
        self._tables: dict[str, Bytes] = {}
        self._held: dict[str, dict[str, NDArray[Any]]] = {}
        self.features = {INPUT: feature_map(shape, ByteRange(zero_point, 0, 255), scale=1 / 64)}
        self.maps = {INPUT: draw_images(self.rng, shape, images)}

    def real(self, name: str) -> NDArray[np.float64]:
        """Return the real values of the bytes of a map."""
        values = self.features[name].quantization[0]
        return values.scale * (self.maps[name].astype(np.float64) - values.zero_point)

    def build(self) -> QuantizedNetwork:
        """Return the network after its own checks."""
        network = self._network()
        check_network(network, source=f"the network {self._name}")
        return network

    def _common(self, op: str, inputs: str | tuple[str, ...], output: FeatureMap) -> Common:
        sources = (inputs,) if isinstance(inputs, str) else inputs
        return Common(name=f"{op}_{len(self._layers)}", inputs=sources, output=output, source="")

    def _output_of(self, shape: Shape, source: str, output: ByteRange, *, head: bool) -> FeatureMap:
        """Return the map of a layer with weights; scales differ so that residual adds differ."""
        if head:
            return raw_map(shape, scale=scale_of(self.features[source]) * HEAD_WEIGHT_SCALE)
        return feature_map(shape, output, scale=float(self.rng.uniform(1 / 128, 1 / 32)))

    def _weighted(self, layer: Conv | Linear, weights: Weights, scaling: Scaling | None) -> str:
        if scaling is None:
            blank = parameters_of(layer, weights, no_scaling(len(weights)), 1.0)
            self._parameters[layer.name] = blank
            sums = accumulate(self._network(layer), layer, self.maps[layer.inputs[0]])
            scaling = calibrate(self.rng, sums.reshape(-1, len(weights)), layer.output)
        source_scale = scale_of(self.features[layer.inputs[0]])
        self._parameters[layer.name] = parameters_of(layer, weights, scaling, source_scale)
        return self._append(layer)

    def _append(self, layer: Layer) -> str:
        inputs = [self.maps[name] for name in layer.inputs]
        self.maps[layer.name] = infer_layer(self._network(layer), layer, inputs)
        self.features[layer.name] = layer.output
        self._layers.append(layer)
        return layer.name

    def _network(self, *more: Layer) -> QuantizedNetwork:
        layers = [*self._layers, *more]
        graph = Graph(
            format="hwgen.network",
            version=version_of(layers),
            name=self._name,
            dataset="random",
            class_names=[f"class {index}" for index in range(layers[-1].output.channels)],
            preprocessing="none: the bytes are the image",
            input=self.features[INPUT],
            modes=ONE_MODE,
            layers=layers,
            outputs=(layers[-1].name,),
        )
        return QuantizedNetwork(
            graph=graph,
            parameters=dict(self._parameters),
            tables=dict(self._tables),
            held=dict(self._held),
        )
