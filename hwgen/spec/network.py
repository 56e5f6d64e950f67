"""The hand-over: a quantized network as integers, scales, shapes and a layer graph.

It is the only thing that training gives to hardware. All maps are uint8 in NHWC order with one
scale and zero point each: real = scale * (byte - zero_point). Weights are int8, symmetric, one
scale per output channel. The bias is int32 and already holds -zero_point * sum(weights), so that
acc = sum(byte * weight) + bias with the raw bytes; padding bytes equal the zero point.
"""

import hashlib
import json
from dataclasses import field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from hwgen.spec.quantization import MULTIPLIER_HIGH, MULTIPLIER_LOW, SHIFT_HIGH, SHIFT_LOW

FORMAT = "hwgen.network"
VERSION = 1
INPUT = "input"
"""Name of the image in the graph."""

STRICT = ConfigDict(extra="forbid", strict=True)
Byte = Annotated[int, Field(ge=0, le=255)]
Size = Annotated[int, Field(ge=1, le=65535)]
Multiplier = Annotated[int, Field(ge=MULTIPLIER_LOW, le=MULTIPLIER_HIGH)]
Shift = Annotated[int, Field(ge=SHIFT_LOW, le=SHIFT_HIGH)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureMap:
    """A uint8 map: real = scale * (byte - zero_point); bytes lie in [low, high] (ReLU is a clip).

    The head's map holds int32 logits instead of bytes; its scale is that of the logits and its
    zero_point, low and high are 0, 0 and 255 by convention.
    """

    height: Size
    width: Size
    channels: Size
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    zero_point: Byte
    low: Byte
    high: Byte

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.height, self.width, self.channels


class OneInput:
    """A layer that reads one map, its field `input`."""

    input: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the maps that the layer reads."""
        return (self.input,)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Conv(OneInput):
    """Convolution: arrays `weights` int8 (out, kernel_height, kernel_width, in) and the rest.

    `head`: the output stays int32 logits; multiplier and shift are then absent.
    """

    name: str
    op: Literal["conv"]
    input: str
    kernel_height: Annotated[int, Field(ge=1, le=31)]
    kernel_width: Annotated[int, Field(ge=1, le=31)]
    stride: Annotated[int, Field(ge=1, le=4)]
    padding: Annotated[int, Field(ge=0, le=7)]
    head: bool
    output: FeatureMap


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Linear(OneInput):
    """Fully connected layer over the whole input map; `weights` int8 (out, height * width * c)."""

    name: str
    op: Literal["linear"]
    input: str
    head: bool
    output: FeatureMap


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaxPool(OneInput):
    """Maximum over a window; keeps scale and zero point; padding never wins."""

    name: str
    op: Literal["max_pool"]
    input: str
    kernel: Annotated[int, Field(ge=1, le=31)]
    stride: Annotated[int, Field(ge=1, le=31)]
    padding: Annotated[int, Field(ge=0, le=7)]
    output: FeatureMap


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AveragePool(OneInput):
    """Mean over a window without padding: requantize(sum(x - zx)), with 1 / n inside multiplier."""

    name: str
    op: Literal["average_pool"]
    input: str
    kernel_height: Annotated[int, Field(ge=1, le=31)]
    kernel_width: Annotated[int, Field(ge=1, le=31)]
    stride: Annotated[int, Field(ge=1, le=31)]
    multiplier: Multiplier
    shift: Shift
    output: FeatureMap


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Add:
    """Residual add: clip((((a - za) * Ma + (b - zb) * Mb + half) >> shift) + zero_point).

    Both multipliers share one shift, so the smaller may be below 2**15.
    """

    name: str
    op: Literal["add"]
    a: str
    b: str
    multiplier_a: Annotated[int, Field(ge=0, le=MULTIPLIER_HIGH)]
    multiplier_b: Annotated[int, Field(ge=0, le=MULTIPLIER_HIGH)]
    shift: Shift
    output: FeatureMap

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the maps that the layer reads."""
        return self.a, self.b


Layer = Conv | Linear | MaxPool | AveragePool | Add


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Graph:
    """The layers in an order in which each finds its inputs computed; the last is the head."""

    format: Literal["hwgen.network"]
    version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    dataset: str
    """Name of the images it was trained on (`digits`, `cifar10`, ...), for `hwgen run`."""
    class_names: list[str]
    preprocessing: str
    """One sentence: how a source image becomes input bytes."""
    input: FeatureMap
    layers: Annotated[list[Annotated[Layer, Field(discriminator="op")]], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Parameters:
    """Integers of one `conv` or `linear` layer, indexed by output channel first.

    weights: int8, (out, kernel_height, kernel_width, in) or (out, in) in NHWC order
    bias: int32, holds the input's zero point
    multiplier: uint16, shift: uint8; empty for the head
    weight_scale: float32, real weight = weight_scale * weight
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.uint16]
    shift: NDArray[np.uint8]
    weight_scale: NDArray[np.float32]


PARAMETER_TYPES: dict[str, Any] = {
    "weights": np.int8,
    "bias": np.int32,
    "multiplier": np.uint16,
    "shift": np.uint8,
    "weight_scale": np.float32,
}


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class QuantizedNetwork:
    """A layer graph and the integers of its layers, by layer name."""

    graph: Graph
    parameters: dict[str, Parameters] = field(default_factory=dict)

    @property
    def layers(self) -> list[Layer]:
        """Layers in order of execution."""
        return self.graph.layers

    def map_of(self, name: str) -> FeatureMap:
        """Return the map called `name`: the image or a layer's output."""
        if name == INPUT:
            return self.graph.input
        return next(layer.output for layer in self.layers if layer.name == name)

    @property
    def digest(self) -> str:
        """sha256 over graph and integers, 64 hexadecimal digits."""
        plain = TypeAdapter(Graph).dump_python(self.graph)
        sha = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
        for name in sorted(self.parameters):
            for key in PARAMETER_TYPES:
                sha.update(np.ascontiguousarray(getattr(self.parameters[name], key)).tobytes())
        return sha.hexdigest()
