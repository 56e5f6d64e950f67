"""What an ONNX model cannot say of a quantized network, as metadata of the model.

Scales in ONNX are float32, those of the network file float64; ONNX has no maps of 3 bits, no name
of a data set. The notes carry these. They change no arithmetic: a reader takes a note only where
it agrees with the nodes, weights and scales of the model.

Tests: `tests/importers/onnx/test_export.py`.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import onnx
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from hwgen.importers.integer import QuantizedMap
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.weights import Weighted

KEY = "hwgen.network"
"""Key of the notes in the metadata of a model."""

CLOSED = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class MapNote:
    """A map: its bits, its scale as float64, and the smallest and largest integer in it."""

    bits: int
    scale: float
    low: int
    high: int


@dataclass(frozen=True, kw_only=True, config=CLOSED)
class WeightNote:
    """Weights: their bits and grid, and scales that differ from those in the model."""

    bits: int
    grid: Literal["integer", "odd"]
    scale: list[float] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True, config=CLOSED)
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


SUFFIX = "/quantized"
"""Behind the name of a layer: the tensor of its integers."""


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """The notes of a model that is read; None: it has none."""

    notes: Notes | None

    @classmethod
    def of(cls, model: onnx.ModelProto) -> "Annotations":
        """Return the notes of a model; what is not ours is no note."""
        for entry in model.metadata_props:
            if entry.key == KEY:
                try:
                    return cls(notes=TypeAdapter(Notes).validate_json(entry.value))
                except ValidationError:
                    break
        return cls(notes=None)

    def refine(self, tensor: str, given: QuantizedMap, moving: bool) -> QuantizedMap:
        """Return a map with the scale and bits of its note, where these agree with the model.

        moving: whether its layer computes no new integers, so that the range is a note, too
        """
        note = self.notes.maps.get(tensor.removesuffix(SUFFIX)) if self.notes else None
        if note is None or np.float32(note.scale) != np.float32(given.scale) or given.signed:
            if note is None or not given.raw:
                return given
            return replace(given, scale=note.scale, bits=note.bits)
        low, high = (note.low, note.high) if moving else (given.low, given.high)
        fits = given.raw or (note.bits <= given.bits and 0 <= low <= high < 1 << note.bits)
        if not fits:
            return replace(given, scale=note.scale)
        return replace(given, scale=note.scale, bits=note.bits, low=low, high=high)

    def finish(self, network: QuantizedNetwork) -> QuantizedNetwork:
        """Return the network with names, classes, and bits and scales of weights."""
        notes = self.notes
        if notes is None:
            return network
        graph = network.graph
        layers, parameters = [], dict(network.parameters)
        for layer in graph.layers:
            note = notes.weights.get(layer.name)
            if note is None or not isinstance(layer, Conv | Linear):
                layers.append(layer)
                continue
            layers.append(replace(layer, weight_bits=note.bits, weight_grid=note.grid))
            given = parameters[layer.name]
            if len(note.scale) == len(given.weight_scale):
                scale = np.array(note.scale, np.float32)
                parameters[layer.name] = replace(given, weight_scale=scale)
        changed = replace(
            graph,
            name=notes.name or graph.name,
            dataset=graph.dataset or notes.dataset,
            class_names=graph.class_names or notes.class_names,
            preprocessing=notes.preprocessing,
            modes=(notes.mode,),
            layers=layers,
        )
        return replace(network, graph=changed, parameters=parameters)
