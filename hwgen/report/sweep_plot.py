"""The picture of a sweep: cycles, energy and area over one key, a line for each of the others.

Tests: `tests/commands/test_sweep.py`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hwgen.report.svg import MARKERS, SERIES, name_all, report_picture
from hwgen.report.sweep import SweepPoint, SweepReport, Value
from hwgen.report.sweep_table import shown

FIGURES = {
    "cycles_model": "cycles",
    "energy_uj": "uJ an image",
    "area_mm2": "mm2",
}
MOST_NAMES = 12
"""Lines that the legend names at most."""
WIDTH, HEIGHT = 6.2, 3.0
"""Inches of one of the plots, which stand above each other: a page shows them in full size."""
ROOM = 1.08
"""Above the highest point."""
MARGIN = 0.25
"""Left of the first value and right of the last, in steps between values."""


def sweep_picture(report: SweepReport, kind: str) -> bytes:
    """Return a picture of a sweep, the same bytes every time; kind: `svg` or `png`."""
    columns = [name for name in FIGURES if any(known(point, name) for point in report.points)]

    def draw_all(figure: Figure) -> None:
        plots = list(figure.subplots(len(columns), 1, squeeze=False)[:, 0])
        for axes, name in zip(plots, columns, strict=True):
            draw(axes, report, name)
        if 1 < len(lines_of(report)) <= MOST_NAMES:
            name_all(figure, plots, 8)

    return report_picture(kind, WIDTH, HEIGHT * len(columns), draw_all)


def known(point: SweepPoint, name: str) -> bool:
    """Return whether a point has a figure."""
    return getattr(point, name) is not None


def across(report: SweepReport) -> str:
    """Return the key of the horizontal axis: the one with most values, of several the first."""
    return max(report.keys, key=lambda key: len(report.keys[key]))


def draw(axes: Axes, report: SweepReport, name: str) -> None:
    """Draw one figure of all points; a line without a point is left out."""
    key = across(report)
    values = ordered(report.keys[key])
    for place, (text, points) in enumerate(lines_of(report).items()):
        heights = {point.values[key]: getattr(point, name) for point in points}
        if all(height is None for height in heights.values()):
            continue
        axes.plot(
            range(len(values)),
            [heights[value] if heights[value] is not None else float("nan") for value in values],
            marker=MARKERS[place % len(MARKERS)],
            markersize=4,
            color=SERIES[place % len(SERIES)],
            linestyle=("-", "--", ":", "-.")[place // len(SERIES) % 4],
            label=text,
        )
    axes.set_xticks(range(len(values)), [shown(value) for value in values])
    axes.set_xlabel(key)
    axes.set_ylabel(FIGURES[name])
    axes.set_ylim(0, axes.get_ylim()[1] * ROOM)
    axes.set_xlim(-MARGIN, len(values) - 1 + MARGIN)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axes.grid()


def lines_of(report: SweepReport) -> dict[str, list[SweepPoint]]:
    """Return the points of each line by its name."""
    key, lines = across(report), dict[str, list[SweepPoint]]()
    for point in report.points:
        lines.setdefault(label(point, without=key), []).append(point)
    return lines


def ordered(values: Sequence[Value]) -> list[Value]:
    """Return numbers from low to high, anything else as given."""
    if all(isinstance(value, int | float) for value in values):
        return sorted(values)
    return list(values)


def label(point: SweepPoint, *, without: str) -> str:
    """Return the values of all other keys as text."""
    return ", ".join(f"{k}={shown(v)}" for k, v in point.values.items() if k != without)
