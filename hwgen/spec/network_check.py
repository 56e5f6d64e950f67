"""Hold a network against itself: names, shapes, ranges. Every mistake is one sentence."""

import math
from collections.abc import Iterator

import numpy as np

from hwgen.errors import FormatError
from hwgen.spec.network import (
    INPUT,
    PARAMETER_TYPES,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Layer,
    Linear,
    MaxPool,
    Parameters,
    QuantizedNetwork,
)
from hwgen.spec.quantization import MULTIPLIER_HIGH, MULTIPLIER_LOW, SHIFT_HIGH, SHIFT_LOW

Complaint = tuple[str, object, object]
"""Field, what is allowed, what was given."""


def check_network(network: QuantizedNetwork, *, source: str) -> None:
    """Raise FormatError for the first inconsistency of graph and integers."""
    maps: dict[str, FeatureMap] = {INPUT: network.graph.input}
    for complaint in (
        *map_complaints("input", network.graph.input),
        *head_complaints(network),
        *owner_complaints(network),
    ):
        raise complain(complaint, source)
    for layer in network.layers:
        for complaint in layer_complaints(network, layer, maps):
            raise complain(complaint, source)
        maps[layer.name] = layer.output


def complain(complaint: Complaint, source: str) -> FormatError:
    """Return the error for one complaint."""
    field, allowed, given = complaint
    return FormatError(field=field, allowed=allowed, given=given, source=source)


def head_complaints(network: QuantizedNetwork) -> Iterator[Complaint]:
    """The last layer, and only the last, is the head; there is a name for each of its outputs."""
    heads = [layer.name for layer in network.layers if getattr(layer, "head", False)]
    last = network.layers[-1]
    if heads != [last.name]:
        yield "head", f"the last layer ({last.name}) alone", heads or "no layer"
    if last.output.shape[:2] != (1, 1):
        yield f"{last.name}.output", "1 x 1 x classes", last.output.shape
    names = network.graph.class_names
    if len(names) != last.output.channels:
        yield "class_names", f"{last.output.channels} names", f"{len(names)} names"


def owner_complaints(network: QuantizedNetwork) -> Iterator[Complaint]:
    """Layers with weights have integers, and no integers are without a layer."""
    weighted = {layer.name for layer in network.layers if isinstance(layer, Conv | Linear)}
    for name in sorted(weighted ^ set(network.parameters)):
        if name in weighted:
            yield f"{name}.weights", "present", "nothing"
        else:
            yield "every array", "of a layer with weights", f"one of {name}"


def map_complaints(name: str, feature_map: FeatureMap) -> Iterator[Complaint]:
    """The clip range is not empty."""
    if feature_map.low > feature_map.high:
        yield f"{name}.low", f"at most {name}.high ({feature_map.high})", feature_map.low


def layer_complaints(
    network: QuantizedNetwork, layer: Layer, maps: dict[str, FeatureMap]
) -> Iterator[Complaint]:
    """Names are new, inputs known, output shape follows, integers are in range."""
    if layer.name in maps or not layer.name or "." in layer.name:
        yield "layer name", "new, not empty and without a dot", layer.name
    for name in layer.inputs:
        if name not in maps:
            yield f"{layer.name}.input", f"one of {', '.join(maps)}", name
            return
    yield from map_complaints(f"{layer.name}.output", layer.output)
    sources = [maps[name] for name in layer.inputs]
    shape = output_shape(layer, sources)
    if shape is None:
        yield f"{layer.name} window", f"inside its input {sources[0].shape}", "a larger one"
    elif layer.output.shape != shape:
        yield f"{layer.name}.output", shape, layer.output.shape
    if isinstance(layer, Add) and sources[0].shape != sources[1].shape:
        yield f"{layer.name} inputs", "of one shape", f"{sources[0].shape} and {sources[1].shape}"
    if isinstance(layer, MaxPool):
        yield from max_pool_complaints(layer, sources[0])
    if isinstance(layer, Conv | Linear):
        yield from parameter_complaints(layer, sources[0], network.parameters[layer.name])


