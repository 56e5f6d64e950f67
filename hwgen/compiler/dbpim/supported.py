"""What the DB-PIM chip runs of a quantized network; the rest is refused in one sentence."""

from collections.abc import Iterator

from hwgen.errors import CompileError
from hwgen.spec.dbpim.arch import ACTIVATION_BITS, WEIGHT_BITS
from hwgen.spec.dbpim.instructions import Opcode, field_limit
from hwgen.spec.network import (
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Layer,
    Linear,
    MaxPool,
    QuantizedNetwork,
    Weighted,
)
from hwgen.spec.network.graph import KINDS

Refusal = tuple[str, str, object]
"""A property, what the chip runs, what was given."""

Supported = Conv | Linear | MaxPool | AveragePool | Add
"""Layers that have an instruction."""
OPERATIONS = [op for op, kind in KINDS.items() if issubclass(kind, Supported)]
"""Their operations, as a network file names them."""


def supported_layers(network: QuantizedNetwork) -> list[Supported]:
    """Return the layers, or raise CompileError for the first thing that the chip does not run."""
    for what, allowed, given in refusals(network):
        raise CompileError(f"{what} must be {allowed} on a dbpim chip, got {given}")
    return [layer for layer in network.layers if isinstance(layer, Supported)]


def refusals(network: QuantizedNetwork) -> Iterator[Refusal]:
    """Yield everything that the chip does not run."""
    graph, last = network.graph, network.layers[-1]
    if len(graph.modes) > 1:
        yield "the modes of a network", "one", f"{len(graph.modes)} ({', '.join(graph.modes)})"
    yield from map_refusals("the image", graph.input)
    for layer in network.layers:
        yield from layer_refusals(layer)
        if layer is not last:
            yield from map_refusals(f"layer {layer.name}: the output", layer.output)
    if graph.outputs != (last.name,) or not last.output.raw or last.output.shape[:2] != (1, 1):
        allowed = "the last layer alone, with raw sums of 1 x 1 pixel"
        yield "the output", allowed, ", ".join(graph.outputs) + described(last.output)


def described(feature: FeatureMap) -> str:
    """Return size and bits of a map, for a sentence."""
    kind = "raw sums" if feature.raw else f"{feature.bits} bits"
    return f" ({feature.height} x {feature.width} x {feature.channels}, {kind})"


def layer_refusals(layer: Layer) -> Iterator[Refusal]:
    """Yield everything in one layer that the chip does not run."""
    what = f"layer {layer.name}: "
    if not isinstance(layer, Supported):
        yield f"{what}the operation", f"one of {', '.join(OPERATIONS)}", layer.op
    if isinstance(layer, Weighted) and layer.weight_bits > WEIGHT_BITS:
        yield f"{what}weight_bits", f"at most {WEIGHT_BITS}", layer.weight_bits
    if isinstance(layer, Conv) and layer.groups != 1:
        yield f"{what}groups", "1", layer.groups
    if isinstance(layer, Conv | MaxPool | AveragePool):
        yield from window_refusals(what, layer)


def map_refusals(what: str, feature: FeatureMap) -> Iterator[Refusal]:
    """Yield the bits of a map other than bytes."""
    if feature.bits != ACTIVATION_BITS:
        yield f"{what}'s bits", f"{ACTIVATION_BITS}", feature.bits


def window_refusals(what: str, layer: Conv | MaxPool | AveragePool) -> Iterator[Refusal]:
    """Yield what of a window the chip does not run.

    A window has one stride and one padding, and fits the fields of an instruction.
    """
    if layer.stride[0] != layer.stride[1]:
        yield f"{what}the stride", "equal in both directions", list(layer.stride)
    if len(set(layer.padding)) > 1:
        yield f"{what}the padding", "equal on all sides", list(layer.padding)
    if isinstance(layer, AveragePool) and any(layer.padding):
        yield f"{what}the padding", "0 of an average pool", layer.padding[0]
    values = {
        "kernel_height": layer.kernel[0],
        "kernel_width": layer.kernel[1],
        "stride": layer.stride[0],
        "padding": layer.padding[0],
    }
    for name, value in values.items():
        limit = field_limit(Opcode.CONV, name)
        if value > limit:
            yield f"{what}{name}", f"at most {limit}", value
