"""Channels in the order of their importance: a mode uses the first ones.

The importance of a channel is the product of the norm of the weights that make it and the norm of
the weights that read it, summed over the layers of its stream. Streams tie orders together: the
layers that add into one stream share one order, and behind a shortcut the order is extended.
"""

import torch
from torch import Tensor

from hwgen.network import INPUT
from hwgen.train.adaptive.widths import extensions, free_streams, streams
from hwgen.train.network import Network, NormalizedConv
from hwgen.train.plans.plan import Plan


def importance(network: Network) -> dict[str, Tensor]:
    """Return the importance of every channel of each free stream, float64 (channels,)."""
    plan = network.plan
    first = streams(plan)
    made = {stream: torch.zeros(plan.channels(stream)).double() for stream in free_streams(plan)}
    read = {stream: torch.zeros(plan.channels(stream)).double() for stream in made}
    for node in plan.weighted:
        layer = network.layer(node.name)
        weight = layer.weight.detach().double()
        if first[node.name] in made:
            gain = torch.ones(len(weight)).double()
            if isinstance(layer, NormalizedConv):
                # Batch norm takes the length of a filter out and puts its own factor in.
                gain = layer.norm.weight.detach().double().abs()
            made[first[node.name]] += gain
        source = first[node.inputs[0]]
        if source in read:
            scale = weight.flatten(1).norm(dim=1).clamp(min=1e-12).reshape(-1, 1, 1, 1)
            normalized = weight / scale if isinstance(layer, NormalizedConv) else weight
            read[source] += normalized.square().sum((0, 2, 3)).sqrt()
    return {stream: made[stream] * read[stream] for stream in made}


def kept_first_orders(plan: Plan, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the order of channels of each free stream, the most important first.

    Behind a shortcut the channels that it brings keep their order and come first.
    """
    narrower = {wide: narrow for narrow, wide in extensions(plan)}
    orders: dict[str, Tensor] = {}
    for stream, weight in weights.items():
        own = torch.argsort(weight, descending=True, stable=True)
        if stream in narrower:
            brought = orders[narrower[stream]]
            own = torch.cat([brought, own[own >= len(brought)]])
        orders[stream] = own
    return orders


@torch.no_grad()
def reorder(network: Network, orders: dict[str, Tensor]) -> None:
    """Move the channels of a float network; its answers stay the same."""
    plan = network.plan
    first = streams(plan)
    for node in plan.weighted:
        layer = network.layer(node.name)
        source, own = first[node.inputs[0]], first[node.name]
        if node.inputs[0] != INPUT and source in orders:
            layer.weight.copy_(layer.weight[:, orders[source]])
        if own in orders:
            order = orders[own]
            layer.weight.copy_(layer.weight[order])
            assert isinstance(layer, NormalizedConv)
            for tensor in (
                layer.norm.weight,
                layer.norm.bias,
                layer.norm.running_mean,
                layer.norm.running_var,
            ):
                assert tensor is not None
                tensor.copy_(tensor[order])
