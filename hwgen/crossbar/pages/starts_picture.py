"""The picture of a run: lanes of macros over steps, as promised and as the simulation saw them.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

import colorsys
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, ChipLayer, described
from hwgen.crossbar.model.predict import Prediction
from hwgen.crossbar.sim.simulate import SimulatedRun
from hwgen.report.svg import INK, MUTED, WHOLE, picture

Ints = NDArray[np.int64]
Starts = Mapping[tuple[int, str], Ints]
"""Step of each block, by layer and operation."""
GUEST = "#aab4c2"
"""Of layers without weights: they live in the macros of others."""


def starts_picture(
    arch: Arch, predictions: Sequence[Prediction], runs: Sequence[SimulatedRun]
) -> str:
    """Return the first run as SVG; a lane for each layer in each macro.

    The upper half of a lane is when the layer works by the model, the lower half, in ink around it,
    when the strobes of the simulation began its operations. Where there was no simulation the
    lower half is empty.
    """
    chip, kept = described(arch), list[str]()
    seen: Starts = {}
    if runs:
        seen = {(one.layer, one.operation): one.step for one in runs[0].strobes}
    lanes = [(macro.macro, place) for macro in chip.macros for place in chip.layers_in(macro.macro)]
    colours = layer_colours(arch)
    with picture(WHOLE, 1.0 + 0.24 * len(lanes), kept) as axes:
        for row, (_, place) in enumerate(lanes):
            layer = chip.layers[place]
            draw(axes, spans(layer, predictions[0].starts), (row - 0.4, row), colours[place])
            if seen:
                draw(axes, spans(layer, seen), (row, row + 0.4), colours[place], edge=INK)
        axes.set_yticks(range(len(lanes)), [lane_name(chip, *lane) for lane in lanes])
        for row in range(1, len(lanes)):
            if lanes[row][0] != lanes[row - 1][0]:
                axes.axhline(row - 0.5, color=MUTED, linewidth=0.6)
        axes.set_ylim(len(lanes) - 0.4, -0.6)
        axes.set_xlim(0, predictions[0].timing.steps)
        axes.set_xlabel(
            f"steps of {chip.step_clocks} clocks; above: by the model, below: strobes in the RTL"
        )
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
    return kept[0]


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


def lane_name(chip: Chip, macro: int, place: int) -> str:
    """Return the name of a lane."""
    return f"macro {macro}: {chip.layers[place].layer.name}"


def spans(layer: ChipLayer, starts: Starts) -> list[tuple[int, int]]:
    """Return when any operation of a layer works, from step to step; those that touch are one."""
    begins = np.concatenate([starts[layer.place, one.name] for one in layer.operations])
    ends = np.concatenate([starts[layer.place, one.name] + one.busy for one in layer.operations])
    order = np.argsort(begins, kind="stable")
    begins, ends = begins[order], np.maximum.accumulate(ends[order])
    cuts = np.flatnonzero(begins[1:] > ends[:-1])
    first = np.concatenate([begins[:1], begins[1:][cuts]])
    last = np.concatenate([ends[:-1][cuts], ends[-1:]])
    return list(zip(first.tolist(), last.tolist(), strict=True))


def draw(
    axes: Axes,
    pieces: Sequence[tuple[int, int]],
    rows: tuple[float, float],
    colour: str,
    *,
    edge: str = "none",
) -> None:
    """Draw a box for each piece, all as one path."""
    top, bottom = rows
    corners = []
    for left, right in pieces:
        corners += [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    kinds = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(pieces)
    style = {"facecolor": colour, "edgecolor": edge, "linewidth": 0.4}
    axes.add_patch(PathPatch(Path(corners, kinds), alpha=0.55 if edge == "none" else 1.0, **style))
