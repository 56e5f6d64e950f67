"""How the axes of an image in a file become rows, columns and channels of a map.

An image of rank 4 has channels first, or last where the file turns it before all else. Of an image
of rank 3 the readers say what is what: what computes each entry of its second axis alone reads
tokens, which are pixels; convolutions over steps read channels there, and so does what picks steps
alone, such as recurrent cells.

Tests: `tests/importers/onnx/test_layout.py`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import onnx

from hwgen.importers.onnx.qdq.functions import FUNCTIONS
from hwgen.importers.onnx.qdq.raw_image import PREPROCESSING
from hwgen.importers.onnx.qdq.values import Layout
from hwgen.importers.onnx.read import Opened
from hwgen.importers.onnx.shapes import shapes_of

TOKENS, CHANNELS = 1, 2
"""Axes of an image (batch, tokens, channels)."""
KEPT = frozenset(
    {"Add", "Cast", "Clip", "DequantizeLinear", "Div", "Dropout", "Identity", "Max", "Min", "Mul",
     "Pow", "QuantizeLinear", "Reciprocal", "Relu", "Sqrt", "Sub", "Where", *FUNCTIONS}
)  # fmt: skip
"""Operators that compute each element alone."""
REDUCING = frozenset({"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"})
"""Operators that leave a side of 1, as norms that are written out have them."""
OF_CHANNELS = frozenset(
    {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "GlobalAveragePool",
     "GlobalMaxPool", "InstanceNormalization", "MaxPool"}
)  # fmt: skip
"""Operators whose second axis is that of the channels."""
OF_THE_LAST = frozenset({"LayerNormalization", "RMSNormalization", "Softmax"})
"""Operators that read the last axis whole, unless they name another."""
PICKING = frozenset({"Gather", "Slice", "Split"})
RESHAPING = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})


@dataclass(frozen=True)
class Axes:
    """Where tokens and channels are among the axes of a tensor; rank: of that tensor."""

    tokens: int
    channels: int
    rank: int

    def summed(self, axis: int) -> Layout | None:
        """Return what a reader says that reads an axis whole; None where it is neither."""
        axis %= self.rank
        return "tokens" if axis == self.channels else "planes" if axis == self.tokens else None


def layout_of(model: Opened, source: str) -> Layout:
    """Return how the axes of the image of a model are read."""
    graph, image = model.slim.graph, model.image.name
    if len(model.sides) != 3:
        return "rows" if is_rows_first(graph, image) else "planes"
    said = set(verdicts(model, source))
    return "tokens" if said == {"tokens"} else "planes"


def image_shape(sides: Sequence[int], layout: Layout) -> tuple[int, int, int]:
    """Return rows, columns and channels of an image; sides: of rank 2 to 4, the batch included."""
    if layout == "rows":
        return sides[1], sides[2], sides[3]
    if layout == "tokens":
        return sides[1], 1, sides[2]
    channels, rows, columns = (*sides[1:], 1, 1)[:3]
    return rows, columns, channels


def said_of_tokens(name: str, sides: Sequence[int]) -> str:
    """Return the sentence that says how an image of tokens is read."""
    _, tokens, channels = sides
    return (
        f"the tokens of the input {name} are the pixels of the image, {tokens} rows of one pixel of"
        f" {channels} channels"
    )


def is_rows_first(graph: onnx.GraphProto, image: str) -> bool:
    """Return whether an image of rank 4 has channels last: a Transpose is its first reader."""
    carried = {image}
    for node in graph.node:
        if carried.isdisjoint(node.input):
            continue
        if node.op_type == "Transpose":
            return ints(node, "perm") == [0, 3, 1, 2]
        passing = {"QuantizeLinear", "DequantizeLinear", "Identity", *PREPROCESSING}
        if node.op_type in passing:
            carried.update(node.output)
    return False


def verdicts(model: Opened, source: str) -> Iterator[Layout]:
    """Yield what each reader of an image of rank 3 says of its axes."""
    known = shapes_of(model.slim, source).known
    axes, behind = {model.image.name: Axes(TOKENS, CHANNELS, 3)}, {model.image.name}
    for node in model.slim.graph.node:
        maps = behind.intersection(node.input)
        behind.update(node.output if maps else ())
        for place, name in enumerate(node.input):
            if name not in axes:
                continue
            said = verdict(node, place, axes[name])
            if said is not None:
                yield said
            elif maps <= axes.keys():
                moved = moved_axes(node, axes[name], known.get(name), known)
                axes |= dict.fromkeys(node.output, moved) if moved else {}


def verdict(node: onnx.NodeProto, place: int, axes: Axes) -> Layout | None:
    """Return what a reader says of the axes of a tensor that it has at a place; None: nothing."""
    kind = node.op_type
    if kind in OF_CHANNELS and place == 0:
        return axes.summed(1)
    if kind in OF_THE_LAST and place == 0:
        return axes.summed(first_axis(node, -1))
    if kind == "MatMul" or (kind == "Gemm" and place < 2):
        turned = bool(first(node, "transA" if place == 0 else "transB", 0))
        return axes.summed(-1 if (place == 0) != turned else -2)
    return None


def moved_axes(
    node: onnx.NodeProto,
    axes: Axes,
    before: Sequence[int] | None,
    known: Mapping[str, Sequence[int]],
) -> Axes | None:
    """Return where the axes are in what a node writes; None where they are lost."""
    if node.op_type in PICKING:
        return axes if first_axis(node, 0) % axes.rank == axes.channels else None
    if node.op_type in KEPT or (node.op_type in REDUCING and first(node, "keepdims", 1)):
        return axes
    if node.op_type == "Transpose":
        order = ints(node, "perm") or list(range(axes.rank))[::-1]
        return Axes(order.index(axes.tokens), order.index(axes.channels), axes.rank)
    after = known.get(node.output[0])
    if node.op_type not in RESHAPING or before is None or after is None:
        return None
    tokens, channels = (same_axis(before, each, after) for each in (axes.tokens, axes.channels))
    return None if tokens is None or channels is None else Axes(tokens, channels, len(after))


def same_axis(before: Sequence[int], axis: int, after: Sequence[int]) -> int | None:
    """Return the axis of another shape of the same elements that is one of a shape; None: lost."""
    in_front = math.prod(before[:axis])
    alike = (
        place
        for place, side in enumerate(after)
        if side == before[axis] and math.prod(after[:place]) == in_front
    )
    return next(alike, None)


def first_axis(node: onnx.NodeProto, default: int) -> int:
    """Return the axis that a node names, by whichever of its names."""
    return first(node, "axis", default)


def first(node: onnx.NodeProto, name: str, default: int) -> int:
    """Return an integer attribute of a node."""
    return next((int(each.i) for each in node.attribute if each.name == name), default)


def ints(node: onnx.NodeProto, name: str) -> list[int]:
    """Return a list of integers that is an attribute of a node; empty where it has none."""
    return next((list(each.ints) for each in node.attribute if each.name == name), [])
