"""Convolutions and poolings: the window that they slide, and the square maps around it."""

from dataclasses import dataclass
from typing import cast

from hwgen.compiler.crossbar.maps import Map
from hwgen.compiler.crossbar.step import Step
from hwgen.spec import graph

PLANE = 2
"""Rows and columns."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sides in pixels; padding is that at the top and at the left, Pad nodes included."""

    kernel: int
    stride: int
    padding: int
    in_side: int
    out_side: int


def sliding_window(step: Step) -> Window:
    """Return the window of a convolution or of a pooling."""
    given = cast(graph.Window, step.node.attributes)
    read = layered(step)
    side = equal(step, "kernel", given.kernel)
    if side > 1:
        dilation = equal(step, "dilations", given.dilations)
        if dilation != 1:
            raise step.error("dilations", 1, dilation)
    stride = equal(step, "strides", given.strides)
    in_side = equal(step, "map", read.shape[2:])
    out_side = equal(step, "output map", step.shape[2:])
    before = equal(step, "padding at the top and at the left", given.pads[:PLANE])
    return Window(
        kernel=side,
        stride=stride,
        padding=before + read.padding[0],
        in_side=in_side - sum(read.padding),
        out_side=out_side,
    )


def global_window(step: Step) -> Window:
    """Return the window of a pooling over all rows and columns."""
    read = step.map
    if step.node.op == "mean":
        check_reduced(step, read)
    else:
        read = layered(step)
    rows, columns = read.size("row"), read.size("column")
    side = equal(step, "map", (rows, columns))
    return Window(kernel=side, stride=1, padding=0, in_side=side, out_side=1)


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


def equal(step: Step, what: str, sides: tuple[int, ...]) -> int:
    """Return the one side of something square in a plane."""
    if len(sides) != PLANE or sides[0] != sides[1]:
        given = " x ".join(str(side) for side in sides)
        raise step.error(what, "square and of two dimensions", given)
    return sides[0]
