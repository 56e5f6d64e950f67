"""Pictures of a synthesized chip: its mesh of macros, and when each layer works."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.schedule import Schedule, ScheduledOperation
from hwgen.crossbar.pages.synthesis_plots import layer_colours
from hwgen.crossbar.pages.synthesis_table import short_names
from hwgen.report.svg import WHOLE, picture

PIXELS = 1000
"""Width of the timeline; what is closer together than one of them is drawn as one."""


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
            row, column = serpentine(layer.place.merge_macro, columns)
            axes.plot([column], [row], marker="o", markersize=5 * side / 0.42, color="white")
        for place, colours in enumerate(dwellers):
            draw_macro(axes, serpentine(place, columns), colours)
        axes.set_xlim(-0.6, columns - 0.4)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.set_aspect("equal")
        axes.axis("off")
    return kept[0]


def serpentine(place: int, columns: int) -> tuple[int, int]:
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


def placement(arch: Arch) -> str:
    """Return the crossbars of each macro, by layer, and its ADCs; nothing without a fabric."""
    if arch.fabric is None:
        return ""
    kept: list[str] = []
    colours = layer_colours(arch)
    stacked = np.zeros(arch.mesh.macros, np.int64)
    adcs = np.zeros(arch.mesh.macros, np.int64)
    with picture(WHOLE, 2.6, kept) as axes:
        for layer in arch.fabric.layers:
            for held in layer.held:
                corner = (held.macro - 0.4, int(stacked[held.macro]))
                colour = colours[layer.layer]
                axes.add_patch(Rectangle(corner, 0.8, held.crossbars, color=colour, linewidth=0))
                stacked[held.macro] += held.crossbars
                adcs[held.macro] = max(adcs[held.macro], held.adcs)
        axes.plot(range(arch.mesh.macros), adcs, "_", color="#1d2733", markersize=6, gid="adcs")
        axes.set_xlim(-0.6, arch.mesh.macros - 0.4)
        axes.set_ylim(0, 1.05 * max(stacked.max(), adcs.max()))
        axes.set_xlabel("macro, in serpentine order")
        axes.set_ylabel("crossbars, and ADCs (-)")
    return kept[0]


def cut(name: str, *, longest: int) -> str:
    """Return a name that fits its place: of a long name the end."""
    return name if len(name) <= longest else f"..{name[2 - longest :]}"


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
