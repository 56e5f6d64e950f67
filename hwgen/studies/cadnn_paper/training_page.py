"""The page of trained channel-adaptive networks: Markdown tables from rows of results."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

Row = dict[str, Any]
"""A training; `hwgen.studies.cadnn_paper.training.training_row` makes it."""
Width = dict[str, Any]
"""A mode of a training: an entry of its `widths`."""
Cells = Iterable[str]

INTRODUCTION = """# Channel-adaptive networks, trained

Made by `scripts/mram-training`. Accuracy is that of the integers of the network file on the test
images. Multiplications and cycles are those of one image; cycles by the model of the chip that
is named, image in and answer out included. W:A are the bits of weights and maps. CA: shared weights
with a teacher; S-NN: shared weights without one; I-NN: each width has weights of its own.
"""


def training_page(rows: Sequence[Row]) -> str:
    """Return the page: accuracy, costs, non-uniform sub-nets against uniform ones, and how long."""
    parts = [INTRODUCTION, by_width("Accuracy", rows, accuracy_cell)]
    parts.append(by_width("Thousand multiplications", rows, macs_cell))
    parts.append(by_width("Cycles", rows, cycles_cell))
    if comparison := comparisons(rows):
        parts.append(comparison)
    parts.append(trainings(rows))
    return "\n".join(parts)


def table(title: str, head: Cells, body: Iterable[Cells], text: str = "") -> str:
    """Return a section with one table."""
    head = list(head)
    lines = [line(head), line(["---"] * len(head)), *(line(cells) for cells in body)]
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *lines, ""])


def line(cells: Cells) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def by_width(title: str, rows: Sequence[Row], cell: Callable[[Width], str]) -> str:
    """Return a table with a row for each training and a column for each width."""
    widths = sorted({mode["width"] for row in rows for mode in row["widths"]}, reverse=True)
    names = {mode["width"]: mode["mode"] for row in rows for mode in row["widths"]}
    head = [
        "recipe",
        "data",
        "W:A",
        "method",
        "channels",
        "chip",
        *(names[each] for each in widths),
    ]
    body = []
    for row in rows:
        found = {mode["width"]: cell(mode) for mode in row["widths"]}
        body.append([*about(row), *(found.get(width, "") for width in widths)])
    return table(title, head, body)


def about(row: Row) -> list[str]:
    """Return the cells that name a training."""
    bits = f"{row['weights_bits']}:{row['activation_bits']}"
    chip = row["chip"] or "none runs it"
    return [row["recipe"], row["dataset"], bits, row["method"], row["selection"], chip]


def accuracy_cell(mode: Width) -> str:
    """Return the accuracy of a mode."""
    return f"{mode['accuracy']:.2%}"


def macs_cell(mode: Width) -> str:
    """Return the multiplications of a mode."""
    return f"{mode['macs'] / 1000:,.1f}"


def cycles_cell(mode: Width) -> str:
    """Return the cycles of a mode."""
    return "-" if mode["cycles"] is None else f"{mode['cycles']:,}"


def comparisons(rows: Sequence[Row]) -> str:
    """Return non-uniform sub-nets beside uniform ones of equal costs; nothing without any."""
    body = []
    for row in rows:
        if " by " not in row["selection"]:
            continue
        even = uniform_modes(rows, row)
        for mode in row["widths"][1:]:
            layers = [count for name, count in mode["channels"].items() if "conv" in name]
            same = [uniform_accuracy(even, mode, cost) for cost in ("macs", "cycles")]
            body.append(
                [
                    row["recipe"],
                    mode["mode"],
                    "/".join(map(str, layers)),
                    macs_cell(mode),
                    cycles_cell(mode),
                    accuracy_cell(mode),
                    *("-" if each is None else f"{each:.2%}" for each in same),
                ]
            )
    head = [
        "recipe", "mode", "channels", "thousand multiplications", "cycles", "accuracy",
        "uniform, equal multiplications", "uniform, equal cycles",
    ]  # fmt: skip
    text = (
        "Accuracy of uniform sub-nets of the same network, data and bits (CA, all widths above) at"
        " equal cost: a straight line between the two nearest ones."
    )
    title = "Non-uniform sub-nets against uniform ones"
    return table(title, head, body, text) if body else ""


def uniform_modes(rows: Sequence[Row], like: Row) -> list[Width]:
    """Return the uniform sub-nets with a teacher of the same network, data and bits."""
    same = ("dataset", "network", "weights_bits", "activation_bits")
    return [
        mode
        for row in rows
        if row["method"] == "CA" and row["selection"] == "uniform"
        if all(row[key] == like[key] for key in same)
        for mode in row["widths"]
    ]


def uniform_accuracy(even: Sequence[Width], mode: Width, cost: str) -> float | None:
    """Return the accuracy of uniform sub-nets at the cost of a mode; None outside of theirs.

    Sub-nets of one cost count with their mean.
    """
    at: dict[int, list[float]] = {}
    for each in even:
        if each[cost] is not None:
            at.setdefault(each[cost], []).append(each["accuracy"])
    points = sorted((each, sum(found) / len(found)) for each, found in at.items())
    for (low, worse), (high, better) in pairwise([*points[:1], *points]):
        if mode[cost] is not None and low <= mode[cost] <= high:
            share = (mode[cost] - low) / (high - low) if high > low else 0.0
            return worse + share * (better - worse)
    return None


def trainings(rows: Sequence[Row]) -> str:
    """Return how long each network was trained, and where."""
    body = [
        [
            row["recipe"],
            str(row["seed"]),
            str(row["epochs"]),
            ", ".join(f"{phase} {passes:g}" for phase, passes in row["passes"].items()),
            row["state"],
            row["teacher"] or "none",
            f"{row['test_images']:,}",
            row["machine"],
            row["commit"] or "-",
        ]
        for row in rows
    ]
    head = [
        "recipe", "seed", "epochs", "passes", "state", "teacher", "test images", "machine",
        "commit",
    ]  # fmt: skip
    return table("Trainings", head, body)
