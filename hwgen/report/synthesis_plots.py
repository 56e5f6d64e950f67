"""The pictures of a synthesis as SVG text.

Matplotlib names clips and markers by a salted hash, and writes the date unless told otherwise; both
are fixed here. Text stays text: smaller, and a person can search for it.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from hwgen.report.synthesis import SynthesisReport
from hwgen.report.synthesis_colours import (
    ACCENT,
    GOOD,
    GRID,
    INK,
    MUTED,
    PARTS,
    SECOND,
    layer_colours,
)
from hwgen.report.synthesis_table import cut, short_names
from hwgen.spec.crossbar.arch import Arch
from hwgen.spec.crossbar.schedule import Schedule, ScheduledOperation

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "hwgen",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}
NO_DATE = {"Date": None, "Creator": None, "Format": None, "Type": None}
THIRD, HALF, WHOLE = 4.4, 6.2, 12.8
"""Width of a picture in inches: of three in a row, of two, alone."""

PIXELS = 1000
"""Width of the timeline; what is closer together than one of them is drawn as one."""


@contextmanager
def picture(width: float, height: float, kept: list[str]) -> Iterator[Axes]:
    """Give axes in our style; what is drawn becomes an SVG at the end of `kept`."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure.subplots()
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=NO_DATE, transparent=True)
    kept.append(inline(buffer.getvalue()))


def inline(svg: str) -> str:
    """Return what belongs into a page: no XML header, and a size that follows the page."""
    head, rest = svg[svg.index("<svg ") :].split(">", 1)
    return re.sub(r' (width|height)="[^"]*"', "", head) + ">" + rest


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


def finish_bars(axes: Axes, longest: float, unit: str, *, room: float = 0.55) -> None:
    """Give horizontal bars their frame, with room for the text behind them."""
    axes.invert_yaxis()
    axes.set_xlim(0, (1 + room) * longest)
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
    """Return best design and bound over evaluations."""
    kept: list[str] = []
    with picture(HALF, 3.4, kept) as axes:
        best = [(p.evaluations, p.best_gops_per_w) for p in report.convergence if p.best_gops_per_w]
        bound = [
            (p.evaluations, p.bound_gops_per_w) for p in report.convergence if p.bound_gops_per_w
        ]
        end = report.evaluations
        best.append((end, report.efficiency_gops_per_w))
        axes.step(*zip(*best, strict=True), where="post", color=ACCENT, label="best design")
        if report.bound_gops_per_w is not None:
            bound.append((end, report.bound_gops_per_w))
            axes.step(*zip(*bound, strict=True), where="post", color=SECOND, label="proven bound")
            axes.fill_between(
                [0, end],
                report.efficiency_gops_per_w,
                report.bound_gops_per_w,
                color=SECOND,
                alpha=0.10,
                linewidth=0,
                label=f"gap, {report.gap_to_bound_percent:.2f}%",
            )
        finish_lines(axes, "evaluations", "GOPS/W")
        axes.set_xlim(0, end)
        axes.set_ylim(*near(report))
    return kept[0]


def near(report: SynthesisReport) -> tuple[float, float]:
    """Return the efficiencies to look at: those around the answer and the bound."""
    best = report.efficiency_gops_per_w
    top = report.bound_gops_per_w or best
    return 0.6 * best, max(1.1 * top, min(1.5 * top, top + 2 * (top - best)))


def finish_lines(axes: Axes, across: str, up: str) -> None:
    """Give a plot its frame."""
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid()
    axes.legend(loc="lower right")
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
        if report.bound_gops_per_w is not None:
            axes.axhline(report.bound_gops_per_w, color=SECOND, linestyle="--", linewidth=1)
        finish_lines(axes, "throughput of a stream, GOPS", "efficiency, GOPS/W")
        axes.legend(loc="best")
    return kept[0]


def points(report: SynthesisReport) -> str:
    """Return bound and best design of each combination of the outer loop."""
    kept: list[str] = []
    shown = sorted(report.points, key=lambda each: -(each.bound_gops_per_w or 0))
    with picture(WHOLE, 1.1 + 0.19 * len(shown), kept) as axes:
        names = [
            f"{p.point.side} x {p.point.side}, cell {p.point.cell_bits}, DAC {p.point.dac_bits}"
            + ("" if p.point.rram_ratio is None else f", {p.point.rram_ratio:.0%}")
            for p in shown
        ]
        rows = np.arange(len(shown))
        axes.barh(rows, [p.best_gops_per_w or 0 for p in shown], color=ACCENT, height=0.62)
        bounds = [p.bound_gops_per_w or 0 for p in shown]
        axes.scatter(bounds, rows, marker="|", s=70, color=SECOND, linewidth=2)
        axes.axvline(report.efficiency_gops_per_w, color=GOOD, linestyle="--", linewidth=1)
        axes.set_yticks(rows, names)
        longest = max([1.0, *bounds, report.efficiency_gops_per_w])
        finish_bars(axes, longest, "GOPS/W", room=0.03)
        axes.set_ylim(len(shown) - 0.4, -0.6)
    return kept[0]


