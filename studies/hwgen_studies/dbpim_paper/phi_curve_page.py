"""Accuracy against cycles where groups of filters get fewer digits: points, page, picture."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.sheet import Sheet
from hwgen.report.svg import HALF, MARKERS, SERIES, name_series, picture
from hwgen.report.tables import number, percent
from hwgen.report.types import Count, Digest, Fraction, Source

HEIGHT = 3.6
LEGEND = (
    "`hwgen fit --rule lowered` gives groups of 8 filters one signed digit for two, then none. It"
    " needs no training. A group comes first if it changes the sums of its layer least for the"
    " cycles that the last chip below saves. Each group gets its weights by measured loss. The"
    " golden model gives the accuracy, on images that did not measure. The cycle model gives the"
    " cycles of one image, from its load to its answer. A chip with `one_digit: paired` computes"
    " two groups of one digit in the rows of one; the other chip takes a row for each."
)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PhiPoint:
    """A network behind some steps.

    groups: of 0, 1 and 2 digits; right: fraction of right classes (without labels: of the classes
    as before); cycles: of one image by the cycle model, on each chip
    """

    steps: Count
    groups: list[Count]
    right: Fraction
    cycles: list[Count]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PhiCurveReport:
    """What was measured, and of what; labelled: whether `right` is accuracy."""

    format: Literal["hwgen.report.phi_curve"]
    version: Literal[2]
    network: str
    network_digest: Digest
    architectures: list[Source]
    images_name: str
    images_digest: Digest
    calibration_images: Count
    judged_images: Count
    labelled: bool
    commit: str | None
    machine: str
    command: str
    points: list[PhiPoint]


def phi_curve_page(report: PhiCurveReport, picture_name: str) -> str:
    """Return the page."""
    first = report.points[0]
    lines = [f"# {report.network} with fewer signed digits", "", LEGEND, ""]
    lines += [f"![Accuracy against cycles]({picture_name})", ""]
    names = [each.name for each in report.architectures]
    columns = ["steps", "groups of 2 / 1 / 0 digits", "accuracy"]
    columns += [column for name in names for column in (f"cycles on {name}", "of the first")]
    lines += Sheet(columns, (cells(point, first) for point in report.points)).markdown()
    lines += ["", "## Circumstances", ""]
    lines += [
        f"- network: {report.network}, digest {report.network_digest[:16]}",
        f"- images: {report.images_name}, digest {report.images_digest[:16]}:"
        f" {report.calibration_images} measure, {report.judged_images} judge"
        + ("" if report.labelled else " (classes as before, no labels)"),
        *(
            f"- architecture: {each.name}, digest {each.digest[:16]}"
            for each in report.architectures
        ),
        f"- commit: {report.commit or 'unknown'}; machine: {report.machine}",
        f"- command: `{report.command}`",
    ]
    return "\n".join(lines) + "\n"


def phi_picture(report: PhiCurveReport) -> str:
    """Return SVG: accuracy over cycles, on each chip."""
    kept: list[str] = []
    accuracy = [100 * point.right for point in report.points]
    with picture(HALF, HEIGHT, kept) as axes:
        for place, chip in enumerate(report.architectures):
            cycles = [point.cycles[place] / 1000 for point in report.points]
            looks: Any = {"marker": MARKERS[place], "color": SERIES[place]}
            axes.plot(cycles, accuracy, linestyle="", label=chip.name, **looks)
        axes.set_xlabel("kcycles an image")
        axes.set_ylabel("accuracy, %")
        axes.grid()
        name_series(axes)
    return kept[0] + "\n"


def cells(point: PhiPoint, first: PhiPoint) -> Iterator[str]:
    """Yield the cells of a network; first: the one before any step."""
    none, one, two = point.groups
    yield number(point.steps)
    yield f"{two} / {one} / {none}"
    yield percent(point.right)
    for cycles, whole in zip(point.cycles, first.cycles, strict=True):
        yield number(cycles)
        yield percent(cycles / whole)
