"""Measured accuracies: what a table of channel-adaptive trainings holds, beside tables I to IV."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import FormatError
from hwgen_studies.cadnn_paper.parameters import parameter_rows
from hwgen_studies.cadnn_paper.published import TABLE_I, TABLE_II, TABLE_III, TABLE_IV, WIDTHS
from hwgen_studies.comparison import PaperRow, row

FORMAT = ("hwgen.results.training", 1)
MODEL, DATASET = "resnet20", "cifar10"
NOT_MEASURED = "not measured: no such training is among those of --training"
METHODS = ("CA", "S-NN", "I-NN")
"""Shared weights with and without a teacher; weights of each width alone."""
NO_DATA = "not measured: ImageNet is not among the data that this project reads"


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training of a channel-adaptive network.

    method: one of `METHODS`; teacher: model of the network whose answers were learned, if any
    uniform: whether all layers of a mode have the same share of their channels
    state: `complete`, or how far the training came
    test_images: that were judged
    percent: accuracy on them by mode, in float (None: not measured) and on the integer path
    """

    name: str
    model: str
    dataset: str
    method: str
    teacher: str | None
    uniform: bool
    weight_bits: int
    seed: int
    epochs: int
    passes: float
    state: str
    test_images: int
    percent: Mapping[str, tuple[float | None, float]]

    @property
    def words(self) -> str:
        """What was trained, as the reason of a row."""
        return (
            f"measured on {self.test_images:,} test images, recipe {self.name}:"
            f" {self.epochs} epochs in all, {self.state}, seed {self.seed};"
            " the paper prints neither epochs nor seed"
        )


def load_trainings(paths: Sequence[Path]) -> list[Training]:
    """Return the trainings of some tables; FormatError if a file is none."""
    return [training for path in paths for training in trainings_in(path)]


def trainings_in(path: Path) -> list[Training]:
    """Return the trainings of one table."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if (content["format"], content["version"]) != FORMAT:
            raise ValueError(content["format"])
        return [training_of(entry) for entry in content["rows"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(
            field="the training",
            allowed=f"a table of the format {FORMAT[0]}, version {FORMAT[1]}",
            given=" ".join(f"{type(error).__name__}: {error}".split()),
            source=str(path),
        ) from None


def training_of(entry: Mapping[str, Any]) -> Training:
    """Return one training; a teacher called `base` is the network itself in float."""
    return Training(
        name=entry["recipe"],
        model=entry["network"],
        dataset=entry["dataset"],
        method=entry["method"],
        teacher=entry["network"] if entry["teacher"] == "base" else entry["teacher"],
        uniform=entry["selection"] == "uniform",
        weight_bits=entry["weights_bits"],
        seed=entry["seed"],
        epochs=entry["epochs"],
        passes=sum(entry["passes"].values()),
        state=entry["state"],
        test_images=entry["test_images"],
        percent={
            each["mode"]: (percent_of(each["accuracy_float"]), 100 * each["accuracy"])
            for each in entry["widths"]
        },
    )


def percent_of(fraction: float | None) -> float | None:
    """Return a fraction in percent."""
    return None if fraction is None else 100 * fraction


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which training a row needs, and which of its accuracies.

    teacher: model, or None for any; bits: None: in float
    recipe: of `configs/train`, which gives such a training
    """

    method: str = METHODS[0]
    teacher: str | None = None
    bits: int | None = None
    modes: int = len(WIDTHS)
    recipe: str = "cadnn_cifar10"

    def finds(self, training: Training) -> bool:
        """Return whether a training is of this kind."""
        return (
            (training.model, training.dataset) == (MODEL, DATASET)
            and (training.method, training.uniform) == (self.method, True)
            and self.teacher in (None, training.teacher)
            and self.bits in (None, training.weight_bits)
            and len(training.percent) == self.modes
        )

    def percent(self, training: Training, width: float) -> float | None:
        """Return the accuracy of a width."""
        found = training.percent.get(f"{width}x")
        return None if found is None else found[0 if self.bits is None else 1]


