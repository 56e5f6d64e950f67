"""The page of trained channel-adaptive networks: Markdown tables from rows of results."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import mean, stdev
from typing import Any

from hwgen.report.sheet import Sheet

SHORT = "short"
"""Begin of the state of a training that is too short for figures that stand."""
Row = dict[str, Any]
"""A training; `hwgen_studies.cadnn_paper.training.training_row` makes it."""
Width = dict[str, Any]
"""A mode of a training: an entry of its `widths`."""
Cells = Iterable[str]

WANTED = ("cadnn_cifar10_multi_short", "cadnn_cifar10_single_short")
"""Recipes of non-uniform sub-nets on CIFAR-10, whose rows say so where they are not trained."""

INTRODUCTION = """# Channel-adaptive networks, trained

Made by `scripts/results mram-training`. Accuracy is that of the integers of the network file on the
test images. Multiplications and cycles are those of one image; cycles by the model of the chip that
is named, image in and answer out included. W:A are the bits of weights and maps. CA: shared weights
with a teacher; S-NN: shared weights without one; I-NN: each width has weights of its own. A recipe
that was trained with several seeds is here with the first of them; what the others give follows.
"""


def training_page(rows: Sequence[Row]) -> str:
    """Return the page: accuracy, costs, non-uniform sub-nets against uniform ones, and how long."""
    seeds = by_recipe(rows)
    first = [same[0] for same in seeds.values()]
    parts = [INTRODUCTION, by_width("Accuracy", first, accuracy_cell)]
    if any(len(same) > 1 for same in seeds.values()):
        parts.append(spread([same for same in seeds.values() if len(same) > 1]))
    parts.append(by_width("Thousand multiplications", first, macs_cell))
    parts.append(by_width("Cycles", first, cycles_cell))
    if comparison := comparisons(rows):
        parts.append(comparison)
    parts.append(trainings(rows))
    return "\n".join(parts)


def by_recipe(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the trainings of each recipe, one a seed, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["recipe"], []).append(row)
    return found


def spread(groups: Sequence[Sequence[Row]]) -> str:
    """Return the accuracy of each recipe over its seeds."""
    names = mode_names([row for rows in groups for row in rows])
    body = []
    for rows in groups:
        cells = []
        for width in names:
            found = [
                100 * mode["accuracy"]
                for row in rows
                for mode in row["widths"]
                if mode["width"] == width
            ]
            cells.append(spread_cell(found) if found else "")
        body.append([rows[0]["recipe"], str(len(rows)), *cells])
    text = "Mean and standard deviation, least and greatest, in percent."
    return table("Accuracy over seeds", ["recipe", "seeds", *names.values()], body, text)


def spread_cell(percents: Sequence[float]) -> str:
    """Return mean, standard deviation of the sample, least and greatest."""
    ends = f"{min(percents):.1f} to {max(percents):.1f}"
    return f"{mean(percents):.1f} ± {stdev(percents):.1f} ({ends})"


def mode_names(rows: Sequence[Row]) -> dict[float, str]:
    """Return the modes of all trainings by width, widest first."""
    names = {mode["width"]: mode["mode"] for row in rows for mode in row["widths"]}
    return dict(sorted(names.items(), reverse=True))


def table(title: str, head: Cells, body: Iterable[Cells], text: str = "") -> str:
    """Return a section with one table."""
    lines = Sheet(list(head), body).markdown()
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *lines, ""])


def by_width(title: str, rows: Sequence[Row], cell: Callable[[Width], str]) -> str:
    """Return a table with a row for each training and a column for each width."""
    names = mode_names(rows)
    head = [
        "recipe",
        "data",
        "W:A",
        "method",
        "channels",
        "chip",
        *names.values(),
    ]
    body = []
    for row in rows:
        found = {mode["width"]: cell(mode) for mode in row["widths"]}
        body.append([*about(row), *(found.get(width, "") for width in names)])
    return table(title, head, body)


def about(row: Row) -> list[str]:
    """Return the cells that name a training."""
    bits = f"{row['weights_bits']}:{row['activation_bits']}"
    chip = row["chip"] or "none of those tried"
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
                    str(row["seed"]),
                    mode["mode"],
                    "/".join(map(str, layers)),
                    macs_cell(mode),
                    cycles_cell(mode),
                    accuracy_cell(mode),
                    *("-" if each is None else f"{each:.2%}" for each in same),
                ]
            )
    body += [not_trained(name) for name in WANTED if name not in by_recipe(rows)] if body else []
    head = [
        "recipe", "seed", "mode", "channels", "thousand multiplications", "cycles", "accuracy",
        "uniform, equal multiplications", "uniform, equal cycles",
    ]  # fmt: skip
    text = (
        "Accuracy of uniform sub-nets of the same network, data, bits and teacher (CA, all widths"
        " above, mean of all seeds; short trainings beside short ones) at equal cost: a straight"
        " line between the two nearest ones."
    )
    title = "Non-uniform sub-nets against uniform ones"
    return table(title, head, body, text) if body else ""


def not_trained(recipe: str) -> list[str]:
    """Return the row of a recipe that nobody has trained."""
    start = "--data FOLDER --start resnet20-12fca82f.th"
    command = f"`hwgen train configs/train/{recipe}.yaml {start}`"
    return [recipe, "-", "-", f"not trained: {command}, 10 to 20 minutes on one core", *"-----"]


def uniform_modes(rows: Sequence[Row], like: Row) -> list[Width]:
    """Return the uniform sub-nets of the same network, data, bits and teacher, as long trained."""
    same = ("dataset", "network", "weights_bits", "activation_bits", "teacher")
    return [
        mode
        for row in rows
        if row["method"] == "CA" and row["selection"] == "uniform"
        if all(row[key] == like[key] for key in same)
        if row["state"].startswith(SHORT) == like["state"].startswith(SHORT)
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
