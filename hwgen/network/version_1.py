"""Version 1 of the quantized network file: bytes only, one mode, five kinds of layers."""

import json
import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from hwgen.errors import FormatError
from hwgen.files.load import first_mistake
from hwgen.network.graph import INPUT, ONE_MODE
from hwgen.network.layer import Arrays
from hwgen.network.maps import STRICT, Size
from hwgen.network.quantization import MULTIPLIER_HIGH, MULTIPLIER_LOW, SHIFT_HIGH, SHIFT_LOW
from hwgen.network.version_2 import VERSION_2

VERSION_1 = 1

Plain = dict[str, Any]
Byte = Annotated[int, Field(ge=0, le=255)]
Window = Annotated[int, Field(ge=1, le=31)]
Padding = Annotated[int, Field(ge=0, le=7)]
Multiplier = Annotated[int, Field(ge=MULTIPLIER_LOW, le=MULTIPLIER_HIGH)]
AddMultiplier = Annotated[int, Field(ge=0, le=MULTIPLIER_HIGH)]
Shift = Annotated[int, Field(ge=SHIFT_LOW, le=SHIFT_HIGH)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Map1:
    """A map of bytes; the map of the head holds int32 sums, and its range is not used."""

    height: Size
    width: Size
    channels: Size
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    zero_point: Byte
    low: Byte
    high: Byte


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Conv1:
    """Convolution of one stride and one padding."""

    name: str
    op: Literal["conv"]
    input: str
    kernel_height: Window
    kernel_width: Window
    stride: Annotated[int, Field(ge=1, le=4)]
    padding: Padding
    head: bool
    output: Map1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Linear1:
    """Fully connected layer."""

    name: str
    op: Literal["linear"]
    input: str
    head: bool
    output: Map1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaxPool1:
    """Maximum over a square."""

    name: str
    op: Literal["max_pool"]
    input: str
    kernel: Window
    stride: Window
    padding: Padding
    output: Map1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AveragePool1:
    """Mean over a window without padding."""

    name: str
    op: Literal["average_pool"]
    input: str
    kernel_height: Window
    kernel_width: Window
    stride: Window
    multiplier: Multiplier
    shift: Shift
    output: Map1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Add1:
    """Residual add."""

    name: str
    op: Literal["add"]
    a: str
    b: str
    multiplier_a: AddMultiplier
    multiplier_b: AddMultiplier
    shift: Shift
    output: Map1


Layer1 = Conv1 | Linear1 | MaxPool1 | AveragePool1 | Add1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Graph1:
    """The layers; the last one is the head."""

    format: Literal["hwgen.network"]
    version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    dataset: str
    class_names: list[str]
    preprocessing: str
    input: Map1
    layers: Annotated[list[Annotated[Layer1, Field(discriminator="op")]], Field(min_length=1)]


def from_version_1(plain: Plain, arrays: Arrays, *, source: str) -> tuple[Plain, Arrays]:
    """Return graph and arrays of version 2; raises FormatError where version 1 does not hold."""
    try:
        graph = TypeAdapter(Graph1).validate_json(json.dumps(plain))
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None
    check_head(graph, source)
    names = plain_names(graph, source)
    fresh = {
        "format": graph.format,
        "version": VERSION_2,
        "name": graph.name,
        "dataset": graph.dataset,
        "class_names": graph.class_names,
        "preprocessing": graph.preprocessing,
        "input": map_of(graph.input),
        "modes": list(ONE_MODE),
        "layers": [layer_of(layer, names) for layer in graph.layers],
        "outputs": [names[graph.layers[-1].name]],
    }
    return fresh, {renamed(key, names): wider(key, arrays[key], source) for key in arrays}


def check_head(graph: Graph1, source: str) -> None:
    """Check that the last layer, and only the last, is the head."""
    heads = [layer.name for layer in graph.layers if getattr(layer, "head", False)]
    last = graph.layers[-1].name
    if heads != [last]:
        raise FormatError(
            field="head",
            allowed=f"the last layer ({last}) alone",
            given=heads or "no layer",
            source=source,
        )


def plain_names(graph: Graph1, source: str) -> dict[str, str]:
    """Return the new name of each map; characters that version 2 does not allow become `_`."""
    names = {INPUT: INPUT}
    for layer in graph.layers:
        if layer.name in names or not layer.name or "." in layer.name:
            raise FormatError(
                field="layer name",
                allowed="new, not empty and without a dot",
                given=layer.name,
                source=source,
            )
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", layer.name)
        name, count = stem, 1
        while name in names.values():
            count += 1
            name = f"{stem}_{count}"
        names[layer.name] = name
    return names


def renamed(key: str, names: dict[str, str]) -> str:
    """Return the new name of an array."""
    layer, dot, kind = key.rpartition(".")
    return f"{names.get(layer, layer)}{dot}{kind}"


def wider(key: str, array: np.ndarray[Any, Any], source: str) -> np.ndarray[Any, Any]:
    """Return an array with an axis for modes where version 2 has one, biases as int64."""
    kind = key.rpartition(".")[2]
    if kind not in ("bias", "multiplier", "shift"):
        return array
    if kind == "bias" and array.dtype != np.int32:
        raise FormatError(field=key, allowed="int32", given=array.dtype, source=source)
    return array[np.newaxis].astype(np.int64) if kind == "bias" else array[np.newaxis]


def map_of(given: Map1, *, raw: bool = False) -> Plain:
    """Return a map of version 2."""
    values = {"zero_point": given.zero_point, "low": given.low, "high": given.high}
    if raw:
        values = dict.fromkeys(values, 0)
    return {
        "height": given.height,
        "width": given.width,
        "channels": given.channels,
        "mode_channels": [],
        "bits": 32 if raw else 8,
        "quantization": [{"scale": given.scale, **values}],
    }


def layer_of(layer: Layer1, names: dict[str, str]) -> Plain:
    """Return a layer of version 2."""
    inputs = (layer.a, layer.b) if isinstance(layer, Add1) else (layer.input,)
    return {
        "name": names[layer.name],
        "op": layer.op,
        "inputs": [names.get(name, name) for name in inputs],
        "output": map_of(layer.output, raw=getattr(layer, "head", False)),
        "source": "",
        **keys_of(layer),
    }


def keys_of(layer: Layer1) -> Plain:
    """Return the keys of one kind in version 2."""
    match layer:
        case Conv1():
            return {
                **window((layer.kernel_height, layer.kernel_width), layer.stride, layer.padding),
                "groups": 1,
                "weight_bits": 8,
                "weight_grid": "integer",
            }
        case Linear1():
            return {"weight_bits": 8, "weight_grid": "integer"}
        case MaxPool1():
            return window((layer.kernel, layer.kernel), layer.stride, layer.padding)
        case AveragePool1():
            factors = {"multipliers": [layer.multiplier], "shift": layer.shift}
            kernel = (layer.kernel_height, layer.kernel_width)
            return {**window(kernel, layer.stride, 0), "requantization": [factors]}
        case Add1():
            return {"requantization": [normalized(layer)]}


def normalized(layer: Add1) -> Plain:
    """Return the multipliers of an add, doubled with the shift until the larger has 16 bits."""
    both, shift = [layer.multiplier_a, layer.multiplier_b], layer.shift
    while 0 < max(both) < MULTIPLIER_LOW and shift < SHIFT_HIGH:
        both, shift = [2 * each for each in both], shift + 1
    return {"multipliers": both, "shift": shift}


def window(kernel: tuple[int, int], stride: int, padding: int) -> Plain:
    """Return the keys of a window of one stride and one padding."""
    return {"kernel": list(kernel), "stride": [stride, stride], "padding": [padding] * 4}