def max_pool_complaints(layer: MaxPool, before: FeatureMap) -> Iterator[Complaint]:
    """A maximum moves bytes unchanged, and none of its windows lies in the padding alone."""
    after = layer.output
    if (before.scale, before.zero_point) != (after.scale, after.zero_point):
        yield f"{layer.name}.output", "with scale and zero point of its input", "others"
    if after.low > before.low or after.high < before.high:
        allowed = f"at least as wide as its input's, {before.low} to {before.high}"
        yield f"{layer.name}.output range", allowed, f"{after.low} to {after.high}"
    if layer.padding * 2 > layer.kernel:
        yield f"{layer.name}.padding", f"at most half of kernel ({layer.kernel})", layer.padding


def output_shape(layer: Layer, sources: list[FeatureMap]) -> tuple[int, int, int] | None:
    """Return height, width and channels that follow from the inputs; None if a window is larger."""
    height, width, channels = sources[0].shape
    match layer:
        case Add():
            return height, width, channels
        case Linear():
            return 1, 1, layer.output.channels
        case Conv():
            kernel, padding = (layer.kernel_height, layer.kernel_width), layer.padding
            channels = layer.output.channels
        case MaxPool():
            kernel, padding = (layer.kernel, layer.kernel), layer.padding
        case AveragePool():
            kernel, padding = (layer.kernel_height, layer.kernel_width), 0
    steps = [
        (size + 2 * padding - window) // layer.stride
        for size, window in zip((height, width), kernel, strict=True)
    ]
    if min(steps) < 0:
        return None
    return steps[0] + 1, steps[1] + 1, channels


def parameter_complaints(
    layer: Conv | Linear, source: FeatureMap, parameters: Parameters
) -> Iterator[Complaint]:
    """Arrays have the shapes that the layer says, and their values are in range."""
    outputs = layer.output.channels
    weights: tuple[int, ...] = (outputs, math.prod(source.shape))
    if isinstance(layer, Conv):
        weights = (outputs, layer.kernel_height, layer.kernel_width, source.channels)
    scaled = 0 if layer.head else outputs
    wanted = {
        "weights": weights,
        "bias": (outputs,),
        "multiplier": (scaled,),
        "shift": (scaled,),
        "weight_scale": (outputs,),
    }
    for key, shape in wanted.items():
        array, dtype = getattr(parameters, key), np.dtype(PARAMETER_TYPES[key])
        if array.dtype != dtype:
            yield f"{layer.name}.{key}", dtype, array.dtype
        if array.shape != shape:
            yield f"{layer.name}.{key}", f"of shape {shape}", array.shape
            return
    ranges = {"multiplier": (MULTIPLIER_LOW, MULTIPLIER_HIGH), "shift": (SHIFT_LOW, SHIFT_HIGH)}
    for key, (low, high) in ranges.items():
        values = getattr(parameters, key)
        outside = values[(values < low) | (values > high)]
        if outside.size:
            yield f"{layer.name}.{key}", f"from {low} to {high}", outside[0]
    yield from accumulator_complaints(layer.name, parameters)


def accumulator_complaints(name: str, parameters: Parameters) -> Iterator[Complaint]:
    """No accumulator can leave int32, whatever the inputs."""
    weights = parameters.weights.reshape(len(parameters.bias), -1).astype(np.int64)
    bias = parameters.bias.astype(np.int64)
    highest = bias + 255 * np.where(weights > 0, weights, 0).sum(axis=1)
    lowest = bias + 255 * np.where(weights < 0, weights, 0).sum(axis=1)
    if highest.max() >= 1 << 31 or lowest.min() < -(1 << 31):
        channel = int(np.argmax(np.maximum(highest, -lowest)))
        yield f"{name} accumulator", "within int32", f"an overflow in output channel {channel}"
