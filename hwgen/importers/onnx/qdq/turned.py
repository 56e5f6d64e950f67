"""Channels of one map in another order, some negated: the turned halves of a rotary embedding.

A file cuts a map into parts, negates some and joins them: (x1, x2) becomes (-x2, x1). That is a
convolution of 1 x 1 whose filters have one weight each, 1 or -1.

Tests: `tests/importers/onnx/test_turned.py`.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer.moves import ZERO
from hwgen.importers.integer.nodes import NO_PADDING, Convolution
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.functions import function_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real, Value
from hwgen.importers.onnx.qdq.weights import Stored

PIXELWISE = "the same channels of every pixel, each pixel as often"


def signs_of(state: State, inputs: Sequence[Value | None]) -> list[int] | None:
    """Return the sign of each part of one map; None of other inputs, and where none is negated."""
    signs = []
    for each in inputs:
        if not isinstance(each, Real) or each.integer or isinstance(each.base, Operation):
            return None
        signs.append(sign_of(state, each, each.base))
    one_map = len({each.base for each in inputs if isinstance(each, Real)}) == 1
    return signs if one_map and 0 not in signs and -1 in signs else None


def sign_of(state: State, real: Real, base: str) -> int:
    """Return 1 of a part of a map, -1 of one that is negated, 0 of another function of one.

    What becomes of each number of the map is all that a function does.
    """
    if real.plain:
        return 1
    if real.function is None:
        return 0
    values = state.maps[base]
    steps = np.arange(values.low, values.high + 1, dtype=np.float64) - values.zero_point
    numbers = steps * values.scale
    return -1 if np.array_equal(function_of(real)(numbers), -numbers) else 0


def turned(
    state: State, proto: onnx.NodeProto, parts: Sequence[Real], signs: Sequence[int]
) -> Real:
    """Return the parts of one map, joined, as the result of a convolution."""
    axis = int(attributes_of(proto).get("axis", 0))
    places = np.concatenate([each.places for each in parts], axis=axis)
    negated = [np.full(each.shape, sign) for each, sign in zip(parts, signs, strict=True)]
    sign = np.concatenate(negated, axis=axis)
    base = str(parts[0].base)
    height, width, channels = state.maps[base].shape
    first = state.first_of(state.by_images(places), (height, width, channels)).reshape(-1)
    sign = state.by_images(sign)[0].reshape(-1)
    pixels = height * width
    # Elements of a pixel keep the order that they have in the tensor.
    order = np.argsort(first // channels, kind="stable")
    counts = np.bincount(np.where(first == ZERO, 0, first) // channels, minlength=pixels)
    if (first == ZERO).any() or len(set(counts.tolist())) != 1:
        raise RefusedError("what it joins", PIXELWISE, "others")
    chosen = (first[order] % channels).reshape(pixels, -1)
    weights = sign[order].reshape(pixels, -1)
    if (chosen != chosen[0]).any() or (weights != weights[0]).any():
        raise RefusedError("what it joins", PIXELWISE, "others")
    made = np.empty_like(first)
    made[order] = np.arange(first.size)
    images = np.arange(state.batch)[:, np.newaxis] * first.size
    operation = Operation(
        kind=Convolution,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(base,),
        tensor=proto.output[0],
        shape=(height, width, chosen.shape[1]),
        keys={
            "stored": stored_signs(chosen[0], weights[0], channels),
            "stride": (1, 1),
            "padding": NO_PADDING,
            "turns": True,
        },
    )
    return Real(base=operation, places=(made + images).reshape(places.shape))


def stored_signs(chosen: NDArray[np.int64], signs: NDArray[np.int64], channels: int) -> Stored:
    """Return filters of 1 x 1 that have one weight each, 1 or -1."""
    count = len(chosen)
    kernel = np.zeros((count, 1, 1, channels), np.int64)
    kernel[np.arange(count), 0, 0, chosen] = signs
    return Stored(
        integers=kernel,
        scales=np.ones(count),
        zero_points=np.zeros(count, np.int64),
        bits=8,
        bias=np.zeros(count),
    )
