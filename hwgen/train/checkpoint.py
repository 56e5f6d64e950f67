"""Checkpoints of a phase: everything that the next epoch needs, as safetensors.

Tests: `tests/train/test_train.py`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn, uint8
from torch.optim import Optimizer

from hwgen.errors import FormatError, OutputError
from hwgen.files.output import whole_file

FORMAT = "hwgen.checkpoint"
VERSION = "2"
DIGEST = "sha256"
"""Of everything else in the file."""
OPTIMIZER = "optimizer/"
NETWORK = "network/"
UNDERWAY = "underway/"
WEIGHTS = {
    "parametrizations.weight.original": "weight",
    "parametrizations.weight.0.mask": "mask",
    "parametrizations.weight.0": "quantizer",
}
"""What is trained of the weights of a chip, and what is held beside, as a file calls them."""

Epoch = dict[str, Any]
"""What happened in one epoch: phase, epoch, loss, accuracy on the training images, seconds."""


@dataclass(kw_only=True)
class Underway:
    """An epoch that is not at its end.

    step: updates done; seconds: spent on them
    loss, correct: sums over their batches, float32 and int64
    random: state of the generator that draws the augmentation, uint8
    """

    step: int
    seconds: float
    loss: Tensor
    correct: Tensor
    random: Tensor

    @classmethod
    def begin(cls, device: torch.device) -> Self:
        """Return the beginning of an epoch."""
        loss = torch.zeros((), device=device)
        correct = torch.zeros((), dtype=torch.int64, device=device)
        return cls(step=0, seconds=0.0, loss=loss, correct=correct, random=torch.empty(0))

    def on(self, device: torch.device) -> Self:
        """Return the same with its sums on a device."""
        self.loss, self.correct = self.loss.to(device), self.correct.to(device)
        return self


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Progress of a phase: epochs done, the history of each, and the one that is under way."""

    epochs: int
    history: list[Epoch]
    underway: Underway | None = None


def save_checkpoint(
    path: Path, network: nn.Module, optimizer: Optimizer, state: Checkpoint, *, digest: str
) -> None:
    """Write a phase's state; the file is whole or the old one."""
    tensors = {f"{NETWORK}{in_file(name)}": each for name, each in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for key, tensor in optimizer.state[parameter].items():
            tensors[f"{OPTIMIZER}{in_file(name)}/{key}"] = tensor
    now = state.underway
    if now is not None:
        for key in ("loss", "correct", "random"):
            tensors[f"{UNDERWAY}{key}"] = getattr(now, key)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "recipe": digest,
        "epochs": str(state.epochs),
        "history": json.dumps(state.history),
        "underway": json.dumps(None if now is None else [now.step, now.seconds]),
    }
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    about[DIGEST] = digest_of(about, tensors)
    with whole_file(path, what="checkpoint") as fresh:
        # Not save_file: it raises errors of the file system as another type.
        fresh.write_bytes(save(tensors, about))


def in_file(name: str) -> str:
    """Return what a file calls a tensor of a network."""
    for ours, theirs in WEIGHTS.items():
        name = name.replace(ours, theirs)
    return name


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
        {name: tensors[f"{NETWORK}{in_file(name)}"] for name in network.state_dict()}
    )
    for name, parameter in network.named_parameters():
        prefix = f"{OPTIMIZER}{in_file(name)}/"
        for key, tensor in tensors.items():
            if key.startswith(prefix):
                optimizer.state[parameter][key.removeprefix(prefix)] = tensor.to(parameter.device)
    return Checkpoint(
        epochs=int(about["epochs"]),
        history=json.loads(about["history"]),
        underway=underway_of(json.loads(about["underway"]), tensors),
    )


def underway_of(progress: list[Any] | None, tensors: Mapping[str, Tensor]) -> Underway | None:
    """Return the epoch that a checkpoint stands in the middle of, if it does."""
    if progress is None:
        return None
    step, seconds = progress
    sums = {key: tensors[f"{UNDERWAY}{key}"] for key in ("loss", "correct", "random")}
    return Underway(step=step, seconds=seconds, **sums)


def digest_of(about: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 over the facts and the tensors of a checkpoint."""
    sha = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(uint8).numpy().tobytes())
    return sha.hexdigest()
