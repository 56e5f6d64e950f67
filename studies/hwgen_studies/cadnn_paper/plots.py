"""Pictures of CA-DNN's curves: AND operations, energy, memory, sub-arrays."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from hwgen.report.svg import COLUMN, INK, MARKERS, MUTED, SERIES, name_series, picture
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport
from hwgen_studies.cadnn_paper.table import KIB, PARTS, SCHEDULES, by_layer, modes_of

PART_COLOURS = dict(zip(PARTS, SERIES, strict=True))
MEMORY_PARTS = {
    "weights_bytes": "weights",
    "maps_bytes": "maps",
    "image_bytes": "image",
    "norms_bytes": "norms",
}
HEIGHT = 3.6
ROW = 0.26
"""Inches of a bar that lies."""
BAR = 0.8
"""Width of the bars of one place on an axis."""


def pictures(report: AdaptivePaperReport) -> dict[str, str]:
    """Return every picture as SVG, by name."""
    return {
        "ands-ours": layers(report, "positions", "and_operations", "AND row operations"),
        "ands-paper": layers(report, "seed", "and_operations", "AND row operations"),
        "sub-arrays": layers(report, "positions", "sub_arrays", "sub-arrays that work"),
        "energy": energy(report),
        "memory": memory(report),
        "trade-off": trade_off(report),
    }


def layers(report: AdaptivePaperReport, schedule: str, what: str, label: str) -> str:
    """Return a bar for each layer and mode."""
    kept: list[str] = []
    modes = modes_of(report)
    by, names = by_layer(report.layers)
    with picture(COLUMN, HEIGHT, kept) as axes:
        width = BAR / len(modes)
        for place, mode in enumerate(modes):
            heights = [getattr(by[name, mode], what)[schedule] for name in names]
            axes.bar(
                np.arange(len(names)) + place * width,
                heights,
                width,
                color=SERIES[place % len(SERIES)],
                label=mode,
            )
        axes.set_xticks(np.arange(len(names)) + BAR / 2 - width / 2, names, rotation=60, ha="right")
        axes.set_ylabel(f"{label}, {SCHEDULES[schedule]}")
        finish(axes)
    return kept[0]


def finish(axes: Axes) -> None:
    """Give upright bars their grid and their legend."""
    axes.grid(axis="y")
    name_series(axes)


def energy(report: AdaptivePaperReport) -> str:
    """Return a lying bar for each schedule, kind of enables and mode, cut into parts."""
    kept: list[str] = []
    count = len(report.energy)
    with picture(COLUMN, 1 + ROW * count, kept) as axes:
        low, places = np.zeros(count), np.arange(count)
        for part, name in PARTS.items():
            sizes = np.array([each.parts_uj[part] for each in report.energy])
            axes.barh(places, sizes, BAR, left=low, color=PART_COLOURS[part], label=name)
            low = low + sizes
        for place, whole in zip(places, low, strict=True):
            axes.annotate(
                f"{whole:,.4g}",
                (whole, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
        texts = [
            f"{SCHEDULES[each.schedule]}, {each.gating}, {each.mode}" for each in report.energy
        ]
        axes.set_yticks(places, texts)
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xlabel("uJ an image")
        axes.grid(axis="x")
        name_series(axes)
    return kept[0]


def memory(report: AdaptivePaperReport) -> str:
    """Return a bar for each configuration, cut into what is stored."""
    kept: list[str] = []
    with picture(COLUMN, HEIGHT, kept) as axes:
        names = [f"{each.bits}:{each.mode}" for each in report.memory]
        low = np.zeros(len(names))
        for colour, (key, label) in zip(SERIES, MEMORY_PARTS.items(), strict=False):
            sizes = np.array([getattr(each, key) / KIB for each in report.memory])
            axes.bar(names, sizes, BAR, bottom=low, color=colour, label=label)
            low = low + sizes
        axes.set_ylabel("KiB")
        finish(axes)
    return kept[0]


def trade_off(report: AdaptivePaperReport) -> str:
    """Return energy over cycles of each schedule without enables, a point for each mode."""
    kept: list[str] = []
    schedules = list(dict.fromkeys(each.schedule for each in report.energy))
    with picture(COLUMN, HEIGHT, kept) as axes:
        for place, schedule in enumerate(schedules):
            found = [
                each
                for each in report.energy
                if each.schedule == schedule and each.gating == "none"
            ]
            points: Sequence[tuple[int, float]] = [(e.cycles, e.total_uj) for e in found]
            axes.plot(
                *zip(*points, strict=True),
                marker=MARKERS[place % len(MARKERS)],
                color=SERIES[place % len(SERIES)],
                label=SCHEDULES[schedule],
            )
            for each in found:
                axes.annotate(
                    each.mode,
                    (each.cycles, each.total_uj),
                    xytext=(4, 4),
                    textcoords="offset points",
                    color=INK,
                    fontsize=7,
                )
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            # A logarithmic axis would write formulas, which stay text here.
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter("{x:,.10g}")
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("cycles an image")
        axes.set_ylabel("uJ an image")
        axes.grid(which="both", color=MUTED, alpha=0.2)
        name_series(axes)
    return kept[0]
