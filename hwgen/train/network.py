"""Torch modules that run a plan: the float network, and the folded one for integer training."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from hwgen.network import INPUT
from hwgen.train.batch_norm import BatchNorm
from hwgen.train.cell_noise import ErringCells, layers_by_pixel
from hwgen.train.chip_weights import ChipWeights, FixedDigits
from hwgen.train.fake_quantization import MapRange, straight_through
from hwgen.train.plans.plan import Node, Plan


class Masked(nn.Module):
    """Weights (out, in / groups, kh, kw), not filled yet, with what a chip makes of them."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        parametrize.register_parametrization(self, "weight", ChipWeights(self.weight))

    def hold(self, weights: ChipWeights) -> None:
        """Let a chip make something else of the weights."""
        parts: Any = self.parametrizations
        parts.weight[0] = weights

    @property
    def chip(self) -> ChipWeights:
        """What a chip makes of the weights."""
        parts: Any = self.parametrizations
        return cast(ChipWeights, parts.weight[0])

    @property
    def original(self) -> nn.Parameter:
        """The weights that are trained."""
        parts: Any = self.parametrizations
        return cast(nn.Parameter, parts.weight.original)

    def kept(self) -> Tensor:
        """Return the weights, zero where pruned."""
        return self.chip.kept(self.original)


