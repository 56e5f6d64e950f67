"""The maps of several sequences of one image, joined.

Tests: `tests/importers/onnx/test_cases.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.importers.integer import Node, QuantizedMap
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.maps import Shape
from hwgen.importers.integer.moves import Places, moving_nodes
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.qdq.values import Operation

MOST_PIXELS = 256
"""Of sequences that are joined in another order: the map of ones has their square of elements."""
AT_STEPS = "of the pixels at one place of their patches, as in MobileViT"


def of_pixels(pixels: Places, channels: int) -> Places:
    """Return the places of all channels of pixels, in a last dimension."""
    places: Places = pixels[..., np.newaxis] * channels + np.arange(channels)
    return places


def nodes_of_sequences(
    base: Operation, node: Node, maps: Mapping[str, QuantizedMap], shape: Shape
) -> tuple[list[tuple[Node, Shape]], list[tuple[Node, Shape]]]:
    """Return a node for each sequence, and those that make one map of theirs, with their shapes.

    node: of the first sequence, with the output that the last of these nodes writes
    shape: of this output
    """
    channels, name = shape[2], node.output
    parts: list[tuple[Node, Shape]] = []
    for count, inputs in enumerate(base.sequences):
        height, width, _ = maps[inputs[0]].shape
        part = replace(node, inputs=inputs, output=f"{name}/{count}")
        parts.append((part, (height, width, channels)))
    names = tuple(part.output for part, _ in parts)
    if base.order is None:
        joined = ir.Stacking(name=base.name, operator=base.operator, inputs=names, output=name)
        return parts, [(joined, shape)]
    height, width, _ = parts[0][1]
    beside = (height, width, len(parts) * channels)
    source = f"{name}/beside"
    side = ir.Concatenation(name=base.name, operator=base.operator, inputs=names, output=source)
    tokens = np.arange(height * width) * len(parts) + np.arange(len(parts))[:, np.newaxis]
    places = np.empty((tokens.size, channels), np.int64)
    places[base.order] = of_pixels(tokens, channels)
    try:
        moved = moving_nodes(
            places.reshape(shape),
            source=source,
            shape=beside,
            output=name,
            name=base.name,
            operator=base.operator,
        )
    except RefusedError:
        stacked = (len(parts) * height, width, channels)
        return parts, in_another_order(base, names, name, stacked, shape)
    return parts, [(side, beside), *moved]


def in_another_order(
    base: Operation, names: tuple[str, ...], name: str, stacked: Shape, shape: Shape
) -> list[tuple[Node, Shape]]:
    """Return the nodes that make one map of sequences whose pixels lie anywhere: of windows.

    stacked: shape of all of them, one behind the other; shape: of the result
    A row of a constant map of ones and zeros, times all pixels, is one of them, exactly.
    """
    assert base.order is not None
    count = base.order.size
    if count > MOST_PIXELS:
        given = f"others, such as windows, {count} in all"
        allowed = f"at most {MOST_PIXELS} in all, or {AT_STEPS}"
        raise RefusedError("the pixels of its sequences", allowed, given).of(
            base.name, base.operator
        )
    about: dict[str, Any] = {"name": base.name, "operator": base.operator}
    joined, ones = f"{name}/joined", f"{name}/ones"
    chosen = np.zeros((count, count), np.uint8)
    chosen[base.order.reshape(-1), np.arange(count)] = 1
    integers = chosen.reshape(*shape[:2], count)
    return [
        (ir.Stacking(**about, inputs=names, output=joined), stacked),
        (ir.ConstantMap(**about, inputs=(), output=ones, integers=integers), integers.shape),
        (
            ir.MatrixProduct(
                **about, inputs=(ones, joined), output=name, groups=1, transposed=False
            ),
            shape,
        ),
    ]
