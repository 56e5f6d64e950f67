"""Charts of a synthesis: where power, energy and area go, and how the search went.

Colours are the same in all pictures of a synthesis: of layers, and of parts.
"""

import colorsys
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.rules import MERITS
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.crossbar.pages.synthesis_table import short_text
from hwgen.report.svg import (
    ACCENT,
    GOOD,
    GRID,
    HALF,
    INK,
    MUTED,
    SECOND,
    THIRD,
    WHOLE,
    name_series,
    picture,
)

PARTS = {
    "crossbar": "#2563a8",
    "dac": "#60a5d8",
    "adc": "#d97706",
    "shift_add": "#8b5fbf",
    "addition": "#b794d9",
    "relu": "#d16ba5",
    "sigmoid": "#c2547d",
    "pool": "#4aa391",
    "eltwise": "#8cc6b0",
    "scratchpad": "#2f855a",
    "network_on_chip": "#8a94a3",
}

GUEST = "#aab4c2"
"""Of layers without weights: they live in the macros of others."""


def layer_colours(arch: Arch) -> list[str]:
    """Return a colour for each layer: with weights once around the circle, in layer order."""
    weighted = [place for place, layer in enumerate(arch.layers) if layer.mapping.crossbars > 0]
    colours = [GUEST] * len(arch.layers)
    for turn, place in enumerate(weighted):
        hue = 0.58 + 0.92 * turn / len(weighted)
        lightness = 0.46 if turn % 2 == 0 else 0.62
        red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, 0.55)
        colours[place] = f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    return colours


def bars(names: Sequence[str], values: Sequence[float], unit: str) -> str:
    """Return one bar for each part that is there, the largest on top."""
    kept: list[str] = []
    shown = sorted(((v, n) for n, v in zip(names, values, strict=True) if v > 0), reverse=True)
    total = sum(value for value, _ in shown)
    with picture(THIRD, 0.6 + 0.26 * len(shown), kept) as axes:
        labels = [name.replace("_", " ") for _, name in shown]
        sizes = [value for value, _ in shown]
        axes.barh(labels, sizes, color=[PARTS[name] for _, name in shown], height=0.68)
        for row, value in enumerate(sizes):
            label(axes, row, value, f"{value:.3g} {unit}, {value / total:.1%}")
        finish_bars(axes, max(sizes), unit)
    return kept[0]


def label(axes: Axes, row: int, value: float, text: str) -> None:
    """Write behind a bar."""
    axes.annotate(
        text,
        (value, row),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=8,
    )


def finish_bars(axes: Axes, longest: float, unit: str, *, margin: float = 0.55) -> None:
    """Give horizontal bars their frame, with a margin for the text behind them."""
    axes.invert_yaxis()
    axes.set_xlim(0, (1 + margin) * longest)
    axes.set_xlabel(unit)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def power(report: SynthesisReport) -> str:
    """Return peak power by part."""
    return bars([p.part for p in report.parts], [p.peak_w for p in report.parts], "W")


def area(report: SynthesisReport) -> str:
    """Return area by part."""
    return bars([p.part for p in report.parts], [p.area_mm2 for p in report.parts], "mm²")


def energy(report: SynthesisReport) -> str:
    """Return the energy of an image by part: while it works, and while it is there."""
    kept: list[str] = []
    shown = [part for part in report.parts if part.static_mj + part.dynamic_mj > 0]
    shown.sort(key=lambda part: -(part.static_mj + part.dynamic_mj))
    with picture(THIRD, 0.6 + 0.26 * len(shown), kept) as axes:
        names = [part.part.replace("_", " ") for part in shown]
        work = np.array([part.dynamic_mj for part in shown])
        wait = np.array([part.static_mj for part in shown])
        colours = [PARTS[part.part] for part in shown]
        axes.barh(names, work, color=colours, height=0.68)
        axes.barh(names, wait, left=work, color=colours, height=0.68, alpha=0.45)
        for row, value in enumerate(work + wait):
            label(axes, row, value, f"{value:.3g} mJ, {value / report.energy_mj:.1%}")
        finish_bars(axes, float((work + wait).max()), "mJ")
    return kept[0]


