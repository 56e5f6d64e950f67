"""Start from a trained float network of CIFAR in one of the public layouts of `layouts`.

The file is a torch checkpoint, read as plain tensors (`weights_only=True`; nothing in it is run),
or safetensors. Its names decide the layout. What the layout does otherwise than our plan is
converted: the order of channels, the image grid, the end of a ReLU.
"""

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hwgen.errors import DataError
from hwgen.train.batch_norm import BatchNorm
from hwgen.train.layouts import NORM_KEYS, Names, find_layout, known_layouts
from hwgen.train.network import Network
from hwgen.train.plans.plan import Node, Plan
from hwgen.train.recipe import Start

Tensors = dict[str, Tensor]
Layers = dict[str, Tensors]
"""Tensors of each node with weights, named as in the state of its module."""

CONTAINERS = ("state_dict", "net", "model", "model_state_dict")
"""Keys under which training scripts save the tensors."""
PREFIXES = ("module.", "_orig_mod.")
"""Prefixes of parallel training and of compilation."""
DEVIATIONS = 8
"""Standard deviations of a channel above its mean that stay below the end of a ReLU."""
POOL_RAISES = 1.15
"""A mean raised by more than this has seen a max pool: 0.7 to 0.95 without, 1.2 to 1.6 with one."""

OPEN = 3.0
"""Bias of an excitation that the file lacks: its factor of a channel begins at about 0.95."""


class Grid(Protocol):
    """How a network sees an image: real = scale * (byte - zero_point)."""

    @property
    def input_zero_point(self) -> int:
        """Byte that stands for zero."""

    @property
    def input_scale(self) -> float:
        """Real value of one step of an image byte."""


def load_start(network: Network, path: Path, start: Start, grid: Grid) -> None:
    """Fill a float network from `path`, converted to hwgen's grid and channel order."""
    layouts = known_layouts(network.plan.name)
    tensors = read_state(path)
    layout, names = find_layout(network.plan, layouts, tensors, path)
    check_shapes(network, names, tensors, path)
    layers = by_node(network, names, tensors, layout.epsilon)
    drawn = {node.name for node in network.plan.weighted} - layers.keys()
    if layout.pool_unknown:
        check_no_pool(layers, names, path)
    if layout.padded_shortcuts:
        layers = appended_channels(layers)
    if layout.unbounded:
        layers = bounded(layers, network.plan)
    layers = regridded(layers, network.plan, start, grid)
    with torch.no_grad():
        for name, values in layers.items():
            layer = network.layer(name)
            state = layer.state_dict() | {"weight": layer.original}
            for key, tensor in values.items():
                state[key].copy_(tensor)
        for name in drawn & excitations(network.plan):
            network.layer(name).state_dict()["bias"].fill_(OPEN)


def excitations(plan: Plan) -> set[str]:
    """Return the layers whose sigmoid is a factor of each channel."""
    tables = [node for node in plan.nodes if node.op == "table" and node.function == "sigmoid"]
    return {name for node in tables for name in node.inputs}


def read_state(path: Path) -> Tensors:
    """Return the tensors in a checkpoint, without the prefix of parallel training."""
    try:
        return {plain_name(name): tensor.detach() for name, tensor in contents(path).items()}
    except OSError as error:
        reason = error.strerror or str(error)
    except (RuntimeError, pickle.UnpicklingError, EOFError, SafetensorError):
        reason = "something else"
    except (AttributeError, LookupError, TypeError, ValueError):
        reason = "other contents"
    raise DataError(
        f"the start must be a torch checkpoint with a state_dict or safetensors, "
        f"got {reason} ({path})"
    )


def contents(path: Path) -> Mapping[str, Any]:
    """Return what a file holds by name; safetensors begin with eight bytes and a brace."""
    with path.open("rb") as file:
        safe = file.read(9)[8:] == b"{"
    if safe:
        return load_file(path)
    content = torch.load(path, map_location="cpu", weights_only=True)
    return next((content[k] for k in CONTAINERS if isinstance(content.get(k), Mapping)), content)


