"""The layers of the network file that nodes of a channel-adaptive network become.

Tests: `tests/train/adaptive/test_train.py`.
"""

from hwgen import network as net
from hwgen.network.quantization import HALF_UP, fixed_point
from hwgen.train.adaptive.grids import weight_grid
from hwgen.train.export_integers import add_multipliers
from hwgen.train.export_layers import Common, Window
from hwgen.train.plans.plan import Node


def adaptive_layer(
    node: Node, sources: list[net.FeatureMap], output: net.FeatureMap, *, weight_bits: int
) -> net.Layer:
    """Return the layer of a node with the maps `sources` as its inputs."""
    common = Common(name=node.name, inputs=tuple(node.inputs), output=output, source="")
    window = Window(
        kernel=(node.kernel, node.kernel),
        stride=(node.stride, node.stride),
        padding=(node.padding,) * 4,
    )
    grid = weight_grid(weight_bits)
    grids = [source.quantization for source in sources]
    match node.op:
        case "conv":
            return net.Conv(
                op="conv",
                groups=1,
                weight_bits=weight_bits,
                weight_grid=grid,
                rounding=HALF_UP,
                **window,
                **common,
            )
        case "linear":
            return net.Linear(
                op="linear", weight_bits=weight_bits, weight_grid=grid, rounding=HALF_UP, **common
            )
        case "max_pool":
            return net.MaxPool(op="max_pool", **window, **common)
        case "average_pool":
            means = tuple(
                mean_requantization(before, after, node.kernel**2)
                for before, after in zip(grids[0], output.quantization, strict=True)
            )
            return net.AveragePool(
                op="average_pool",
                requantization=means,
                rounding=HALF_UP,
                divisor="window",
                center=None,
                **window,
                **common,
            )
        case "add":
            pairs = tuple(
                add_requantization(a, b, after)
                for a, b, after in zip(*grids, output.quantization, strict=True)
            )
            return net.Add(
                op="add", rounding=HALF_UP, operand_shifts=(), requantization=pairs, **common
            )
        case _:  # a shortcut; no other operation is in a channel-adaptive plan
            return net.Shortcut(op="shortcut", stride=window["stride"], **common)


def mean_requantization(
    before: net.MapQuantization, after: net.MapQuantization, pixels: int
) -> net.Requantization:
    """Return the requantization of a mean over `pixels`."""
    multiplier, shift = fixed_point(before.scale / after.scale / pixels)
    return net.Requantization(multipliers=(multiplier,), shift=shift)


def add_requantization(
    a: net.MapQuantization, b: net.MapQuantization, after: net.MapQuantization
) -> net.Requantization:
    """Return the requantization of a sum of two maps."""
    *multipliers, shift = add_multipliers(a.scale, b.scale, after.scale)
    return net.Requantization(multipliers=tuple(multipliers), shift=shift)
