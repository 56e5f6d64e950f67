"""What an ONNX model cannot say of a quantized network, as metadata of the model.

Scales in ONNX are float32, those of the network file float64; ONNX has no maps of 3 bits, no name
of a data set. The notes carry these. They change no arithmetic: a reader takes a note only where
it agrees with the nodes, weights and scales of the model.
"""

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.spec.network import QuantizedNetwork
from hwgen.spec.network.weights import Weighted

KEY = "hwgen.network"
"""Key of the notes in the metadata of a model."""

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MapNote:
    """A map: its bits, its scale as float64, and the smallest and largest integer in it."""

    bits: int
    scale: float
    low: int
    high: int


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WeightNote:
    """Weights: their bits and grid, and scales that differ from those in the model."""

    bits: int
    grid: str
    scale: list[float] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Notes:
    """The notes of a model; maps and weights by name of the layer."""

    name: str
    dataset: str
    class_names: list[str]
    preprocessing: str
    mode: str
    maps: dict[str, MapNote]
    weights: dict[str, WeightNote]


def notes_of(network: QuantizedNetwork, scales: dict[str, list[float]]) -> Notes:
    """Return the notes of a network of one mode.

    scales: `weight_scale` of each layer whose model has others
    """
    graph = network.graph
    maps = {"input": graph.input, **{layer.name: layer.output for layer in graph.layers}}
    return Notes(
        name=graph.name,
        dataset=graph.dataset,
        class_names=list(graph.class_names),
        preprocessing=graph.preprocessing,
        mode=graph.modes[0],
        maps={
            name: MapNote(
                bits=feature.bits,
                scale=feature.quantization[0].scale,
                low=feature.quantization[0].low,
                high=feature.quantization[0].high,
            )
            for name, feature in maps.items()
        },
        weights={
            layer.name: WeightNote(
                bits=layer.weight_bits,
                grid=layer.weight_grid,
                scale=scales.get(layer.name, []),
            )
            for layer in graph.layers
            if isinstance(layer, Weighted)
        },
    )
