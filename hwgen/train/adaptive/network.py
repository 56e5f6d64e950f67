"""The torch module of a channel-adaptive network: shared weights, batch norm and ranges by mode."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hwgen.network import INPUT
from hwgen.train.adaptive.grids import map_range, on_weight_grid
from hwgen.train.adaptive.widths import WidthTable
from hwgen.train.batch_norm import BatchNorm
from hwgen.train.fake_quantization import MapRange
from hwgen.train.network import (
    BiasedConv,
    Network,
    NormalizedConv,
    fully_connected,
    has_range,
    without_weights,
)
from hwgen.train.plans.plan import Node, Plan

GAMMA_FLOOR = 1e-3
"""Least factor of a batch norm: it is positive in every mode, so that a filter has one sign."""


class SharedConv(nn.Module):
    """Weights of the widest mode; a mode reads the first filters and their first channels.

    norms: batch norm of each mode; biases: of each mode, for layers without batch norm
    """

    def __init__(self, node: Node, inputs: int, outputs: tuple[int, ...]) -> None:
        super().__init__()
        self.stride, self.padding, self.outputs = node.stride, node.padding, outputs
        self.whole_map = node.op == "linear"
        self.weight = nn.Parameter(torch.empty(node.channels, inputs, node.kernel, node.kernel))
        nn.init.kaiming_normal_(
            self.weight, nonlinearity="linear" if node.clip == "none" else "relu"
        )
        norms = [BatchNorm(count) for count in outputs if node.norm]
        self.norms = nn.ModuleList(norms)
        biases = [nn.Parameter(torch.zeros(count)) for count in outputs if not node.norm]
        self.biases = nn.ParameterList(biases)

    def norm(self, mode: int) -> BatchNorm:
        """Return the batch norm of a mode."""
        return cast(BatchNorm, self.norms[mode])

    def forward(self, x: Tensor, weight: Tensor, mode: int) -> Tensor:
        """Return norm(conv(x)) or conv(x) + bias in a mode; weight: as wide as the widest."""
        part = weight[: self.outputs[mode], : x.shape[1]]
        bias = None if len(self.norms) else self.biases[mode]
        if self.whole_map:
            y = fully_connected(x, part, bias)
        else:
            y = functional.conv2d(x, part, bias, self.stride, self.padding)
        return y if bias is not None else cast(Tensor, self.norm(mode)(y))


class AdaptiveNetwork(nn.Module):
    """Runs a plan in any of its modes on images that are real numbers, (n, c, h, w).

    quantized: whether weights and maps are on their integer grids
    """

    def __init__(
        self,
        plan: Plan,
        table: WidthTable,
        *,
        weight_bits: int,
        activation_bits: int,
        range_momentum: float,
    ) -> None:
        super().__init__()
        self.plan, self.table = plan, table
        self.weight_bits, self.activation_bits = weight_bits, activation_bits
        self.quantized = False
        self.weighted = nn.ModuleDict(
            {
                node.name: SharedConv(
                    node, plan.channels(node.inputs[0]), table.channels[node.name]
                )
                for node in plan.weighted
            }
        )
        self.ranges = nn.ModuleDict(
            {
                node.name: nn.ModuleList(
                    [map_range(activation_bits, range_momentum) for _ in table.modes]
                )
                for node in plan.nodes[:-1]
                if has_range(node)
            }
        )

    def layer(self, name: str) -> SharedConv:
        """Return the module with the weights of the node called `name`."""
        return cast(SharedConv, self.weighted[name])

    def range(self, name: str, mode: int) -> MapRange:
        """Return the range of a map in a mode; max pools and shortcuts share their input's."""
        if name in self.ranges:
            return cast(MapRange, cast(nn.ModuleList, self.ranges[name])[mode])
        return self.range(next(n.inputs[0] for n in self.plan.nodes if n.name == name), mode)

    def forward(self, images: Tensor, mode: int = 0) -> Tensor:
        """Return the logits (n, classes) of a mode."""
        maps = {INPUT: images}
        for node in self.plan.nodes:
            x = self.compute(node, [maps[name] for name in node.inputs], mode)
            x = functional.relu(x) if node.clip == "relu" else x
            if self.quantized and node.name in self.ranges:
                x = self.range(node.name, mode)(x.float())
            maps[node.name] = x
        return maps[self.plan.nodes[-1].name].flatten(1)

    def compute(self, node: Node, sources: list[Tensor], mode: int) -> Tensor:
        """Return what a node makes of its inputs, before its clip."""
        if node.weighted:
            return cast(Tensor, self.layer(node.name)(sources[0], self.weight(node), mode))
        if node.op == "shortcut":
            x = sources[0][:, :, :: node.stride, :: node.stride]
            return functional.pad(x, (0, 0, 0, 0, 0, self.table.of(node.name, mode) - x.shape[1]))
        return without_weights(node, sources)

    def weight(self, node: Node) -> Tensor:
        """Return the weights of a node, on their grid if the network is."""
        weight = self.layer(node.name).weight
        if not self.quantized:
            return weight
        return on_weight_grid(weight, self.weight_bits, common=self.is_head(node))

    def is_head(self, node: Node) -> bool:
        """Whether a node writes the answer."""
        return node is self.plan.nodes[-1]

    def norms(self) -> Iterator[BatchNorm]:
        """Yield the batch norms of all layers and modes."""
        for module in self.modules():
            if isinstance(module, BatchNorm):
                yield module

    @torch.no_grad()
    def keep_signs(self) -> None:
        """Keep the factor of every batch norm positive."""
        torch._foreach_clamp_min_([norm.weight for norm in self.norms()], GAMMA_FLOOR)

    @torch.no_grad()
    def take(self, network: Network) -> None:
        """Take the parameters of a float network: its first channels, if it is wider.

        Filters with a negative factor are negated together with their factor and mean.
        """
        for node in self.plan.weighted:
            source, target = network.layer(node.name), self.layer(node.name)
            outputs, inputs = target.weight.shape[:2]
            weight = source.weight[:outputs, :inputs]
            if isinstance(source, BiasedConv):
                target.weight.copy_(weight)
                for mode, count in enumerate(target.outputs):
                    target.biases[mode].copy_(source.bias[:count])
                continue
            norm = cast(NormalizedConv, source).norm
            sign = torch.where(norm.weight < 0, -1.0, 1.0)
            target.weight.copy_(weight * sign[:outputs].reshape(-1, 1, 1, 1))
            for mode, count in enumerate(target.outputs):
                take_norm(target.norm(mode), norm, sign, count)
        self.keep_signs()


def take_norm(target: BatchNorm, source: BatchNorm, sign: Tensor, count: int) -> None:
    """Take the first `count` channels of a batch norm; sign: of each filter."""
    assert source.running_mean is not None and source.running_var is not None
    assert target.running_mean is not None and target.running_var is not None
    target.weight.copy_((source.weight * sign)[:count])
    target.bias.copy_(source.bias[:count])
    target.running_mean.copy_((source.running_mean * sign)[:count])
    target.running_var.copy_(source.running_var[:count])
