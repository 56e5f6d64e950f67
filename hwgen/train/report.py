"""`training.json`, which a training run writes beside the quantized network file."""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from hwgen.data import Dataset
from hwgen.spec.network.file import load_network
from hwgen.spec.output import write_text
from hwgen.train.checkpoint import Epoch
from hwgen.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """Accuracies on the test images (0 to 1), the files written, and the history of the epochs."""

    accuracy_float: float
    accuracy_pruned: float
    accuracy_integer: float
    network_path: Path
    report_path: Path
    history: list[Epoch]


def write_report(
    result: TrainResult,
    recipe: Recipe,
    dataset: Dataset,
    *,
    device: str,
    start_sha256: str | None,
) -> None:
    """Write accuracies, seed, split, versions, threads and the effective recipe."""
    report = {
        "format": "hwgen.training",
        "version": 1,
        "accuracy": {
            "float": result.accuracy_float,
            "pruned": result.accuracy_pruned,
            "integer": result.accuracy_integer,
        },
        "network": result.network_path.name,
        "network_digest": load_network(result.network_path).digest,
        "seed": recipe.seed,
        "split": dataset.split,
        "test_images": len(dataset.test_labels),
        "threads": recipe.threads,
        "device": device,
        "start_sha256": start_sha256,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "recipe": asdict(recipe),
        "history": result.history,
    }
    write_text(result.report_path, json.dumps(report, indent=1) + "\n", what="report")
