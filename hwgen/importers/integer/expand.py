"""Nodes that the network file has no layer for, as several nodes that give the same integers.

Tests: `tests/importers/tflite/test_operators.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.borders import expand_border
from hwgen.importers.integer.constants import unchanged
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.parts import MOST_PADDED, Parts
from hwgen.network.maps import BYTE_BITS, Shape

MOST_ADDED = 15
"""Rows or columns that a maximum adds to a map: the padding of a window that chips hold."""
MOST_DOUBLED = 3
"""Times that a map doubles at once, as chips do."""


def expanded(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with several nodes in place of one where the file of networks has none.

    A node that cannot be expanded stays, and is refused.
    """
    maps, nodes = dict(graph.maps), []
    for node in graph.nodes:
        known = all(name in maps and not maps[name].raw for name in (*node.inputs, node.output))
        expand = expansion(node) if known else None
        parts = Parts(node=node, maps=maps)
        if expand is not None:
            expand(parts, node)
        nodes += parts.nodes or [node]
    return replace(graph, maps=maps, nodes=tuple(nodes))


def expansion(node: ir.Node) -> Callable[[Parts, Any], None] | None:
    """Return what expands a node; None for one that is a layer by itself."""
    return EXPANSIONS.get(type(node))


def expand_addition(parts: Parts, node: ir.Addition) -> None:
    """Expand a sum: smaller maps are repeated, one with a negative factor is reversed."""
    names = repeated_inputs(parts, node)
    negative = min(node.gains) < 0
    if names is None or (not negative and names == node.inputs):
        return
    names = tuple(
        parts.reversed(name) if gain < 0 else name
        for name, gain in zip(names, node.gains, strict=True)
    )
    one, other = node.gains
    parts.last(ir.Addition, *names, gains=(abs(one), abs(other)))


def expand_multiplication(parts: Parts, node: ir.Multiplication) -> None:
    """Expand a product: smaller maps are repeated, with a negative factor the first is reversed."""
    names = repeated_inputs(parts, node)
    if names is None or (node.gain >= 0 and names == node.inputs):
        return
    first, second = names
    first = parts.reversed(first) if node.gain < 0 else first
    parts.last(ir.Multiplication, first, second, gain=abs(node.gain))


def expand_negative(parts: Parts, node: ir.AveragePooling | ir.MatrixProduct) -> None:
    """Expand a negative factor: the first map is reversed."""
    if node.gain < 0:
        names = parts.reversed(node.inputs[0]), *node.inputs[1:]
        parts.nodes.append(replace(node, inputs=names, gain=-node.gain))


def expand_squares(parts: Parts, node: ir.SquaredDifference) -> None:
    """Expand the square of a difference: smaller maps are repeated."""
    names = repeated_inputs(parts, node)
    if names is not None and names != node.inputs:
        parts.last(ir.SquaredDifference, *names)


def repeated_inputs(
    parts: Parts, node: ir.Addition | ir.Multiplication | ir.SquaredDifference
) -> tuple[str, ...] | None:
    """Return the inputs of a node in the shape of its output; None if they do not fit it.

    A product with a value a channel needs none repeated.
    """
    target = parts.maps[node.output].shape
    shapes = [parts.maps[name].shape for name in node.inputs]
    if any(
        own not in (1, side) for shape in shapes for own, side in zip(shape, target, strict=True)
    ):
        return None
    kept = {target}
    if isinstance(node, ir.Multiplication) and target in shapes:
        kept.add((1, 1, target[2]))
    return tuple(
        name if shape in kept else repeated(parts, name, target)
        for name, shape in zip(node.inputs, shapes, strict=True)
    )


def repeated(parts: Parts, name: str, target: Shape) -> str:
    """Return a map whose one channel, row or column stands in each of the target's.

    A channel is read as often; along rows and columns a maximum over a window that has one pixel
    inside gives that pixel, and what is even is doubled.
    """
    source = parts.maps[name]
    if source.shape[2] < target[2]:
        shape = (*source.shape[:2], target[2])
        channels = (0,) * target[2]
        name = parts.add(ir.Selection, "channels", source.reshaped(shape), name, channels=channels)
    grown = [own < side for own, side in zip(source.shape[:2], target[:2], strict=True)]
    halves = [
        count_halves(side) if grows else 0 for grows, side in zip(grown, target, strict=False)
    ]
    now = list(source.shape[:2])
    ends = [
        side >> half if grows else side
        for side, half, grows in zip(target, halves, grown, strict=False)
    ]
    while now != ends:
        more = [min(MOST_ADDED, end - size) for size, end in zip(now, ends, strict=True)]
        now = [size + added for size, added in zip(now, more, strict=True)]
        output = source.reshaped((now[0], now[1], target[2]))
        name = parts.add(
            ir.MaxPooling,
            "pixels",
            output,
            name,
            kernel=(more[0] + 1, more[1] + 1),
            stride=(1, 1),
            padding=(more[0], more[1], more[0], more[1]),
        )
    while any(halves):
        steps = [min(MOST_DOUBLED, half) for half in halves]
        halves = [half - step for half, step in zip(halves, steps, strict=True)]
        now = [size << step for size, step in zip(now, steps, strict=True)]
        output = source.reshaped((now[0], now[1], target[2]))
        factor = (1 << steps[0], 1 << steps[1])
        name = parts.add(ir.Upsampling, "doubled", output, name, factor=factor, zeros=False)
    return name


