"""Checkpoints of a phase: everything that the next epoch needs, as safetensors."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn, uint8
from torch.optim import Optimizer

from hwgen.errors import FormatError, OutputError
from hwgen.spec.output import whole_file

FORMAT = "hwgen.checkpoint"
VERSION = "1"
DIGEST = "sha256"
"""Of everything else in the file."""
OPTIMIZER = "optimizer/"
NETWORK = "network/"

Epoch = dict[str, Any]
"""What happened in one epoch: phase, epoch, loss, accuracy on the training images, seconds."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Progress of a phase: epochs done, and the history of each."""

    epochs: int
    history: list[Epoch]


def save_checkpoint(
    path: Path, network: nn.Module, optimizer: Optimizer, state: Checkpoint, *, digest: str
) -> None:
    """Write a phase's state; the file is whole or the old one."""
    tensors = {f"{NETWORK}{name}": tensor for name, tensor in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for key, tensor in optimizer.state[parameter].items():
            tensors[f"{OPTIMIZER}{name}/{key}"] = tensor
    about = {
        "format": FORMAT,
        "version": VERSION,
        "recipe": digest,
        "epochs": str(state.epochs),
        "history": json.dumps(state.history),
    }
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    about[DIGEST] = digest_of(about, tensors)
    with whole_file(path, what="checkpoint") as fresh:
        # Not save_file: it raises errors of the file system as another type.
        fresh.write_bytes(save(tensors, about))


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: Optimizer, *, digest: str
) -> Checkpoint:
    """Fill network and optimizer from `path` and return the progress of the phase."""
    source = str(path)
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise FormatError(
            field="the checkpoint", allowed="a whole file", given=str(error), source=source
        ) from None
    for field, allowed in {"format": FORMAT, "version": VERSION}.items():
        if about.get(field) != allowed:
            given = about.get(field, "nothing")
            raise FormatError(field=field, allowed=allowed, given=given, source=source)
    if about.pop(DIGEST, None) != digest_of(about, tensors):
        raise FormatError(
            field="the checkpoint", allowed="as written", given="other bytes", source=source
        )
    if about["recipe"] != digest:
        raise OutputError(
            f"the folder must be empty or hold a run of the same recipe and seed to go on with, "
            f"got one of another ({path})"
        )
    network.load_state_dict(
        {
            name.removeprefix(NETWORK): tensor
            for name, tensor in tensors.items()
            if name.startswith(NETWORK)
        }
    )
    for name, parameter in network.named_parameters():
        prefix = f"{OPTIMIZER}{name}/"
        for key, tensor in tensors.items():
            if key.startswith(prefix):
                place = tensor if key.endswith("/step") else tensor.to(parameter.device)
                optimizer.state[parameter][key.removeprefix(prefix)] = place
    return Checkpoint(epochs=int(about["epochs"]), history=json.loads(about["history"]))


def digest_of(about: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 over the facts and the tensors of a checkpoint."""
    sha = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(uint8).numpy().tobytes())
    return sha.hexdigest()
