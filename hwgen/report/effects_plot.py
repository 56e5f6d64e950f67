"""The picture of accuracy under effects: mean over one key, and the range over the seeds.

Tests: `tests/commands/test_effects.py`.
"""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwgen.report.effects import EffectsReport
from hwgen.report.svg import ACCENT, MUTED, NO_DATE, STYLE
from hwgen.report.sweep_table import shown

SIZE = (5.2, 3.6)
"""Inches."""


def effects_picture(report: EffectsReport, kind: str) -> bytes:
    """Return the picture, the same bytes every time; kind: `svg` or `png`."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        places = range(len(report.points))
        mean = [100 * point.mean for point in report.points]
        low = [100 * (point.mean - point.least) for point in report.points]
        high = [100 * (point.most - point.mean) for point in report.points]
        axes.axhline(100 * report.exact, color=MUTED, linestyle=":", label="without effects")
        axes.errorbar(
            places, mean, yerr=(low, high), color=ACCENT, marker="o", capsize=4, label="mean, range"
        )
        names = [", ".join(map(shown, point.values.values())) for point in report.points]
        axes.set_xticks(places, names or [""])
        axes.set_xlabel(", ".join(report.keys) or report.effects.name)
        axes.set_ylabel(f"accuracy of {report.images} images, %")
        axes.grid()
        axes.legend(fontsize=7)
        buffer = io.BytesIO()
        metadata: dict[str, Any] = NO_DATE if kind == "svg" else {"Software": "hwgen"}
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=144)
    return buffer.getvalue()