class Weighted(Masked):
    """The weights of one layer of a plan."""

    def __init__(self, node: Node, inputs: int) -> None:
        super().__init__((node.channels, inputs // node.groups, node.kernel, node.kernel))
        self.stride, self.padding, self.groups = node.stride, node.padding, node.groups
        self.whole_map = node.op == "linear"
        nn.init.kaiming_normal_(
            self.original, nonlinearity="linear" if node.clip == "none" else "relu"
        )

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return the convolution; padding is zero, which is the zero point of the integers."""
        if self.whole_map:
            return fully_connected(x, weight, bias)
        return functional.conv2d(x, weight, bias, self.stride, self.padding, groups=self.groups)


def fully_connected(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a convolution whose window is the whole map, as the matrix product that it is."""
    return functional.linear(x.flatten(1), weight.flatten(1), bias)[:, :, None, None]


class NormalizedConv(Weighted):
    """Masked convolution and batch norm."""

    def __init__(self, node: Node, inputs: int) -> None:
        super().__init__(node, inputs)
        self.norm = BatchNorm(node.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return norm(conv(x))."""
        return cast(Tensor, self.norm(self.convolve(x, self.weight, None)))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the convolution that does the same in evaluation."""
        norm = self.norm
        assert norm.running_var is not None and norm.running_mean is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = self.kept() * gain.reshape(-1, 1, 1, 1)
        return weight, norm.bias - norm.running_mean * gain


class BiasedConv(Weighted):
    """Masked convolution and bias: the head, and layers without batch norm."""

    def __init__(self, node: Node, inputs: int) -> None:
        super().__init__(node, inputs)
        self.bias = nn.Parameter(torch.zeros(node.channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return conv(x) + bias."""
        return self.convolve(x, self.weight, self.bias)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias as they are."""
        return self.kept(), self.bias


class QuantizedConv(BiasedConv):
    """Masked convolution with weights on the integer grid, and bias."""

    def __init__(self, node: Node, inputs: int, **rule: Any) -> None:
        super().__init__(node, inputs)
        self.hold(FixedDigits(self.original, **rule))
        self.chip.on_grid = True
        self.cells: ErringCells | None = None
        self.by_pixel = False

    @property
    def digits(self) -> FixedDigits:
        """What a chip makes of the weights, by a rule of digits."""
        return cast(FixedDigits, self.chip)

    def integers(self) -> tuple[Tensor, Tensor]:
        """Return weights (out, in, kh, kw), float32 whole numbers, and the step of each filter."""
        return self.chip.integers(self.kept())

    def forward(self, x: Tensor, zero: Tensor | float = 0.0) -> Tensor:
        """Return conv(x) + bias; in training with the errors of the devices, if there are any.

        zero: real value that zero has above the least of the map's integers
        """
        if self.cells is None or not self.training:
            return self.convolve(x, self.weight, self.bias)
        q, steps = self.integers()
        steps = steps.reshape(-1, 1, 1, 1)
        if self.by_pixel:
            exact = self.convolve(x, self.weight, self.bias)
            return exact + self.errors_by_pixel(x, zero, q) * steps.reshape(1, -1, 1, 1)
        errors = self.cells.errors(q)
        weight = straight_through(self.kept(), (q + errors) * steps)
        return self.convolve(x, weight, self.bias + zero * (errors * steps).flatten(1).sum(1))

    @torch.no_grad()
    def errors_by_pixel(self, x: Tensor, zero: Tensor | float, q: Tensor) -> Tensor:
        """Return what the cells of each pixel add to the sums, in steps of the weights."""
        assert self.cells is not None
        inputs = functional.pad(x, (self.padding,) * 4) + zero
        return self.cells.sums(
            inputs,
            q,
            lambda seen, weight: (
                fully_connected(seen, weight, None)
                if self.whole_map
                else functional.conv2d(seen, weight, None, self.stride, groups=self.groups)
            ),
        )


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
}
"""Each function of a table."""


class Network(nn.Module):
    """Run a plan on images that are already real numbers, (n, c, h, w)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.weighted = nn.ModuleDict(
            {node.name: self.make(node, self.fan_in(node)) for node in plan.weighted}
        )

    def make(self, node: Node, inputs: int) -> Weighted:
        """Return the module of a node with weights."""
        return NormalizedConv(node, inputs) if node.norm else BiasedConv(node, inputs)

    def fan_in(self, node: Node) -> int:
        """Return the input channels of a node."""
        return self.plan.channels(node.inputs[0])

    def layer(self, name: str) -> Weighted:
        """Return the module with the weights of the node called `name`."""
        return cast(Weighted, self.weighted[name])

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes)."""
        maps = {INPUT: images}
        for node in self.plan.nodes:
            sources = [maps[name] for name in node.inputs]
            maps[node.name] = self.finish(node, self.compute(node, sources))
        return maps[self.plan.nodes[-1].name].flatten(1)

    def compute(self, node: Node, sources: list[Tensor]) -> Tensor:
        """Return what a node makes of its inputs, before its clip."""
        if node.weighted:
            return cast(Tensor, self.layer(node.name)(sources[0]))
        return without_weights(node, sources)

    def finish(self, node: Node, x: Tensor) -> Tensor:
        """Return the node's output map."""
        match node.clip:
            case "none":
                return x
            case "relu":
                return functional.relu(x)
            case "relu6":
                return functional.relu6(x)


def without_weights(node: Node, sources: list[Tensor]) -> Tensor:
    """Return what a node without weights makes of its inputs, before its clip."""
    x = sources[0]
    match node.op:
        case "max_pool":
            return functional.max_pool2d(x, node.kernel, node.stride)
        case "average_pool":
            return functional.avg_pool2d(x, node.kernel, node.stride)
        case "add":
            return x + sources[1]
        case "multiply":
            return x * sources[1]
        case "table":
            return FUNCTIONS[node.function](x)
        case _:  # a shortcut
            zeros = node.channels - x.shape[1]
            x = x[:, :, :: node.stride, :: node.stride]
            return functional.pad(x, (0, 0, 0, 0, 0, zeros))


class QuantizedTraining(Network):
    """The folded network with weights, maps and image on their integer grids."""

    def __init__(self, plan: Plan, *, rule: str, momentum: float, step: str = "largest") -> None:
        self.rule, self.step = rule, step
        self.image_zero: float | None = None
        super().__init__(plan)
        self.ranges = nn.ModuleDict(
            {node.name: MapRange(momentum) for node in plan.nodes[:-1] if has_range(node)}
        )

    def make(self, node: Node, inputs: int) -> Weighted:
        """Return the module of a node with weights."""
        head = node is self.plan.nodes[-1]
        rule = self.rule if node.sparse else "int8"
        step = self.step if node.sparse else "largest"
        return QuantizedConv(node, inputs, rule=rule, common=head, step=step)

    def err_by(self, cells: ErringCells, *, image_zero: float) -> None:
        """Give all weights errors while training.

        image_zero: real value that zero has above the least of the image's bytes
        """
        self.image_zero = image_zero
        by_pixel = layers_by_pixel(self.plan, cells.noise)
        for node in self.plan.weighted:
            conv = self.conv(node.name)
            conv.cells, conv.by_pixel = cells, node.name in by_pixel

    def compute(self, node: Node, sources: list[Tensor]) -> Tensor:
        """Return what a node makes of its inputs, before its clip."""
        if node.weighted and self.image_zero is not None:
            name = node.inputs[0]
            zero = self.image_zero if name == INPUT else self.zero(name)
            return cast(Tensor, self.conv(node.name)(sources[0], zero))
        return super().compute(node, sources)

    def zero(self, name: str) -> Tensor:
        """Return the real value that zero has above the least integer of a map, not the image."""
        scale, zero_point = self.range(name).grid()
        return scale * zero_point

    def conv(self, name: str) -> QuantizedConv:
        """Return the module with the weights of the node called `name`."""
        return cast(QuantizedConv, self.weighted[name])

    def range(self, name: str) -> MapRange:
        """Return the range of the map called `name`; pools and shortcuts share their input's."""
        if name in self.ranges:
            return cast(MapRange, self.ranges[name])
        return self.range(next(n.inputs[0] for n in self.plan.nodes if n.name == name))

    def finish(self, node: Node, x: Tensor) -> Tensor:
        """Return the node's output map as bytes would hold it."""
        x = super().finish(node, x)
        return cast(Tensor, self.ranges[node.name](x)) if node.name in self.ranges else x

    @torch.no_grad()
    def renew_thresholds(self) -> None:
        """Recompute phi_th of every filter; called once an epoch."""
        for node in self.plan.weighted:
            conv = self.conv(node.name)
            conv.digits.renew(conv.original)


def has_range(node: Node) -> bool:
    """Whether a node's map has its range; pools and shortcuts use that of their input."""
    return node.op not in ("max_pool", "shortcut")


@torch.no_grad()
def fold(network: Network, quantized: QuantizedTraining) -> None:
    """Fill `quantized` with the weights of `network`, batch norm folded into them."""
    for node in network.plan.weighted:
        layer = cast("NormalizedConv | BiasedConv", network.layer(node.name))
        conv = quantized.conv(node.name)
        weight, bias = layer.folded()
        conv.original.copy_(weight)
        conv.bias.copy_(bias)
        conv.chip.prune(layer.chip.mask)
