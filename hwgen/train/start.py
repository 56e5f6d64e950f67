"""Start from a trained float ResNet of CIFAR whose file follows the naming of the CIFAR ResNets.

The file holds `state_dict` with names such as `module.layer2.0.conv1.weight`. It is read as plain
tensors (`weights_only=True`); nothing in it is run.
"""

import pickle
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor

from hwgen.errors import DataError
from hwgen.train.network import BiasedConv, Network, NormalizedConv
from hwgen.train.recipe import Start

NORM_KEYS = ("weight", "bias", "running_mean", "running_var")
Tensors = dict[str, Tensor]
MODELS = ("resnet20", "resnet32", "resnet44", "resnet56")


class Grid(Protocol):
    """How a network sees an image: real = scale * (byte - zero_point)."""

    @property
    def input_zero_point(self) -> int:
        """Byte that stands for zero."""

    @property
    def input_scale(self) -> float:
        """Real value of one step of an image byte."""


def load_start(network: Network, path: Path, start: Start, grid: Grid) -> None:
    """Fill a float ResNet of CIFAR from `path`, converted to hwgen's grid and channel order."""
    if network.plan.name not in MODELS:
        raise DataError(
            f"a start checkpoint must be for {', '.join(MODELS)}, "
            f"got a recipe for {network.plan.name}"
        )
    tensors = read_state(path)
    names = checkpoint_names(network)
    check_shapes(network, names, tensors, path)
    tensors = appended_channels(tensors, blocks=len(names) // 6)
    tensors = regridded(tensors, start, grid)
    with torch.no_grad():
        for node in network.plan.weighted:
            layer, prefix = network.layer(node.name), names[node.name]
            layer.weight.copy_(tensors[f"{prefix}.weight"].reshape(layer.weight.shape))
            if isinstance(layer, NormalizedConv):
                norm = prefix.replace("conv", "bn")
                for key in NORM_KEYS:
                    cast(Tensor, getattr(layer.norm, key)).copy_(tensors[f"{norm}.{key}"])
            else:
                cast(BiasedConv, layer).bias.copy_(tensors[f"{prefix}.bias"])


def read_state(path: Path) -> Tensors:
    """Return the tensors in a torch checkpoint, without the prefix of parallel training."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        state = content["state_dict"]
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    except OSError as error:
        reason = error.strerror or str(error)
    except (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError):
        reason = "something else"
    except AttributeError:
        reason = "other contents"
    raise DataError(
        f"the start must be a torch checkpoint with a state_dict, got {reason} ({path})"
    )


def checkpoint_names(network: Network) -> dict[str, str]:
    """Return the checkpoint's prefix of each node with weights."""
    names = {}
    for node in network.plan.weighted:
        if node.name == "head":
            names[node.name] = "linear"
        elif node.name.startswith("stage"):
            stage, block, conv = node.name.split("_")
            layer, index = stage.removeprefix("stage"), int(block.removeprefix("block")) - 1
            names[node.name] = f"layer{layer}.{index}.{conv}"
        else:
            names[node.name] = node.name
    return names


def check_shapes(network: Network, names: dict[str, str], tensors: Tensors, path: Path) -> None:
    """Refuse a checkpoint that lacks a tensor or has one of another shape."""
    for node in network.plan.weighted:
        prefix, shape = names[node.name], tuple(network.layer(node.name).weight.shape)
        if node.op == "linear":
            wanted = {f"{prefix}.weight": shape[:2], f"{prefix}.bias": shape[:1]}
        else:
            norm = prefix.replace("conv", "bn")
            wanted = {f"{prefix}.weight": shape} | {f"{norm}.{k}": shape[:1] for k in NORM_KEYS}
        for name, size in wanted.items():
            given = tuple(tensors[name].shape) if name in tensors else "nothing"
            if given != size:
                raise DataError(f"{name} must be of shape {size}, got {given} ({path})")


def appended_channels(tensors: Tensors, *, blocks: int) -> Tensors:
    """Return the same network with channels ordered so that shortcuts append theirs at the end.

    The checkpoint pads a shortcut by a quarter of the new channels on both sides. Moving the
    channels of each stage's stream changes no result, only their order.
    """
    orders = [torch.arange(16)]
    for channels in (32, 64):
        quarter = channels // 4
        before, after = torch.arange(quarter), torch.arange(channels - quarter, channels)
        orders.append(torch.cat([orders[-1] + quarter, before, after]))
    moved = dict(tensors)
    stream = orders[0]
    for stage, order in enumerate(orders, start=1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            moved[f"{name}.conv1.weight"] = tensors[f"{name}.conv1.weight"][:, stream]
            moved[f"{name}.conv2.weight"] = tensors[f"{name}.conv2.weight"][order]
            for key in NORM_KEYS:
                moved[f"{name}.bn2.{key}"] = tensors[f"{name}.bn2.{key}"][order]
            stream = order
    moved["linear.weight"] = tensors["linear.weight"][:, stream]
    return moved


def regridded(tensors: Tensors, start: Start, grid: Grid) -> Tensors:
    """Return the same network for hwgen's image grid, which has one zero point for all channels.

    The checkpoint sees (byte / 255 - mean_c) / std_c, we see scale * (byte - zero_point): the
    factor goes into the first weights, the offset into the first batch norm. It is exact but for
    the padding, which now is the same byte in all channels.
    """
    mean, std = torch.tensor(start.mean).double(), torch.tensor(start.std).double()
    weight = tensors["conv1.weight"].double()
    factor = 1 / (255 * grid.input_scale * std)
    offset = (grid.input_zero_point / 255 - mean) / std
    shift = (weight * offset.reshape(1, -1, 1, 1)).sum((1, 2, 3))
    return tensors | {
        "conv1.weight": (weight * factor.reshape(1, -1, 1, 1)).float(),
        "bn1.running_mean": (tensors["bn1.running_mean"].double() - shift).float(),
    }
