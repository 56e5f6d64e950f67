"""The picture of a search for chips: the objective over the area, the front as a line.

Tests: `tests/report/test_explore.py`.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from hwgen.report.explore import ExploredChip, ExploreReport
from hwgen.report.explore_table import UNITS, front_of
from hwgen.report.svg import ACCENT, MUTED, SECOND, name_series, report_picture

WIDTH, HEIGHT = 6.2, 4.2
"""Inches."""


def places(chips: Sequence[ExploredChip]) -> tuple[list[float], list[float]]:
    """Return areas and objectives of chips that have one."""
    found = [(each.area_mm2, each.objective) for each in chips if each.objective is not None]
    return [area for area, _ in found], [objective for _, objective in found]


def explore_picture(report: ExploreReport, kind: str) -> bytes:
    """Return a picture of all chips, the same bytes every time; kind: `svg` or `png`."""
    start = report.chips[0]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        looks: Any = {"marker": ".", "linestyle": "", "color": MUTED, "label": "predicted"}
        axes.plot(*places(report.chips), **looks)
        looks = {"marker": "o", "markersize": 4, "color": ACCENT, "label": "front"}
        axes.plot(*places(front_of(report)), drawstyle="steps-post", **looks)
        looks = {"marker": "D", "linestyle": "", "color": SECOND, "label": report.start.name}
        axes.plot(*places([start]), **looks)
        axes.set_yscale("log")
        axes.axvline(report.area_mm2, color=MUTED, linestyle=":")
        axes.set_xlabel("mm2")
        axes.set_ylabel(f"{report.objective}, {UNITS[report.objective]}")
        axes.grid(which="both")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
        axes.yaxis.set_minor_formatter(lambda value, _: f"{value:,.6g}")
        name_series(axes)

    return report_picture(kind, WIDTH, HEIGHT, draw)
