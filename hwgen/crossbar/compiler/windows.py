"""Convolutions and poolings: the window that they slide, and the maps around it."""

from dataclasses import dataclass
from typing import cast

from hwgen.crossbar.compiler.maps import Axis, Map
from hwgen.crossbar.compiler.step import Step
from hwgen.network import operations as graph

PLANE = 2
"""Rows and columns."""

Pair = tuple[int, int]
"""Of rows, of columns."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sides in pixels; padding is that at the top and at the left, Pad nodes included."""

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    in_sides: Pair = (1, 1)
    out_sides: Pair = (1, 1)


def sliding_window(step: Step) -> Window:
    """Return the window of a convolution or of a pooling."""
    given = cast(graph.Window, step.node.attributes)
    read = layered(step)
    kernel = pair(step, "kernel", given.kernel)
    dilation = pair(step, "dilations", given.dilations)
    before = pair(step, "padding at the top and at the left", given.pads[: len(given.pads) // 2])
    return Window(
        kernel=kernel,
        stride=pair(step, "strides", given.strides),
        padding=(before[0] + read.padding[0], before[1] + read.padding[1]),
        # Of a single pixel it means nothing.
        dilation=(dilation[0] if kernel[0] > 1 else 1, dilation[1] if kernel[1] > 1 else 1),
        in_sides=(read.shape[2] - read.added[0], read.shape[3] - read.added[1]),
        out_sides=pair(step, "output map", step.shape[2:]),
    )


def global_window(step: Step) -> Window:
    """Return the window of a pooling over all rows and columns."""
    read = step.map
    if step.node.op == "mean":
        check_reduced(step, read)
    else:
        read = layered(step)
    sides = read.size("row"), read.size("column")
    return Window(kernel=sides, in_sides=sides)


def check_reduced(step: Step, read: Map) -> None:
    """A mean is a pooling when it runs over all rows and columns, and over nothing else."""
    places = cast(graph.Mean, step.node.attributes).axes
    reduced = {read.axes[place] for place in places} - {"one"}
    pixels = {"row", "column"} & set(read.axes)
    if reduced != pixels:
        raise step.error("axes", "rows and columns", ", ".join(sorted(reduced)) or "others")


def layered(step: Step) -> Map:
    """Return the map that a window slides over: batch, channels, rows, columns."""
    read = step.map
    if not read.is_layered:
        given = " x ".join(
            f"{axis} {size}" for axis, size in zip(read.axes, read.shape, strict=True)
        )
        raise step.error("map", "batch x channels x rows x columns", given)
    return read


def pair(step: Step, what: str, sides: tuple[int, ...]) -> Pair:
    """Return what is given for rows and for columns."""
    if len(sides) != PLANE:
        given = " x ".join(str(side) for side in sides)
        raise step.error(what, "of two dimensions", given)
    return sides[0], sides[1]


def reduced_axes(step: Step) -> tuple[Axis, ...]:
    """Return the axes behind a mean over rows and columns, which are kept with size 1 or gone."""
    axes = step.map.axes
    if len(step.shape) == len(axes):
        return axes
    reduced = cast(graph.Mean, step.node.attributes).axes
    return tuple(axis for place, axis in enumerate(axes) if place not in reduced)
