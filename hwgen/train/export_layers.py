"""The layers of the network file that nodes of a plan become, and their maps.

Tests: `tests/train/test_export.py`.
"""

from typing import TypedDict

from hwgen import network as net
from hwgen.network.maps import Pair, Shape, Sides
from hwgen.network.quantization import HALF_UP, fixed_point
from hwgen.train.export_integers import add_multipliers, scale_of
from hwgen.train.network import QuantizedTraining
from hwgen.train.plans.plan import Node, output_side


class Common(TypedDict):
    """Keys of every layer."""

    name: str
    inputs: tuple[str, ...]
    output: net.FeatureMap
    source: str


class Window(TypedDict):
    """Keys of a layer with a window."""

    kernel: Pair
    stride: Pair
    padding: Sides


def export_layer(
    node: Node, sources: list[net.FeatureMap], output: net.FeatureMap, *, weight_bits: int
) -> net.Layer:
    """Return the layer of a node with the maps `sources` as its inputs.

    weight_bits: of its weights, if it has some
    """
    common = Common(name=node.name, inputs=tuple(node.inputs), output=output, source="")
    window = Window(
        kernel=(node.kernel, node.kernel),
        stride=(node.stride, node.stride),
        padding=(node.padding,) * 4,
    )
    match node.op:
        case "conv":
            return net.Conv(
                op="conv",
                groups=node.groups,
                weight_bits=weight_bits,
                weight_grid="integer",
                rounding=HALF_UP,
                **window,
                **common,
            )
        case "linear":
            return net.Linear(
                op="linear",
                weight_bits=weight_bits,
                weight_grid="integer",
                rounding=HALF_UP,
                **common,
            )
        case "max_pool":
            return net.MaxPool(op="max_pool", **window, **common)
        case "average_pool" | "add" | "multiply":
            return combining_layer(node, sources, common, window)
        case "table":
            return net.Table(op="table", **common)
        case "shortcut":
            return net.Shortcut(op="shortcut", stride=window["stride"], **common)


def combining_layer(
    node: Node, sources: list[net.FeatureMap], common: Common, window: Window
) -> net.Layer:
    """Return a layer without weights that requantizes."""
    first, out = scale_of(sources[0]), scale_of(common["output"])
    match node.op:
        case "average_pool":
            # The multiplier divides by the pixels of a window.
            requantization = one_multiplier(first / out / node.kernel**2)
            return net.AveragePool(
                op="average_pool",
                requantization=requantization,
                rounding=HALF_UP,
                divisor="window",
                center=None,
                **window,
                **common,
            )
        case "multiply":
            requantization = one_multiplier(first * scale_of(sources[1]) / out)
            return net.Multiply(
                rounding=HALF_UP, op="multiply", requantization=requantization, **common
            )
        case _:
            *multipliers, shift = add_multipliers(first, scale_of(sources[1]), out)
            pair = net.Requantization(multipliers=tuple(multipliers), shift=shift)
            return net.Add(
                op="add", rounding=HALF_UP, operand_shifts=(), requantization=(pair,), **common
            )


def one_multiplier(factor: float) -> tuple[net.Requantization, ...]:
    """Return the requantization by one real factor."""
    multiplier, shift = fixed_point(factor)
    return (net.Requantization(multipliers=(multiplier,), shift=shift),)


def output_map(network: QuantizedTraining, node: Node, source: net.FeatureMap) -> net.FeatureMap:
    """Return shape and grid of a node's output."""
    if node is network.plan.nodes[-1]:
        # The answer stays raw; the real logit is scale * sum.
        _, scale = network.conv(node.name).integers()
        return net.raw_map((1, 1, node.channels), scale=scale_of(source) * float(scale[0]))
    shape = output_side(source.height, node), output_side(source.width, node), node.channels
    if node.op in ("max_pool", "shortcut"):
        before = source.quantization[0]
        return whole_byte_map(shape, before.scale, before.zero_point, low=before.low)
    scale, zero_point = network.range(node.name).grid()
    # ReLU is the clip at the zero point. The range of a map after ReLU6 ends at six or below.
    low = 0 if node.clip == "none" else int(zero_point)
    return whole_byte_map(shape, float(scale), int(zero_point), low=low)


def whole_byte_map(shape: Shape, scale: float, zero_point: int, *, low: int = 0) -> net.FeatureMap:
    """Return a map of (height, width, channels) with bytes from `low` to 255."""
    return net.byte_map(shape, scale=scale, zero_point=zero_point, low=low, high=255)
