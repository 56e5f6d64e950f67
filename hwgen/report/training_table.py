"""What networks were trained for and how right they are: a table from `training.json` files.

    python -m hwgen.report.training_table build/a/training.json build/b/training.json

prints a line of Markdown for each file, in the order given.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwgen.errors import HwgenError
from hwgen.report.sheet import Sheet
from hwgen.report.training_record import read_training, training_state

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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