def count_halves(side: int) -> int:
    """Return how often a number is even."""
    return (side & -side).bit_length() - 1


def expand_convolution(parts: Parts, node: ir.Convolution) -> None:
    """Expand padding that no window of a convolution holds: the rest stands around the map."""
    height, width = ir.window_of(node)
    most = (height - 1, width - 1, height - 1, width - 1)
    left = [max(0, side - limit) for side, limit in zip(node.padding, most, strict=True)]
    if not any(left) or min(height, width) < 1:
        return
    name = node.inputs[0]
    while any(left):
        sides = [min(MOST_PADDED, side) for side in left]
        left = [side - now for side, now in zip(left, sides, strict=True)]
        rows, columns, channels = parts.maps[name].shape
        top, before, bottom, behind = sides
        shape = (rows + top + bottom, columns + before + behind, channels)
        output = parts.maps[name].reshaped(shape)
        name = parts.add(ir.Padding, "padding", output, name, sides=tuple(sides))
    top, before, bottom, behind = (
        min(side, limit) for side, limit in zip(node.padding, most, strict=True)
    )
    padding = (top, before, bottom, behind)
    parts.nodes.append(replace(node, inputs=(name,), padding=padding))


def expand_slopes(parts: Parts, node: ir.Slopes) -> None:
    """Expand a slope a channel: what is above zero, plus what is below it times the slope.

    One of both is zero, so that each element is rounded once.
    """
    source, output = parts.maps[node.inputs[0]], parts.maps[node.output]
    channels = source.shape[2]
    if node.slopes.size not in (1, channels) or source.shape != output.shape:
        return
    above = replace(output, low=max(output.low, output.zero_point))
    below = replace(source, high=min(source.high, source.zero_point))
    factor = np.broadcast_to(node.slopes.reshape(-1), channels)
    kept = None if node.operand is None else replace(node.operand, results=unchanged)
    positive = parts.add(ir.Requantization, "above", above, *node.inputs, operand=kept)
    negative = parts.add(ir.Requantization, "below", below, *node.inputs)
    constants = {"factor": factor, "offset": np.zeros(channels), "operand": node.operand}
    bent = parts.add(ir.PerChannel, "slope", output, negative, **constants)
    parts.last(ir.Addition, positive, bent)


def expand_extremum(parts: Parts, node: ir.Extremum) -> None:
    """Expand a maximum: a + max(b - a, 0); a minimum: a - max(a - b, 0); both are exact."""
    output = parts.maps[node.output]
    if any(parts.maps[name].shape != output.shape for name in node.inputs):
        return
    whole = replace(output.unsigned, low=0, high=(1 << output.bits) - 1)
    names = list(in_numbers_of(parts, whole, node.inputs))
    first, second = names if node.least else names[::-1]
    above = replace(whole, zero_point=0)
    more = parts.add(ir.Addition, "more", above, first, parts.reversed(second))
    parts.last(ir.Addition, names[0], parts.reversed(more) if node.least else more)


def expand_choice(parts: Parts, node: ir.Choice) -> None:
    """Expand a choice of constants: the map times ones and zeros, plus the constants; exact.

    What is chosen below the range of the output is subtracted at once: the sum is clipped.
    """
    output = parts.maps[node.output]
    if parts.maps[node.inputs[0]].shape != output.shape or output.bits > BYTE_BITS:
        return
    whole = replace(output.unsigned, low=0, high=(1 << output.bits) - 1)
    (name,) = in_numbers_of(parts, whole, node.inputs)
    if node.gain != 1:
        name = parts.add(ir.Requantization, "operand", whole, *node.inputs, gain=node.gain)
    steps = np.rint(node.values.astype(np.float32) / np.float32(output.scale)) + whole.zero_point
    integers = steps.clip(0, whole.high).astype(np.int64)
    if not integers[node.chosen].any():
        lowest = replace(whole, zero_point=whole.high)
        added = np.where(node.chosen, 0, whole.high)
        parts.last(ir.Addition, name, parts.constant("lowest", lowest, added))
        return
    ones = replace(whole, scale=1.0, zero_point=0)
    kept = parts.constant("kept", ones, np.where(node.chosen, 0, 1))
    rest = parts.add(ir.Multiplication, "rest", whole, name, kept)
    chosen = np.where(node.chosen, integers, whole.zero_point)
    parts.last(ir.Addition, rest, parts.constant("chosen", whole, chosen))


def in_numbers_of(parts: Parts, target: QuantizedMap, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of maps with one quantization."""
    for place, name in enumerate(names):
        same = parts.maps[name].same_numbers == target.same_numbers
        yield name if same else parts.add(ir.Requantization, f"operand_{place}", target, name)


EXPANSIONS: Mapping[type[Any], Callable[[Parts, Any], None]] = {
    ir.Addition: expand_addition,
    ir.AveragePooling: expand_negative,
    ir.Border: expand_border,
    ir.Choice: expand_choice,
    ir.Convolution: expand_convolution,
    ir.MatrixProduct: expand_negative,
    ir.Multiplication: expand_multiplication,
    ir.Slopes: expand_slopes,
    ir.Extremum: expand_extremum,
    ir.SquaredDifference: expand_squares,
}