def mesh(arch: Arch) -> str:
    """Return the mesh with each macro in the colour of the layer or the two that live there."""
    kept: list[str] = []
    rows, columns = arch.mesh.rows, arch.mesh.columns
    side = min(0.42, 11.0 / columns)
    dwellers: list[list[str]] = [[] for _ in range(arch.mesh.macros)]
    with picture(max(3.0, columns * side + 0.3), rows * side + 0.3, kept) as axes:
        for layer, colour in zip(arch.layers, layer_colours(arch), strict=True):
            if layer.mapping.crossbars == 0:
                continue
            first = layer.place.first_macro
            for place in range(first, first + layer.place.macros):
                dwellers[place].append(colour)
            row, column = snake(layer.place.merge_macro, columns)
            axes.plot([column], [row], marker="o", markersize=5 * side / 0.42, color="white")
        for place, colours in enumerate(dwellers):
            draw_macro(axes, snake(place, columns), colours)
        axes.set_xlim(-0.6, columns - 0.4)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.set_aspect("equal")
        axes.axis("off")
    return kept[0]


def snake(place: int, columns: int) -> tuple[int, int]:
    """Return row and column of a place."""
    row, column = divmod(place, columns)
    return row, column if row % 2 == 0 else columns - 1 - column


def draw_macro(axes: Axes, where: tuple[int, int], colours: Sequence[str]) -> None:
    """Draw one macro, divided among the layers that live there."""
    row, column = where
    height = 0.9 / len(colours)
    for place, colour in enumerate(colours):
        corner = (column - 0.45, row - 0.45 + place * height)
        axes.add_patch(Rectangle(corner, 0.9, height, color=colour, linewidth=0))


def timeline(arch: Arch, schedule: Schedule) -> str:
    """Return when each layer works on the first image."""
    kept: list[str] = []
    facts = schedule.facts
    microseconds = facts.step_ns / 1000
    with picture(WHOLE, 0.7 + 0.24 * len(arch.layers), kept) as axes:
        for place, colour in enumerate(layer_colours(arch)):
            own = [each for each in facts.operations if each.layer == place]
            slowest = max(own, key=lambda each: each.busy * each.blocks)
            for operations, alpha in ((own, 0.3), ([slowest], 1.0)):
                path = boxes(spans(schedule, operations), place, microseconds)
                axes.add_patch(PathPatch(path, color=colour, alpha=alpha, linewidth=0))
        names = short_names([layer.name for layer in arch.layers])
        axes.set_yticks(range(len(names)), [cut(name, longest=32) for name in names])
        axes.set_ylim(len(arch.layers) - 0.4, -0.6)
        axes.set_xlim(0, facts.steps * microseconds)
        axes.set_xlabel("microseconds")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    return kept[0]


def spans(schedule: Schedule, operations: Sequence[ScheduledOperation]) -> list[tuple[int, int]]:
    """Return when any of some operations works, from step to step, gaps below a pixel closed."""
    starts = np.concatenate([schedule.starts_of(each) for each in operations])
    ends = np.concatenate([schedule.starts_of(each) + each.busy for each in operations])
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    pixel = max(1, schedule.facts.steps // PIXELS)
    cuts = np.flatnonzero(starts[1:] - ends[:-1] >= pixel)
    first = np.concatenate([starts[:1], starts[1:][cuts]])
    last = np.concatenate([ends[:-1][cuts], ends[-1:]])
    return list(zip(first.tolist(), last.tolist(), strict=True))


def boxes(pieces: Sequence[tuple[int, int]], row: int, microseconds: float) -> Path:
    """Return one path of a box for each piece: far smaller in a file than so many shapes."""
    corners = []
    for first, last in pieces:
        left, right = first * microseconds, last * microseconds
        corners += [(left, row - 0.4), (right, row - 0.4), (right, row + 0.4), (left, row + 0.4)]
        corners.append((left, row - 0.4))
    kinds = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(pieces)
    return Path(corners, kinds)
