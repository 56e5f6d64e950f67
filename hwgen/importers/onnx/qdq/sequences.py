"""Attention inside several sequences of one image: the patches of MobileViT.

A tensor (sequences, tokens, channels) has the pixels of its map in another order. What computes
each pixel alone runs on the map as it stands; only products of two maps, and the softmax between
them, run sequence by sequence, each on a map of its own.

Tests: `tests/importers/onnx/test_cases.py`.
"""

from dataclasses import replace

import numpy as np
import onnx

from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.nodes import MatrixProduct
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.joining import of_pixels
from hwgen.importers.onnx.qdq.state import Shape, State
from hwgen.importers.onnx.qdq.values import Operation, Real

MOST_SEQUENCES = 64
"""Of one image; each has layers of its own."""


def pixels_of(state: State, real: Real) -> Places | None:
    """Return the pixel that each vector of the last dimension is; None where these are in order.

    None also for vectors that are not all pixels of the map, each once, with all channels.
    """
    height, width, channels = state.shape_of(real)
    places = real.places
    if state.batch != 1 or places.shape[-1] != channels:
        return None
    pixels: Places = places[..., 0] // channels
    flat, whole = pixels.reshape(-1), np.arange(height * width)
    if np.array_equal(flat, whole) or not np.array_equal(np.sort(flat), whole):
        return None
    return pixels if np.array_equal(places, of_pixels(pixels, channels)) else None


def are_sequences(state: State, places: Places) -> bool:
    """Return whether a tensor of one image has several sequences in its first dimension."""
    return state.batch == 1 and len(places) > 1


def own_map(state: State, real: Real, reader: onnx.NodeProto) -> Real:
    """Return a tensor of some channels of a map as one of a map that has these alone."""
    whole = real.places.size == np.prod(state.shape_of(real))
    return real if whole else state.part(real, reader)


def sequence_map(state: State, real: Real, places: Places, reader: onnx.NodeProto) -> str:
    """Return the map of one sequence, whose places are (tokens, heads, channels)."""
    parts = state.stacked.get(str(real.base), ())
    if parts:
        size = int(np.prod(state.shape_of(real))) // len(parts)
        first = int(places.min()) // size
        if int(places.max()) // size == first:
            real, places = replace(real, base=parts[first]), places - first * size
    shape = state.shape_of(real)
    pixels = places[:, 0, 0] // shape[2]
    rows, columns = len(np.unique(pixels // shape[1])), len(np.unique(pixels % shape[1]))
    sides = (rows, columns) if rows * columns == len(pixels) else (len(pixels), 1)
    placed = places.reshape(1, *sides, -1)
    return state.arranged(replace(real, places=placed), reader)


def product_of_sequences(state: State, proto: onnx.NodeProto, one: Real, other: Real) -> Real:
    """Return the product of two maps, each (sequences, heads, rows, columns) or without heads."""
    one, other = own_map(state, one, proto), own_map(state, other, proto)
    shape = one.shape
    first, second = (
        each.places.reshape(len(each.places), -1, *each.places.shape[-2:]) for each in (one, other)
    )
    count, heads, rows, _ = first.shape
    columns = second.shape[3]
    if count > MOST_SEQUENCES:
        raise RefusedError("its sequences", f"at most {MOST_SEQUENCES}", count)
    channels = state.shape_of(other)[2]
    scores, values = second.transpose(0, 3, 1, 2), second.transpose(0, 2, 1, 3)
    pixels = scores // channels
    transposed = bool((pixels == pixels[:, :, :1, :1]).all())
    read = scores if transposed else values
    names = tuple(
        (
            sequence_map(state, one, first[each].transpose(1, 0, 2), proto),
            sequence_map(state, other, read[each], proto),
        )
        for each in range(count)
    )
    height, width, _ = state.maps[names[0][0]].shape
    made: Shape = (count * height, width, heads * columns)
    pixels, order = np.arange(count * rows).reshape(count, rows), None
    origin = values[:, :, 0, 0] // channels
    sides = state.shape_of(other)[:2]
    if not transposed and np.array_equal(np.sort(origin, None), np.arange(np.prod(sides))):
        # The tokens of the result return to the pixels that the values have.
        pixels, order, made = origin, origin, (*sides, heads * columns)
    operation = Operation(
        kind=MatrixProduct,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=names[0],
        tensor=proto.output[0],
        shape=made,
        keys={"groups": heads, "transposed": transposed},
        sequences=names,
        order=order,
    )
    places = of_pixels(pixels, heads * columns).reshape(count, rows, heads, columns)
    return Real(base=operation, places=places.transpose(0, 2, 1, 3).reshape(*shape[:-1], columns))