def plain_name(name: str) -> str:
    """Return the name of a tensor without what wrappers put before it."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def in_file(plan: Plan, names: Names) -> list[Node]:
    """Return the nodes with weights that a layout names."""
    return [node for node in plan.weighted if node.name in names]


def check_shapes(network: Network, names: Names, tensors: Tensors, path: Path) -> None:
    """Refuse a checkpoint that lacks a tensor or has one of another shape."""
    for node in in_file(network.plan, names):
        (conv, norm), shape = names[node.name], tuple(network.layer(node.name).weight.shape)
        if node.op == "linear":
            wanted = {f"{conv}.weight": (shape[0], math.prod(shape[1:])), f"{conv}.bias": shape[:1]}
        else:
            wanted = {f"{conv}.weight": shape} | {f"{norm}.{key}": shape[:1] for key in NORM_KEYS}
            if f"{conv}.bias" in tensors:
                wanted[f"{conv}.bias"] = shape[:1]
        for name, size in wanted.items():
            given = tuple(tensors[name].shape) if name in tensors else "nothing"
            if given != size:
                raise DataError(f"{name} must be of shape {size}, got {given} ({path})")


def by_node(network: Network, names: Names, tensors: Tensors, epsilon: float) -> Layers:
    """Return the tensors of each node that the file has; batch norm takes away a bias before it."""
    layers = {}
    for node in in_file(network.plan, names):
        conv, norm = names[node.name]
        weight = tensors[f"{conv}.weight"].double()
        layer = {"weight": weight.reshape(network.layer(node.name).weight.shape)}
        bias = tensors[f"{conv}.bias"].double() if f"{conv}.bias" in tensors else None
        if node.norm:
            layer |= {f"norm.{key}": tensors[f"{norm}.{key}"].double() for key in NORM_KEYS}
            layer["norm.running_var"] += epsilon - BatchNorm(1).eps
            if bias is not None:
                layer["norm.running_mean"] = layer["norm.running_mean"] - bias
        elif bias is not None:
            layer["bias"] = bias
        layers[node.name] = layer
    return layers


def check_no_pool(layers: Layers, names: Names, path: Path) -> None:
    """Refuse a ResNet18 with a max pool after its stem, which no name and no shape tells.

    The stem's batch norm gives mean and standard deviation of each channel, so that of normal
    values the mean after ReLU is known, and with it the mean that the next batch norm has seen. A
    max pool in between raises it.
    """
    stem, block = layers["conv1"], layers["stage1_block1_conv1"]
    mean, deviation = stem["norm.bias"], stem["norm.weight"].abs().clamp(min=1e-12)
    normal = torch.distributions.Normal(0.0, 1.0)
    ratio = mean / deviation
    rectified = mean * normal.cdf(ratio) + deviation * normal.log_prob(ratio).exp()
    expected, seen = block["weight"].sum((2, 3)) @ rectified, block["norm.running_mean"]
    raised = float(seen @ expected / (expected @ expected))
    if raised > POOL_RAISES:
        norm = names["stage1_block1_conv1"][1]
        raise DataError(
            f"the start for resnet18 must have no pool after its first layer, got {norm}."
            f"running_mean {raised:.2f} times as large as without one ({path})"
        )


def appended_channels(layers: Layers) -> Layers:
    """Return the same network with channels ordered so that shortcuts append theirs at the end.

    The checkpoint pads a shortcut by a quarter of the new channels on both sides. Moving the
    channels of each stage's stream changes no result, only their order.
    """
    orders = [torch.arange(16)]
    for channels in (32, 64):
        quarter = channels // 4
        before, after = torch.arange(quarter), torch.arange(channels - quarter, channels)
        orders.append(torch.cat([orders[-1] + quarter, before, after]))
    moved = dict(layers)
    stream = orders[0]
    for stage, order in enumerate(orders, start=1):
        for block in range(1, len(layers) // 6 + 1):
            name = f"stage{stage}_block{block}"
            moved[f"{name}_conv1"] = reading(moved[f"{name}_conv1"], stream)
            moved[f"{name}_conv2"] = {k: t[order] for k, t in moved[f"{name}_conv2"].items()}
            stream = order
    moved["head"] = reading(moved["head"], stream)
    return moved


def reading(layer: Tensors, order: Tensor) -> Tensors:
    """Return a layer that reads its channels in another order."""
    return layer | {"weight": layer["weight"][:, order]}


def bounded(layers: Layers, plan: Plan) -> Layers:
    """Return the same network with maps so small that a ReLU that ends at six leaves them as is.

    ReLU passes a positive factor on: a map is divided, and what reads it multiplies. Batch norm
    says how far a channel reaches; what lies above 8 standard deviations is clipped.
    """
    scaled = {name: dict(layer) for name, layer in layers.items()}
    for node in plan.weighted:
        if node.clip != "relu6":
            continue
        layer = scaled[node.name]
        reach = layer["norm.bias"] + DEVIATIONS * layer["norm.weight"].abs()
        factor = max(1.0, float(reach.max()) / 6)
        layer["norm.weight"] = layer["norm.weight"] / factor
        layer["norm.bias"] = layer["norm.bias"] / factor
        for reader in readers(plan, node.name):
            scaled[reader]["weight"] = scaled[reader]["weight"] * factor
    return scaled


def readers(plan: Plan, name: str) -> list[str]:
    """Return the nodes with weights that read a map, directly or through an average pool."""
    found = []
    for node in plan.nodes:
        if name in node.inputs:
            assert node.weighted or node.op == "average_pool", f"{node.name} reads {name}"
            found += [node.name] if node.weighted else readers(plan, node.name)
    return found


def regridded(layers: Layers, plan: Plan, start: Start, grid: Grid) -> Layers:
    """Return the same network for hwgen's image grid, which has one zero point for all channels.

    The checkpoint sees (byte / 255 - mean_c) / std_c, we see scale * (byte - zero_point): the
    factor goes into the first weights, the offset into the first batch norm. It is exact but for
    the padding, which now is the same byte in all channels.
    """
    name = plan.weighted[0].name
    mean, std = torch.tensor(start.mean).double(), torch.tensor(start.std).double()
    weight = layers[name]["weight"]
    factor = 1 / (255 * grid.input_scale * std)
    offset = (grid.input_zero_point / 255 - mean) / std
    shift = (weight * offset.reshape(1, -1, 1, 1)).sum((1, 2, 3))
    first = layers[name] | {
        "weight": weight * factor.reshape(1, -1, 1, 1),
        "norm.running_mean": layers[name]["norm.running_mean"] - shift,
    }
    return layers | {name: first}
