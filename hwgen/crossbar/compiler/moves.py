"""Nodes that move or rename values: no layer of their own, their readers see through them."""

import math
from dataclasses import replace
from itertools import combinations
from typing import cast

from hwgen.crossbar.compiler.maps import LAYOUT, Axis, Map, named, reshaped
from hwgen.crossbar.compiler.step import Step
from hwgen.network.operations import Concatenation, Padding, Slice, Transposition

SHUFFLED = -1
"""Among the channels of a map: they are in another order than those of its providers."""


def moved(step: Step) -> Map:
    """Return what a node of `MOVES` makes of the maps that it reads."""
    match step.node.op:
        case "concatenate":
            return joined(step)
        case "pad":
            return padded(step)
        case "slice":
            return sliced(step)
        case "transpose":
            return transposed(step)
        case _:
            return cut(step)


def unmoved(step: Step) -> Map:
    """Values stay where they are; constants may be read beside them."""
    divisor = step.node.op == "divide" and step.node.inputs[0] not in step.maps
    if len(step.read) > 1 or divisor:
        given = "a map to divide by" if divisor else f"{len(step.read)} maps"
        raise step.error("inputs", "one map and constants", given)
    read = step.read[0]
    if step.shape != read.shape:
        raise step.error("output", f"of shape {read.shape} as its map", step.shape)
    return read


def cut(step: Step) -> Map:
    """Reshape, flatten, squeeze, unsqueeze."""
    read = step.map
    if math.prod(step.shape) != math.prod(read.shape):
        raise step.error("output", f"as many values as {read.shape}", step.shape)
    return replace(read, shape=step.shape, axes=reshaped(read, step.shape))


def transposed(step: Step) -> Map:
    """Dimensions change places and keep their meanings; channels may be shuffled."""
    read = step.map
    order = cast(Transposition, step.node.attributes).order
    shuffled = any(
        read.axes[one] == read.axes[other] != "one"
        for one, other in combinations(order, 2)
        if one > other
    )
    return replace(
        read,
        shape=step.shape,
        axes=tuple(read.axes[place] for place in order),
        channels=(*read.channels, SHUFFLED) if shuffled else read.channels,
    )


def joined(step: Step) -> Map:
    """Maps behind each other along the channels (or along the values of flattened maps)."""
    reads = step.read
    if len(reads) < len([name for name in step.node.inputs if name]):
        raise step.error("inputs", "maps alone", "a constant among them")
    axis = cast(Concatenation, step.node.attributes).axis
    across: set[Axis] = {read.axes[axis] for read in reads} - {"one"}
    if not across <= {"channel", "mixed"} or (not across and is_plane(step, axis)):
        raise step.error("axis", "that of the channels", ", ".join(sorted(across)) or axis)
    axes: list[Axis] = list(reads[0].axes)
    for place in range(len(axes)):
        known = {read.axes[place] for read in reads} - {"one"}
        axes[place] = known.pop() if len(known) == 1 else "mixed" if known else "one"
    axes[axis] = "mixed" if "mixed" in across else "channel"
    parts = tuple(channel for read in reads for channel in read.channels)
    return Map(
        providers=providers_of(reads),
        shape=step.shape,
        axes=named(step.shape, tuple(axes)),
        activated=any(read.activated for read in reads),
        channels=(*parts, SHUFFLED) if parts else (),
    )


def is_plane(step: Step, axis: int) -> bool:
    """Whether a dimension of size 1 everywhere stands where rows and columns do."""
    return len(step.shape) == len(LAYOUT) and axis in (2, 3)


def providers_of(reads: list[Map]) -> tuple[int, ...]:
    """Return the layers behind several maps, each once, in order; the image is not named."""
    return tuple(dict.fromkeys(provider for read in reads for provider in read.providers))


def padded(step: Step) -> Map:
    """Zeros around rows and columns; the convolution or pooling behind adds them to its own."""
    read, padding = step.map, cast(Padding, step.node.attributes)
    if padding.mode != "constant":
        raise step.error("mode", "constant", padding.mode)
    pads = padding.pads
    if not any(pads):
        return unmoved(step)
    if not read.is_layered or any(pads[:2]) or any(pads[4:6]):
        raise step.error("pads", "for rows and columns alone", list(pads))
    if min(pads) < 0:
        raise step.error("pads", "not negative", list(pads))
    return replace(
        read,
        shape=step.shape,
        axes=named(step.shape, LAYOUT),
        padding=(read.padding[0] + pads[2], read.padding[1] + pads[3]),
        added=(read.added[0] + pads[2] + pads[6], read.added[1] + pads[3] + pads[7]),
    )


def sliced(step: Step) -> Map:
    """Some of the channels; their readers wait for the whole map, and read what they need of it."""
    read, ranges = step.map, cast(Slice, step.node.attributes).ranges
    for axis, (first, end, by), size in zip(read.axes, ranges, read.shape, strict=True):
        whole = (first, end, by) == (0, size, 1)
        if not whole and axis not in ("channel", "one"):
            given = f"{axis} {first} to {end}" + (f" by {by}" if by != 1 else "")
            raise step.error("places", "of channels alone", given)
    if step.shape == read.shape:
        return read
    part = next(
        first
        for (first, end, by), size in zip(ranges, read.shape, strict=True)
        if (first, end, by) != (0, size, 1)
    )
    return replace(
        read, shape=step.shape, axes=named(step.shape, read.axes), channels=(*read.channels, part)
    )
