"""The picture of a prediction: the cycles of each layer, and what they are spent on."""

from hwgen.report.model import ModelReport
from hwgen.report.svg import ACCENT, INK, MUTED, WHOLE, picture

ROW = 0.22
"""Inches of a layer."""
BAR = 0.75
"""Share of a row that its bar fills."""


def model_picture(report: ModelReport) -> str:
    """Return SVG with a bar for each layer, the first one on top, and its share of all cycles."""
    kept: list[str] = []
    layers = report.layers[::-1]
    with picture(WHOLE, 0.9 + ROW * len(layers), kept) as axes:
        colours = [MUTED if layer.kind == "chip" else ACCENT for layer in layers]
        cycles = [layer.cycles_model for layer in layers]
        bars = axes.barh(range(len(layers)), cycles, BAR, color=colours)
        shares = [f"{count / report.cycles_model:.1%}" for count in cycles]
        axes.bar_label(bars, shares, padding=3, fontsize=7, color=INK)
        axes.set_yticks(range(len(layers)), [layer.name for layer in layers])
        axes.set_ylim(-0.6, len(layers) - 0.4)
        setting = report.setting
        axes.set_xlabel(
            f"cycles of {report.images} image{'s'[: report.images > 1]}"
            f" of {setting.network.name} on {setting.architecture.name}"
        )
        axes.xaxis.set_major_formatter("{x:,.0f}")
    return kept[0]
