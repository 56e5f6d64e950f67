"""`training.json`, which a training run writes beside the quantized network file."""

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hwgen.data import Dataset
from hwgen.files.output import write_text
from hwgen.network.file import load_network
from hwgen.train.adaptive.recipe import AdaptiveRecipe
from hwgen.train.checkpoint import Epoch
from hwgen.train.own import OwnRecipe
from hwgen.train.parallel import size
from hwgen.train.recipe import PHASES, Recipe
from hwgen.train.transformer.recipe import TransformerRecipe


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """Accuracies on the test images (0 to 1), the files written, and the history of the epochs.

    noise_by_pixel: layers that were trained with cells of their own for each pixel; null: no noise
    """

    accuracy_float: float
    accuracy_pruned: float
    accuracy_integer: float
    network_path: Path
    report_path: Path
    history: list[Epoch]
    noise_by_pixel: list[str] | None = None


def write_report(
    result: TrainResult,
    recipe: Recipe | TransformerRecipe | OwnRecipe,
    dataset: Dataset,
    *,
    device: str,
    start_sha256: str | None,
) -> None:
    """Write accuracies, what was trained, seed, split, versions, threads, effective recipe."""
    report = {
        "format": "hwgen.training",
        "version": 2,
        "accuracy": {
            "float": result.accuracy_float,
            "pruned": result.accuracy_pruned,
            "integer": result.accuracy_integer,
        },
        "trained": trained(result.history, recipe, len(dataset.train_labels)),
        "network": result.network_path.name,
        "network_digest": load_network(result.network_path).digest,
        **circumstances(recipe, dataset, device=device, start_sha256=start_sha256),
        **({} if result.noise_by_pixel is None else {"noise_by_pixel": result.noise_by_pixel}),
        "history": result.history,
    }
    write_text(result.report_path, json.dumps(report, indent=1) + "\n", what="report")


def circumstances(
    recipe: Recipe | AdaptiveRecipe | TransformerRecipe | OwnRecipe,
    dataset: Dataset,
    *,
    device: str,
    start_sha256: str | None,
) -> dict[str, Any]:
    """Return what every report of a training says of how it was run."""
    return {
        "seed": recipe.seed,
        "split": dataset.split,
        "train_images": len(dataset.train_labels),
        "test_images": len(dataset.test_labels),
        "threads": recipe.threads,
        "processes": size(),
        "device": device,
        "start_sha256": start_sha256,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "recipe": recipe.fields(),
    }


def trained(
    history: list[Epoch], recipe: Recipe | TransformerRecipe | OwnRecipe, train_images: int
) -> dict[str, dict[str, float]]:
    """Return the epochs and batches of each phase, and its passes over the training images."""
    state = {}
    for phase in PHASES:
        batches = [epoch["batches"] for epoch in history if epoch["phase"] == phase]
        seen = sum(batches) * min(recipe.batch_images, train_images)
        state[phase] = {
            "epochs": len(batches),
            "batches": sum(batches),
            "passes": round(seen / train_images, 4),
        }
    return state
