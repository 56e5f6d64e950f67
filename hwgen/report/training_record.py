"""What a `training.json` says of a network's weights: one of four words, and the epochs behind it.

A training leaves the record beside its `network.npz`; a network of another name has it under
NAME.training.json. Without a record nobody can tell what gave the weights.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from hwgen.errors import FormatError

Weights = Literal["trained", "short training", "random weights", "not recorded"]
FORMAT = "hwgen.training"
VERSIONS = (1, 2)
PHASES = ("float", "pruned", "quantized")
TRAINING = "training.json"
NETWORK = "network.npz"
RANDOM = "random"
"""Data set of a network that was never trained."""
LEAST_EPOCHS = {False: 30, True: 15}
"""Epochs of all phases of a network that counts as trained: from random weights, from a start."""
EPOCH_IMAGES = 50_000
"""Images of an epoch, where a recipe limits its batches: the bound is on the images seen."""


def record_file(network: Path) -> Path:
    """Return where the record of a network file is, whether or not it is there."""
    own = network.with_name(f"{network.stem}.{TRAINING}")
    return network.with_name(TRAINING) if network.name == NETWORK and not own.is_file() else own


def read_record(network: Path, digest: str) -> dict[str, Any] | None:
    """Return the record of a network file, or None; FormatError if it is of another network.

    digest: of the network in the file
    """
    path = record_file(network)
    if not path.is_file():
        return None
    about = read_training(path)
    if about["network_digest"] != digest:
        raise FormatError(
            field="network_digest",
            allowed=f"that of {network.name}",
            given=about["network_digest"],
            source=str(path),
        )
    return about


def read_training(path: Path) -> dict[str, Any]:
    """Return the content of one `training.json`, of any version."""
    return read_known(path, FORMAT, VERSIONS)


def read_known(path: Path, known: str, versions: Sequence[int]) -> dict[str, Any]:
    """Return the content of a report; FormatError unless it has the format and a version."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise FormatError(
            field="the report", allowed="readable JSON", given=reason, source=str(path)
        ) from None
    given = (about.get("format"), about.get("version")) if isinstance(about, dict) else None
    if given not in [(known, version) for version in versions]:
        allowed = f"{known} of version {' or '.join(map(str, versions))}"
        raise FormatError(field="the report", allowed=allowed, given=given, source=str(path))
    return dict(about)


def weights_of(about: dict[str, Any] | None, dataset: str) -> Weights:
    """Return what the weights of a network are, in the one word that tables use.

    about: content of its `training.json`, None without one; dataset: that its file names
    """
    if about is None:
        return "random weights" if dataset == RANDOM else "not recorded"
    start = about["recipe"]["start"] or {}
    named = start.get("name") and start.get("licence")
    if about["start_sha256"] is not None and not named:
        return "not recorded"
    return "short training" if is_short(about) else "trained"


def is_short(about: dict[str, Any]) -> bool:
    """Return whether a training had fewer epochs, of all phases, than figures that stand need.

    about: content of a `training.json`. Images seen count where epochs have fewer batches than the
    images give, epochs otherwise.
    """
    least = LEAST_EPOCHS[about["start_sha256"] is not None]
    epochs, recipe = len(about["history"]), about["recipe"]
    batches = recipe.get("epoch_batches")
    if batches is None:
        return epochs < least
    return bool(epochs * batches * recipe["batch_images"] < least * EPOCH_IMAGES)


def training_state(about: dict[str, Any]) -> str:
    """Return the epochs that each phase was really trained for, such as "float 0 epochs, ...".

    about: content of a `training.json`. Epochs of fewer batches than the images give say so.
    """
    history = about["history"]
    epochs = {phase: sum(epoch["phase"] == phase for epoch in history) for phase in PHASES}
    named = ", ".join(f"{phase} {count}" for phase, count in epochs.items())
    batches = about["recipe"].get("epoch_batches")
    whole = "" if batches is None else f" of at most {batches} batches"
    return f"{named} epochs{whole}"
