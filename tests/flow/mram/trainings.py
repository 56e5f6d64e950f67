"""Reports of trainings, as the trainer writes them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.spec.mram.published import WIDTHS


def training_report(
    path: Path,
    *,
    teacher: Mapping[str, Any] | None,
    weight_bits: int = 8,
    widths: tuple[float, ...] = WIDTHS,
    first: float = 0.9,
    **recipe: Any,
) -> Path:
    """Write a report; accuracies fall by a point a mode, and by half a point in integers."""
    accuracies = [first - 0.01 * place for place in range(len(widths))]
    content = {
        "format": "hwgen.adaptive_training",
        "version": 1,
        "modes": [
            {"mode": f"{width}x", "accuracy_float": value, "accuracy_integer": value - 0.005}
            for width, value in zip(widths, accuracies, strict=True)
        ],
        "seed": 7,
        "history": [{}, {}, {}],
        "recipe": {
            "name": "tried",
            "model": "resnet20",
            "dataset": "cifar10",
            "teacher": teacher,
            "weights": "shared",
            "selection": {"kind": "uniform"},
            "weight_bits": weight_bits,
            **recipe,
        },
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