def convergence(report: SynthesisReport) -> str:
    """Return best design and bound over the rounds of the search."""
    kept: list[str] = []
    known = list(enumerate(report.convergence))
    best = [(turn, one.best_gops_per_w) for turn, one in known if one.best_gops_per_w]
    bound = [(turn, one.bound_gops_per_w) for turn, one in known if one.bound_gops_per_w]
    end = len(known)
    with picture(HALF, 3.4, kept) as axes:
        best.append((end, report.merit))
        axes.step(*zip(*best, strict=True), where="post", color=ACCENT, label="best design")
        if report.bound_gops_per_w is not None:
            bound.append((end, report.bound_gops_per_w))
            axes.step(*zip(*bound, strict=True), where="post", color=SECOND, label="proven bound")
            axes.fill_between(
                [0, end],
                report.merit,
                report.bound_gops_per_w,
                color=SECOND,
                alpha=0.10,
                linewidth=0,
                label=f"gap, {report.gap_to_bound_percent:.2f}%",
            )
        finish_lines(axes, "rounds", MERITS[report.objective])
        axes.set_xlim(0, max(1, end))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(*near(report))
    return kept[0]


def near(report: SynthesisReport) -> tuple[float, float]:
    """Return the efficiencies to look at: those around the answer and the bound."""
    best = report.merit
    top = report.bound_gops_per_w or best
    return 0.6 * best, max(1.1 * top, min(1.5 * top, top + 2 * (top - best)))


def finish_lines(axes: Axes, across: str, up: str) -> None:
    """Give a plot its frame."""
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid()
    name_series(axes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.6g}")


def pareto(report: SynthesisReport) -> str:
    """Return efficiency against throughput of all designs that were confirmed."""
    kept: list[str] = []
    with picture(HALF, 3.4, kept) as axes:
        others = [p for p in report.pareto if not p.on_front]
        front = [p for p in report.pareto if p.on_front]
        if others:
            axes.scatter(
                [p.throughput_gops for p in others],
                [p.efficiency_gops_per_w for p in others],
                s=18,
                color=GRID,
                edgecolor=MUTED,
                linewidth=0.6,
                label="confirmed designs",
            )
        axes.plot(
            [p.throughput_gops for p in front],
            [p.efficiency_gops_per_w for p in front],
            marker="o",
            markersize=4.5,
            color=ACCENT,
            label="front",
        )
        axes.plot(
            [report.throughput_gops],
            [report.efficiency_gops_per_w],
            linestyle="",
            marker="*",
            markersize=13,
            color=SECOND,
            label="the answer",
        )
        if report.objective == "image" and report.bound_gops_per_w is not None:
            axes.axhline(report.bound_gops_per_w, color=SECOND, linestyle="--", linewidth=1)
        finish_lines(axes, "throughput of a stream, GOPS", "efficiency, GOPS/W")
    return kept[0]


def points(report: SynthesisReport) -> str:
    """Return bound and best design of each combination of the outer loop."""
    kept: list[str] = []
    shown = [each for each in report.points if each.bound_gops_per_w or each.best_gops_per_w]
    shown.sort(key=lambda each: -(each.bound_gops_per_w or each.best_gops_per_w or 0))
    with picture(WHOLE, 1.1 + 0.19 * len(shown), kept) as axes:
        names = [
            short_text(p.point)
            + ("" if p.point.rram_ratio is None else f", {p.point.rram_ratio:.0%}")
            for p in shown
        ]
        rows = np.arange(len(shown))
        axes.barh(rows, [p.best_gops_per_w or 0 for p in shown], color=ACCENT, height=0.62)
        bounds = [p.bound_gops_per_w or 0 for p in shown]
        axes.scatter(bounds, rows, marker="|", s=70, color=SECOND, linewidth=2)
        axes.axvline(report.merit, color=GOOD, linestyle="--", linewidth=1)
        axes.set_yticks(rows, names)
        longest = max([*bounds, report.merit])
        finish_bars(axes, longest, MERITS[report.objective], margin=0.03)
        axes.set_ylim(len(shown) - 0.4, -0.6)
    return kept[0]
