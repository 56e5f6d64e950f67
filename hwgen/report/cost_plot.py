"""The picture of `hwgen cost`: area by part."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwgen.report.cost import CostReport
from hwgen.report.svg import ACCENT, NO_DATE, SECOND, STYLE, name_series

WIDTH, HEIGHT = 7.2, 3.6
"""Inches of the picture."""


def cost_picture(report: CostReport, kind: str) -> bytes:
    """Return a picture of the area by part, the same bytes every time; kind: `svg` or `png`."""
    parts = sorted(report.parts, key=lambda part: part.logic_um2 + (part.memory_um2 or 0.0))
    names = [part.part for part in parts]
    logic = [part.logic_um2 / 1e6 for part in parts]
    memory = [(part.memory_um2 or 0.0) / 1e6 for part in parts]
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.barh(names, logic, color=ACCENT, label="logic")
        if any(memory):
            axes.barh(names, memory, left=logic, color=SECOND, label="memories")
        axes.set_xlabel(f"mm2, {report.library.name}")
        axes.grid(axis="x")
        name_series(axes)
        buffer = io.BytesIO()
        metadata: dict[str, Any] = NO_DATE if kind == "svg" else {"Software": "hwgen"}
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=144)
    return buffer.getvalue()
