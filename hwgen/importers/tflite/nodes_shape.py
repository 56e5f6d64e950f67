"""Read operators that move elements: Reshape, Pad, Concatenation, Split, and heads."""

import math

import numpy as np

from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import Concatenation, Head, Node, Padding, Selection, View
from hwgen.importers.tflite.node import NodeRefusalError, Reading, map_shape

Read = tuple[list[Node], list[QuantizedMap]]
PAD_VALUE = 2
"""Place of the value of PADV2."""


def reshape(reading: Reading) -> Read:
    """Read a new shape with the same order of elements."""
    source, output = reading.map(0), reading.written()
    if math.prod(source.shape) != math.prod(output.shape):
        given = math.prod(output.shape)
        raise NodeRefusalError("its output", f"of {math.prod(source.shape)} elements", given)
    return [View(**reading.base())], [output]


def pad(reading: Reading) -> Read:
    """Read rows, columns and channels of real zeros around a map."""
    source, output = reading.map(0), reading.written()
    rank = len(reading.tensor(0).shape)
    sides = reading.integers(1, "its padding")
    if sides.shape != (rank, 2) or rank < 2 or sides[0].any():
        raise NodeRefusalError("its padding", f"{rank} x 2, none of images", sides.tolist())
    if reading.number(PAD_VALUE) is not None:
        value = reading.constant(PAD_VALUE, "its value").reshape(-1)
        if value.tolist() != [source.zero_point]:
            raise NodeRefusalError(
                "its value", f"the zero point ({source.zero_point})", value.tolist()
            )
    spatial = np.zeros((2, 2), np.int64)
    spatial[: rank - 2] = sides[1:-1]
    (top, bottom), (left, right) = spatial.tolist()
    front, behind = sides[-1].tolist()
    node = Padding(sides=(top, left, bottom, right), channels=(front, behind), **reading.base())
    return [node], [output]


def concatenation(reading: Reading) -> Read:
    """Read a concatenation by channels."""
    rank = len(reading.outputs[0].shape)
    axis = int(reading.option("Axis"))
    if rank < 2 or axis % rank != rank - 1:
        raise NodeRefusalError("its axis", f"the channels ({rank - 1})", axis)
    places = range(len(reading.operator.inputs))
    if not all(reading.is_computed(place) for place in places) or len(places) < 2:
        raise NodeRefusalError("its inputs", "two maps or more", "a constant or one")
    for place in places:
        reading.map(place)
    return [Concatenation(**reading.base())], [reading.activated(reading.written())]


def split(reading: Reading) -> Read:
    """Read a split of the channels in equal parts: a selection for each."""
    source = reading.map(1)
    axis = int(reading.integers(0, "its axis").reshape(-1)[0])
    rank = len(reading.tensor(1).shape)
    if axis % rank != rank - 1:
        raise NodeRefusalError("its axis", f"the channels ({rank - 1})", axis)
    count = len(reading.outputs)
    each, rest = divmod(source.shape[2], count)
    if rest:
        raise NodeRefusalError("its parts", f"a divisor of {source.shape[2]} channels", count)
    base = reading.base()
    nodes: list[Node] = [
        Selection(
            **{**base, "name": f"{reading.name}_{part}", "output": tensor.name},
            channels=tuple(range(part * each, (part + 1) * each)),
        )
        for part, tensor in enumerate(reading.outputs)
    ]
    return nodes, [reading.written(part) for part in range(count)]


def head(reading: Reading) -> Read:
    """Read a Softmax; over the channels of the answer it keeps their order."""
    source = reading.map(0)
    shape = map_shape(reading.outputs[0].shape)
    if shape != source.shape:
        raise NodeRefusalError("its output", f"of shape {source.shape}", reading.outputs[0].shape)
    return [Head(**reading.base())], [source]


def dequantize(reading: Reading) -> Read:
    """Read the step from integers to real numbers behind the answer."""
    return [Head(**reading.base())], [reading.map(0)]