WANTED_I = {
    "S-NN, full precision": Wanted(method="S-NN", recipe="cadnn_cifar10_snn_long"),
    "CA-DNN, full precision": Wanted(teacher=MODEL),
    "CA-DNN, 16-bit": Wanted(teacher=MODEL, bits=16, recipe="cadnn_cifar10_16_16"),
    "CA-DNN, 8-bit": Wanted(teacher=MODEL, bits=8),
}
EIGHT = Wanted(modes=len(TABLE_IV), recipe="cadnn_cifar10_widths")
TEACHERS = {
    MODEL: "cadnn_cifar10",
    "resnet32": "cadnn_cifar10_resnet32",
    "resnet44": "cadnn_cifar10_resnet44",
}
"""Recipe of each teacher."""


def accuracy_rows(trainings: Sequence[Training]) -> Iterator[PaperRow]:
    """Yield tables I to IV with the parameters of Table II, and trainings that are in none."""
    compared = as_long_as_ours(trainings)
    for name, published in TABLE_I.items():
        for width, value in zip(WIDTHS, published, strict=True):
            wanted = WANTED_I[name]
            yield measured(
                "Table I", name, width, published=value, wanted=wanted, trainings=compared
            )
    for name, published in TABLE_II.items():
        for width, value in zip(WIDTHS, published, strict=True):
            what = f"ResNet50, ImageNet, {name}, {width}x"
            yield accuracy("Table II", what, "resnet50", published=value, ours=None, reason=NO_DATA)
    yield from parameter_rows()
    for teacher, published in TABLE_III.items():
        for width, value in zip(WIDTHS, published, strict=True):
            name, what = teacher.lower(), f"teacher {teacher}"
            wanted = Wanted(teacher=name, recipe=TEACHERS[name])
            yield measured(
                "Table III", what, width, published=value, wanted=wanted, trainings=trainings
            )
    for width, value in TABLE_IV.items():
        what = "eight widths"
        yield measured("Table IV", what, width, published=value, wanted=EIGHT, trainings=trainings)
    for training in trainings:
        if (training.model, training.dataset) != (MODEL, DATASET):
            yield from other_rows(training)


def as_long_as_ours(trainings: Sequence[Training]) -> list[Training]:
    """Return what may stand beside CA-DNN's row of Table I: trainings of as many passes or more."""
    ours = WANTED_I["CA-DNN, full precision"]
    least = next((training.passes for training in trainings if ours.finds(training)), 0.0)
    return [training for training in trainings if training.passes >= least]


def measured(
    figure: str,
    what: str,
    width: float,
    *,
    published: float,
    wanted: Wanted,
    trainings: Sequence[Training],
) -> PaperRow:
    """Return a row with the accuracy of the first training that it needs."""
    text = f"accuracy, {what}, {width}x"
    for training in trainings:
        ours = wanted.percent(training, width) if wanted.finds(training) else None
        if ours is not None:
            reason = training.words
            return accuracy(figure, text, MODEL, published=published, ours=ours, reason=reason)
    reason = f"{NOT_MEASURED}; `hwgen train configs/train/{wanted.recipe}.yaml` makes one"
    return accuracy(figure, text, MODEL, published=published, ours=None, reason=reason)


def accuracy(
    figure: str,
    what: str,
    network: str,
    *,
    published: float | None,
    ours: float | None,
    reason: str,
) -> PaperRow:
    """Return a row in percent."""
    return row(figure, what, network, published=published, ours=ours, unit="%", reason=reason)


def other_rows(training: Training) -> Iterator[PaperRow]:
    """Yield the accuracies of a network that the paper does not have."""
    for mode, (_, integer) in training.percent.items():
        what = f"accuracy, {training.name}, {training.weight_bits}-bit, {mode}"
        reason = f"{training.words}; the network and its data are not the paper's"
        figure = f"{training.dataset}, ours"
        yield accuracy(figure, what, training.model, published=None, ours=integer, reason=reason)


def eight_bits(trainings: Sequence[Training]) -> dict[tuple[int, str], float]:
    """Return the percent of ResNet20 by bits (32: float) and mode."""
    found: dict[tuple[int, str], float] = {}
    for bits, wanted in ((32, WANTED_I["CA-DNN, full precision"]), (8, WANTED_I["CA-DNN, 8-bit"])):
        for training in filter(wanted.finds, trainings):
            for width in WIDTHS:
                ours = wanted.percent(training, width)
                if ours is not None:
                    found.setdefault((bits, f"{width}x"), ours)
    return found
