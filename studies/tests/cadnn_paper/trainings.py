"""Tables of trainings, as `python -m hwgen_studies.cadnn_paper.training` writes them."""

import json
from pathlib import Path
from typing import Any

from hwgen_studies.cadnn_paper.published import WIDTHS


def training_row(
    *, widths: tuple[float, ...] = WIDTHS, first: float = 0.9, **entry: Any
) -> dict[str, Any]:
    """Return a row; accuracies fall by a point a mode, and by half a point in integers."""
    accuracies = [first - 0.01 * place for place in range(len(widths))]
    return {
        "recipe": "tried",
        "dataset": "cifar10",
        "network": "resnet20",
        "weights_bits": 8,
        "method": "CA",
        "selection": "uniform",
        "teacher": "base",
        "widths": [
            {"mode": f"{width}x", "accuracy": value - 0.005, "accuracy_float": value}
            for width, value in zip(widths, accuracies, strict=True)
        ],
        "seed": 7,
        "epochs": 3,
        "passes": {"float": 2.0, "quantized": 1.0},
        "state": "complete",
        "test_images": 10000,
        **entry,
    }


def training_table(path: Path, *rows: dict[str, Any]) -> Path:
    """Write a table."""
    content = {"format": "hwgen.results.training", "version": 1, "rows": rows}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
