"""The picture of `hwgen cost`: area by part."""

from matplotlib.figure import Figure

from hwgen.report.cost import CostReport
from hwgen.report.svg import ACCENT, SECOND, name_series, report_picture

WIDTH, HEIGHT = 7.2, 3.6
"""Inches of the picture."""


def cost_picture(report: CostReport, kind: str) -> bytes:
    """Return a picture of the area by part, the same bytes every time; kind: `svg` or `png`."""
    parts = sorted(report.parts, key=lambda part: part.logic_um2 + (part.memory_um2 or 0.0))
    names = [part.part for part in parts]
    logic = [part.logic_um2 / 1e6 for part in parts]
    memory = [(part.memory_um2 or 0.0) / 1e6 for part in parts]

    def draw_all(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(names, logic, color=ACCENT, label="logic")
        if any(memory):
            axes.barh(names, memory, left=logic, color=SECOND, label="memories")
        axes.set_xlabel(f"mm2, {report.library.name}")
        axes.grid(axis="x")
        name_series(axes)

    return report_picture(kind, WIDTH, HEIGHT, draw_all)
