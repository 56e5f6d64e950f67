"""The picture of accuracy under effects: mean over one key, and the range over the seeds.

Tests: `tests/commands/test_effects.py`.
"""

from matplotlib.figure import Figure

from hwgen.report.effects import EffectPoint, EffectsReport
from hwgen.report.svg import ACCENT, MUTED, report_picture
from hwgen.report.sweep_table import shown

SIZE = (5.2, 3.6)
"""Inches."""


def effects_picture(report: EffectsReport, kind: str) -> bytes:
    """Return the picture, the same bytes every time; kind: `svg` or `png`."""

    def draw_all(figure: Figure) -> None:
        axes = figure.subplots()
        places = range(len(report.points))
        mean = [100 * point.mean for point in report.points]
        # The mean of equal numbers may be another one in its last digit.
        low = [100 * max(0.0, point.mean - point.least) for point in report.points]
        high = [100 * max(0.0, point.most - point.mean) for point in report.points]
        axes.axhline(100 * report.exact, color=MUTED, linestyle=":", label="without effects")
        layers = any(point.layer for point in report.points)
        axes.errorbar(
            places,
            mean,
            yerr=(low, high),
            color=ACCENT,
            marker="o",
            linestyle="none" if layers else "-",
            capsize=4,
            label="mean, range",
        )
        names = [named(point, by_layer=layers) for point in report.points]
        axes.set_xticks(places, names or [""], rotation=90 if layers else 0)
        axes.set_xlabel(", ".join(report.keys) or report.effects.name)
        axes.set_ylabel(f"accuracy of {report.images} images, %")
        axes.grid()
        axes.legend(fontsize=7)

    return report_picture(kind, *SIZE, draw_all)


def named(point: EffectPoint, *, by_layer: bool) -> str:
    """Return what a point stands for: its layer, if layers err one at a time, and its values."""
    first = [point.layer or "all layers"] if by_layer else []
    return ", ".join([*first, *map(shown, point.values.values())])
