"""What networks were trained for and how right they are: a table from `training.json` files.

    python -m hwgen.report.training_table build/a/training.json build/b/training.json

prints a line of Markdown for each file, in the order given.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwgen.errors import FormatError, HwgenError
from hwgen.report.sheet import Sheet

FORMAT = "hwgen.training"
VERSIONS = (1, 2)
PHASES = ("float", "pruned", "quantized")
LEAST_EPOCHS = 15
LEAST_IMAGES = 750_000
"""Passes over the training images, or images seen, of a training from random weights.

Half of what it was before AlexNet was trained for exactly these 15, with 46 % of CIFAR-100.
"""
COLUMNS = (
    *("recipe", "blocks pruned", "float", "pruned", "integer", "test images", "start"),
    "trained",
)


def main(arguments: Sequence[str]) -> int:
    """Print the table of the files named in `arguments`; return the exit code."""
    try:
        print(training_table([Path(argument) for argument in arguments]))
    except HwgenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def training_table(files: Sequence[Path]) -> str:
    """Return a Markdown table with a row for each `training.json`."""
    return "\n".join(Sheet(COLUMNS, (row(read_training(file)) for file in files)).markdown())


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


def row(about: dict[str, Any]) -> list[str]:
    """Return one row: accuracies on the test images, the last one on the integer path."""
    recipe, accuracy = about["recipe"], about["accuracy"]
    return [
        recipe["name"],
        f"{recipe['pruning']['share']:.0%}",
        *(f"{accuracy[key]:.2%}" for key in ("float", "pruned", "integer")),
        str(about["test_images"]),
        "random weights" if about["start_sha256"] is None else "float checkpoint",
        training_state(about),
    ]


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


def is_short(about: dict[str, Any]) -> bool:
    """Return whether a training from random weights was too short for figures that stand.

    about: content of a `training.json`. Images seen count where epochs have fewer batches than the
    images give, epochs otherwise.
    """
    if about["start_sha256"] is not None:
        return False
    epochs, recipe = len(about["history"]), about["recipe"]
    batches = recipe.get("epoch_batches")
    if batches is None:
        return epochs < LEAST_EPOCHS
    return bool(epochs * batches * recipe["batch_images"] < LEAST_IMAGES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
