"""The page of trained channel-adaptive networks: Markdown tables from rows of results."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import mean
from typing import Any

from hwgen.report.sheet import Sheet

SHORT = "short"
"""Begin of the state of a training that is too short for figures that stand."""
Row = dict[str, Any]
"""A training; `hwgen_studies.cadnn_paper.training.training_row` makes it."""
Width = dict[str, Any]
"""A mode of a training: an entry of its `widths`."""
Cells = Iterable[str]

WANTED = ("cadnn_cifar10_multi_short", "cadnn_cifar10_single")
"""Recipes of non-uniform sub-nets on CIFAR-10, whose rows say so where they are not trained."""

INTRODUCTION = """# Channel-adaptive networks, trained

For who chooses a recipe of `configs/train`: what each width keeps of the accuracy, and what it
costs. Five minutes; `studies/results/mram-training.json` has every seed, its passes and its
teacher. Accuracy is that of the integers of the network file on the test
images, over several seeds the mean (least to most), in percent. Multiplications and cycles are
those of one image; cycles by the model of the chip that is named, image in and answer out included.
W:A are the bits of weights and maps. CA: shared weights with a teacher; S-NN: shared weights
without one; I-NN: each width has weights of its own.
"""


def training_page(rows: Sequence[Row]) -> str:
    """Return the page: accuracy, costs, non-uniform sub-nets against uniform ones."""
    seeds = by_recipe(rows)
    parts = [INTRODUCTION, accuracies(list(seeds.values()))]
    parts.append(costs([same[0] for same in seeds.values()]))
    if comparison := comparisons(rows):
        parts.append(comparison)
    return "\n".join(parts)


def by_recipe(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the trainings of each recipe, one a seed, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["recipe"], []).append(row)
    return found


def accuracies(groups: Sequence[Sequence[Row]]) -> str:
    """Return the accuracy of each recipe by width, over its seeds."""
    names = mode_names([row for rows in groups for row in rows])
    body = []
    for rows in groups:
        by: dict[float, list[float]] = {}
        for mode in (mode for row in rows for mode in row["widths"]):
            by.setdefault(mode["width"], []).append(100 * mode["accuracy"])
        cells = (spread_cell(by[width]) if width in by else "" for width in names)
        body.append([*about(rows[0]), str(len(rows)), *cells])
    head = ["recipe", "data", "W:A", "method", "channels", "state", "seeds", *names.values()]
    return table("Accuracy", head, body)


def spread_cell(percents: Sequence[float]) -> str:
    """Return the mean, and of several the least and greatest."""
    if len(percents) == 1:
        return f"{percents[0]:.2f}"
    return f"{mean(percents):.1f} ({min(percents):.1f} to {max(percents):.1f})"


def mode_names(rows: Sequence[Row]) -> dict[float, str]:
    """Return the modes of all trainings by width, widest first."""
    names = {mode["width"]: mode["mode"] for row in rows for mode in row["widths"]}
    return dict(sorted(names.items(), reverse=True))


def table(title: str, head: Cells, body: Iterable[Cells], text: str = "") -> str:
    """Return a section with one table."""
    lines = Sheet(list(head), body).markdown()
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *lines, ""])


def costs(rows: Sequence[Row]) -> str:
    """Return what each width takes: a row for all recipes of the same costs."""
    names = mode_names(rows)
    groups: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        found = {mode["width"]: f"{macs_cell(mode)}; {cycles_cell(mode)}" for mode in row["widths"]}
        chip = row["chip"] or "none of those tried"
        key = (chip, *(found.get(width, "") for width in names))
        groups.setdefault(key, []).append(row["recipe"])
    body = ([", ".join(recipes), *cells] for cells, recipes in groups.items())
    title = "Thousand multiplications; cycles"
    return table(title, ["recipes", "chip", *names.values()], body)


def about(row: Row) -> list[str]:
    """Return the cells that name a training."""
    bits = f"{row['weights_bits']}:{row['activation_bits']}"
    return [row["recipe"], row["dataset"], bits, row["method"], row["selection"], row["state"]]


def macs_cell(mode: Width) -> str:
    """Return the multiplications of a mode."""
    return f"{mode['macs'] / 1000:,.1f}"


def cycles_cell(mode: Width) -> str:
    """Return the cycles of a mode."""
    return "-" if mode["cycles"] is None else f"{mode['cycles']:,}"


def comparisons(rows: Sequence[Row]) -> str:
    """Return non-uniform sub-nets beside uniform ones of equal costs; nothing without any."""
    groups: dict[tuple[str, str], list[tuple[Width, list[float | None]]]] = {}
    for row in rows:
        if " by " not in row["selection"]:
            continue
        even = uniform_modes(rows, row)
        for mode in row["widths"][1:]:
            same = [uniform_accuracy(even, mode, cost) for cost in ("macs", "cycles")]
            groups.setdefault((row["recipe"], mode["mode"]), []).append((mode, same))
    body = []
    for (recipe, name), found in groups.items():
        modes = [mode for mode, _ in found]
        beside = ([percent_cell(same[place]) for _, same in found] for place in range(2))
        told = ([tell(mode) for mode in modes] for tell in (channels, macs_cell, cycles_cell))
        right = spread_cell([100 * mode["accuracy"] for mode in modes])
        body.append([recipe, name, *map(either, told), right, *map(either, beside)])
    body += [not_trained(name) for name in WANTED if name not in by_recipe(rows)] if body else []
    head = [
        "recipe", "mode", "channels", "thousand multiplications", "cycles", "accuracy",
        "uniform, equal multiplications", "uniform, equal cycles",
    ]  # fmt: skip
    text = (
        "Accuracy of uniform sub-nets of the same network, data, bits and teacher (CA, all widths"
        " above, mean of all seeds; short trainings beside short ones) at equal cost: a straight"
        " line between the two nearest ones. A non-uniform recipe trains some passes more, in which"
        " its channels are chosen."
    )
    title = "Non-uniform sub-nets against uniform ones"
    return table(title, head, body, text) if body else ""


def either(told: Iterable[str]) -> str:
    """Return all that differs."""
    return " or ".join(dict.fromkeys(told))


def channels(mode: Width) -> str:
    """Return the channels of the convolutions of a mode."""
    return "/".join(str(count) for name, count in mode["channels"].items() if "conv" in name)


def percent_cell(accuracy: float | None) -> str:
    """Return an accuracy in percent, or a dash."""
    return "-" if accuracy is None else f"{100 * accuracy:.2f}"


def not_trained(recipe: str) -> list[str]:
    """Return the row of a recipe that nobody has trained."""
    start = "--data FOLDER --start resnet20-12fca82f.th"
    command = f"`hwgen train configs/train/{recipe}.yaml {start}`"
    return [recipe, "-", f"not trained: {command}", *"-----"]


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
