"""The picture of the modes of a network: what each costs and what it gives, in percent.

Tests: `tests/commands/test_adaptive.py`.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from hwgen.report.adaptive import AdaptiveMode
from hwgen.report.svg import HALF, INK, SERIES, name_series, picture

HEIGHT = 3.6
BAR = 0.26
"""Width of one of the bars of a mode."""


def modes_picture(modes: Sequence[AdaptiveMode]) -> str:
    """Return SVG: cycles, the first event and energy of each mode as bars, accuracy as a line.

    Costs are in percent of those of the widest mode.
    """
    kept: list[str] = []
    places = np.arange(len(modes))
    with picture(HALF, HEIGHT, kept) as axes:
        for turn, (label, costs) in enumerate(costs_of(modes).items()):
            heights = 100 * np.array(costs) / (costs[0] or 1)
            shift = (turn - 1) * BAR
            bars = axes.bar(places + shift, heights, BAR, color=SERIES[turn], label=label)
            axes.bar_label(bars, fmt="%.0f", fontsize=7, color=INK)
        accuracy = [100 * mode.accuracy for mode in modes]
        axes.plot(places, accuracy, color=SERIES[4], marker="o", label="accuracy")
        for place, height in zip(places, accuracy, strict=True):
            note(axes, float(place), height)
        axes.set_xticks(places, [mode.name for mode in modes])
        axes.set_ylabel("% (costs: of the widest mode)")
        axes.set_ylim(0, 125)
        name_series(axes)
    return kept[0]


def costs_of(modes: Sequence[AdaptiveMode]) -> dict[str, list[float]]:
    """Return the costs of all modes by their name in the picture."""
    first = next(iter(modes[0].events_rtl))
    return {
        "cycles": [mode.cycles_rtl for mode in modes],
        first.replace("_", " "): [mode.events_rtl[first] for mode in modes],
        "energy": [mode.total_pj for mode in modes],
    }


def note(axes: Axes, place: float, height: float) -> None:
    """Write an accuracy above its point."""
    axes.annotate(
        f"{height:.1f} %",
        (place, height),
        xytext=(0, 12),
        textcoords="offset points",
        ha="center",
        color=SERIES[4],
        fontsize=8,
    )
