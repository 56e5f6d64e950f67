"""Accuracy against cycles where groups of filters get fewer digits: points, page, picture."""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.report.sheet import Sheet
from hwgen.report.svg import ACCENT, HALF, SECOND, name_series, picture
from hwgen.report.tables import number, percent
from hwgen.report.types import STRICT, Count, Digest, Fraction

HEIGHT = 3.6
LEGEND = (
    "Groups of 8 filters go from two signed digits to one, those first that change the sums of"
    " their layer least for the digits that they save, then to none. Each group gets its weights"
    " by measured loss (a scale a filter, weights that make up for each other), without training."
    " Accuracy is golden's, on images that did not measure. Cycles: of one image by the cycle"
    " model, end to end. Rows of weights: each counted once. Paired: two groups of one digit share"
    " the cell columns of a row and have the inputs of both; this is an estimate, layer by layer in"
    " proportion to the rows, and no chip does it."
)
COLUMNS = (
    *("steps", "groups of 2 / 1 / 0 digits", "accuracy", "cycles", "load stalls", "rows"),
    *("rows paired", "cycles paired (estimate)", "of the first"),
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PhiPoint:
    """A network behind some steps.

    groups: of 0, 1 and 2 digits; right: fraction of right classes (without labels: of the classes
    as before); cycles, load_cycles: of one image by the cycle model
    rows, rows_paired: of weights; cycles_paired: estimated with two groups of one digit in a row
    """

    steps: Count
    groups: list[Count]
    right: Fraction
    cycles: Count
    load_cycles: Count
    rows: Count
    rows_paired: Count
    cycles_paired: Count


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PhiCurveReport:
    """What was measured, and of what; labelled: whether `right` is accuracy."""

    format: Literal["hwgen.report.phi_curve"]
    version: Literal[1]
    network: str
    network_digest: Digest
    architecture: str
    configuration_digest: Digest
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
    lines += Sheet(COLUMNS, (cells(point, first) for point in report.points)).markdown()
    lines += ["", "## Circumstances", ""]
    lines += [
        f"- network: {report.network}, digest {report.network_digest[:16]}",
        f"- images: {report.images_name}, digest {report.images_digest[:16]}:"
        f" {report.calibration_images} measure, {report.judged_images} judge"
        + ("" if report.labelled else " (classes as before, no labels)"),
        f"- architecture: {report.architecture}, digest {report.configuration_digest[:16]}",
        f"- commit: {report.commit or 'unknown'}; machine: {report.machine}",
        f"- command: `{report.command}`",
    ]
    return "\n".join(lines) + "\n"


def phi_picture(report: PhiCurveReport) -> str:
    """Return SVG: accuracy over cycles, as modelled and with two groups in a row."""
    kept: list[str] = []
    accuracy = [100 * point.right for point in report.points]
    with picture(HALF, HEIGHT, kept) as axes:
        for label, colour, cycles in (
            ("cycle model", ACCENT, [point.cycles for point in report.points]),
            ("two groups in a row (estimate)", SECOND, [p.cycles_paired for p in report.points]),
        ):
            axes.plot([each / 1000 for each in cycles], accuracy, "o", color=colour, label=label)
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
    yield number(point.cycles)
    yield number(point.load_cycles)
    yield number(point.rows)
    yield number(point.rows_paired)
    yield number(point.cycles_paired)
    yield percent(point.cycles_paired / first.cycles)
