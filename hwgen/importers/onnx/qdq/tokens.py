"""Nodes of transformers: tokens are pixels, heads are groups of channels.

What a file writes as transpositions, reshapes and splits of heads are places of elements.

Tests: `tests/importers/onnx/test_transformers.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.refused import RefusedError, advice
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.masks import fall_of
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.rearrange import head
from hwgen.importers.onnx.qdq.sequences import (
    are_sequences,
    pixels_of,
    product_of_sequences,
    sequence_map,
)
from hwgen.importers.onnx.qdq.state import State, gained
from hwgen.importers.onnx.qdq.values import Constant, Numbers, Operation, Real, Value
from hwgen.importers.onnx.qdq.windows import constant_operand, map_operand, transposed
from hwgen.importers.onnx.qdq.windows import matmul as weighted_product

Arrange = Callable[[NDArray[Any]], NDArray[Any]]
"""Takes a constant as the file has it; gives its rows, columns and channels."""
MUCH_LOWER = 2
"""Times a mask may be as low as needed before it is named: half of the integers are left, then."""
HEADS_RANK = 4
"""Of a tensor (batch, heads, tokens, channels)."""
EPSILON = 1e-5
"""What a LayerNormalization adds to a variance where the file does not say."""


def matmul(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a MatMul: of a map with constant weights, or of two maps."""
    if isinstance(inputs[0], Constant) and isinstance(inputs[1], Real):
        if inputs[0].array.ndim == len(inputs[1].shape) == HEADS_RANK:
            queries = constant_heads(state, proto.input[0], inputs[0])
            return [map_product(state, proto, queries, inputs[1])]
        return [mixed(state, proto, inputs[0], inputs[1])]
    if any(isinstance(each, Constant | None) for each in inputs):
        return weighted_product(state, proto, inputs)
    one, other = map_operand(inputs[0]), map_operand(inputs[1])
    return [map_product(state, proto, one, other)]


def mixed(state: State, proto: onnx.NodeProto, matrix: Constant, real: Real) -> Real:
    """Return a constant matrix times a map: its tokens are mixed, as those of turned images are."""
    (made,) = weighted_product(state, proto, [with_sides_turned(real), transposed(matrix)])
    assert isinstance(made, Real)
    return with_sides_turned(made)


def map_product(state: State, proto: onnx.NodeProto, one: Real, other: Real) -> Real:
    """Return the product of two maps, (batch, heads, rows, columns) or without heads."""
    if len(one.shape) != len(other.shape) or not 3 <= len(one.shape) <= 4:
        given = f"{list(one.shape)} and {list(other.shape)}"
        raise RefusedError("its inputs", "of rank 3 or 4, both", given)
    one, other = state.settled(one, proto), state.settled(other, proto)
    first, second = with_heads(one.places), with_heads(other.places)
    heads, columns = first.shape[1], second.shape[3]
    alike = first.shape[:2] == second.shape[:2] and first.shape[3] == second.shape[2]
    if alike and are_sequences(state, first):
        return product_of_sequences(state, proto, one, other)
    if not alike:
        given = f"{list(one.shape)} and {list(other.shape)}"
        raise RefusedError("its inputs", "of one batch, heads and sum", given)
    rows, scores = first.transpose(0, 2, 1, 3), second.transpose(0, 3, 1, 2)
    if not in_lines(state, one, rows) and in_lines(state, other, scores):
        # Channels of values times shares of tokens, as YOLO has it: (A B)^T = B^T A^T.
        exchanged = with_sides_turned(other), with_sides_turned(one)
        return with_sides_turned(map_product(state, proto, *exchanged))
    # The second map has what is summed in its channels (scores), or in its pixels (values).
    values = second.transpose(0, 2, 1, 3)
    transposed = in_lines(state, other, scores) or not in_lines(state, other, values)
    names = (
        tokens(state, one, rows, proto),
        tokens(state, other, scores if transposed else values, proto),
    )
    height, width, _ = state.maps[names[0]].shape
    operation = Operation(
        kind=ir.MatrixProduct,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=names,
        tensor=proto.output[0],
        shape=(height, width, heads * columns),
        keys={"groups": heads, "transposed": transposed},
    )
    made = state.places(operation.shape).reshape(state.batch, -1, heads, columns)
    places = made.transpose(0, 2, 1, 3)
    return Real(base=operation, places=places.reshape(*one.shape[:-1], columns))


def with_sides_turned(real: Real) -> Real:
    """Return the tensor with rows and columns of its matrices exchanged."""
    return replace(real, places=real.places.swapaxes(-1, -2))


def with_heads(places: Places) -> Places:
    """Return places as (batch, heads, rows, columns)."""
    return places if places.ndim == 4 else places[:, np.newaxis]


def in_pixels(state: State, real: Real, places: Places) -> Places:
    """Return places (batch, tokens, heads, channels) as rows, columns, channels of their map."""
    batch, count, heads, channels = places.shape
    height, width, _ = state.shape_of(real)
    sides = (height, width) if height * width == count else (count, 1)
    return places.reshape(batch, *sides, heads * channels)


def in_lines(state: State, real: Real, places: Places) -> bool:
    """Return whether tokens and channels of a tensor are pixels and channels of its map."""
    return state.in_lines(real, in_pixels(state, real, places))


def tokens(state: State, real: Real, places: Places, reader: onnx.NodeProto) -> str:
    """Return the map whose pixels and channels are (batch, tokens, heads, channels)."""
    return state.arranged(replace(real, places=in_pixels(state, real, places)), reader)


def softmax(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Softmax: over the channels of each head; at the end of a network it is dropped."""
    real = map_operand(inputs[0])
    rank = len(real.shape)
    axis = int(attributes_of(proto).get("axis", -1)) % max(1, rank)
    if isinstance(real.base, Operation) or axis == 0 or not 2 <= rank <= 4:
        return at_the_end(state, proto, inputs, axis)
    real = state.settled(real, proto)
    last = np.moveaxis(real.places, axis, -1)
    if rank == 4 and axis == 1:
        last = last.reshape(len(last), -1, last.shape[-1])
    ordered = with_heads(last if rank > 2 else last[:, np.newaxis]).transpose(0, 2, 1, 3)
    if str(real.base) in state.stacked and are_sequences(state, ordered):
        return [softmax_of_sequences(state, proto, real, ordered, axis)]
    each = ordered.shape
    if are_sequences(state, ordered):
        ordered = ordered.reshape(1, -1, *each[2:])
    whole = ordered.shape[1] == 1 and in_sequence(ordered)
    if not whole and not in_lines(state, real, ordered):
        return at_the_end(state, proto, inputs, axis)
    source = tokens(state, real, ordered, proto)
    name_mask(state, str(real.base), node_name(proto), keys=ordered.shape[3])
    operation = Operation(
        kind=ir.SoftmaxOfGroups,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=state.maps[source].shape,
        keys={"groups": ordered.shape[2], "causal": is_causal(state, proto, ordered, axis, rank)},
    )
    made = state.places(operation.shape).reshape(each).transpose(0, 2, 1, 3)
    sides = np.moveaxis(real.places, axis, -1).shape
    return [Real(base=operation, places=np.moveaxis(made.reshape(sides), -1, axis))]


def at_the_end(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None], axis: int
) -> list[Value]:
    """Read a Softmax as the head that it must be where its axis is none of channels."""
    if proto.output[0] not in state.endings:
        shape = list(map_operand(inputs[0]).shape)
        allowed = (
            "that of the channels of pixels, tokens or heads, in front of other layers: a Transpose"
            " before and behind it makes another axis the last"
        )
        raise RefusedError("its axis", allowed, f"{axis} of {shape}")
    return head(state, proto, inputs)


def is_causal(state: State, proto: onnx.NodeProto, ordered: Places, axis: int, rank: int) -> bool:
    """Return whether a causal mask stood in front of a Softmax; one of other sides is refused.

    ordered: (batch, tokens, heads, channels)
    """
    if proto.output[0] not in state.causal:
        return False
    if axis != rank - 1 or ordered.shape[1] != ordered.shape[3]:
        allowed = "of as many keys as tokens, in its last axis, behind a causal mask"
        raise RefusedError("its scores", allowed, list(ordered.shape))
    return True


def name_mask(state: State, base: str, softmax: str, *, keys: int) -> None:
    """Say how few integers the scores in front of a Softmax have if a mask is lower than needed."""
    writers = {node.output: node for node in state.nodes}
    node = writers.get(base)
    if isinstance(node, ir.Choice):
        (source,), lowest = node.inputs, float(node.values[node.chosen].min(initial=0))
    elif isinstance(node, ir.Addition):
        masks = [name for name in node.inputs if isinstance(writers.get(name), ir.ConstantMap)]
        source = next((name for name in node.inputs if name not in masks), "")
        if len(masks) != 1 or not source:
            return
        mask = writers[masks[0]]
        assert isinstance(mask, ir.ConstantMap)
        values = state.maps[masks[0]]
        lowest = (float(mask.integers.min()) - values.zero_point) * values.scale
    else:
        return
    low, high = state.maps[source].real_range
    if lowest < -MUCH_LOWER * fall_of(low, high, keys=keys):
        left = int(min((high - low) / state.maps[base].scale, 255)) + 1
        state.remarks.append(
            f"the mask at node {node.name}, {lowest:.6g} in front of {softmax}, leaves {left} of"
            " 256 integers to the scores"
            + advice(": the float file with --calibrate has it bounded")
        )


def softmax_of_sequences(
    state: State, proto: onnx.NodeProto, real: Real, ordered: Places, axis: int
) -> Real:
    """Return the softmax of each sequence; ordered: (sequences, tokens, heads, channels)."""
    sources = tuple((sequence_map(state, real, each, proto),) for each in ordered)
    operation = Operation(
        kind=ir.SoftmaxOfGroups,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=sources[0],
        tensor=proto.output[0],
        shape=state.shape_of(real),
        keys={
            "groups": ordered.shape[2],
            "causal": is_causal(state, proto, ordered, axis, len(real.shape)),
        },
        sequences=sources,
    )
    made = state.places(operation.shape).reshape(ordered.shape).transpose(0, 2, 1, 3)
    last = [*real.shape[:axis], *real.shape[axis + 1 :], real.shape[axis]]
    return Real(base=operation, places=np.moveaxis(made.reshape(last), -1, axis))


def in_sequence(places: Places) -> bool:
    """Return whether places are those of a whole map in order, of any shape."""
    return np.array_equal(places.reshape(-1), np.arange(places.size))


def layer_normalization(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None]
) -> list[Value]:
    """Read a LayerNormalization, or a norm without a mean, over the last dimension."""
    real = state.settled(map_operand(inputs[0]), proto)
    rank, attributes = len(real.shape), attributes_of(proto)
    axis = int(attributes.get("axis", -1)) % rank
    if axis != rank - 1 or rank < 2:
        raise RefusedError("its axis", "the last", axis)
    width = real.shape[-1]
    gamma = numbers_of_width(constant_operand(inputs[1], "its scale"), width, 1.0)
    bias = constant_operand(inputs[2], "its bias") if len(inputs) > 2 else None
    pixels = pixels_of(state, real)
    rows = real.places.reshape(state.batch, -1, width)
    # Each row is normed alone, so they are taken in the order of their map, head by head.
    order = np.argsort(rows[0, :, 0], kind="stable")
    if pixels is None:
        heads = rows_of_pixel(rows[0, order], state.shape_of(real)[2])
        ordered = rows[:, order].reshape(state.batch, -1, heads, width)
        source = tokens(state, real, ordered, proto)
    else:
        source = str(real.base)
    operation = Operation(
        kind=ir.LayerNormalization,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=state.maps[source].shape,
        keys={
            "eps": np.float32(attributes.get("epsilon", EPSILON)),
            "gamma": gamma,
            "beta": numbers_of_width(bias, width, 0.0),
            "centred": proto.op_type == "LayerNormalization",
        },
    )
    if pixels is not None:
        return [Real(base=operation, places=real.places)]
    made = state.places(operation.shape).reshape(state.batch, -1, width)
    return [Real(base=operation, places=made[:, np.argsort(order)].reshape(real.shape))]


def rows_of_pixel(rows: Places, channels: int) -> int:
    """Return how many rows lie in each pixel of a map; 1 where some lie in no pixel, or in several.

    rows: (rows, width), in the order of their first elements; channels: of a pixel
    """
    first, last = rows.min(axis=1) // channels, rows.max(axis=1) // channels
    counts = np.unique(first, return_counts=True)[1]
    whole = first[0] >= 0 and (first == last).all() and (counts == counts[0]).all()
    return int(counts[0]) if whole else 1


def numbers_of_width(given: Constant | None, width: int, default: float) -> Any:
    """Return a constant of a norm, (width,) float32."""
    if given is None:
        return np.full(width, default, np.float32)
    if given.array.size != width or not np.isfinite(given.array).all():
        raise RefusedError("its constants", f"{width} finite numbers", given.array.size)
    return given.array.reshape(-1).astype(np.float32)


def constant_like(state: State, name: str, given: Constant, like: Real) -> Real:
    """Return a constant as a map with the pixels of another: position embeddings.

    like: a tensor (batch, ...); the constant may have a batch of one
    """
    made = constant_map(state, name, given, arrangement(state, like, given.array.shape))
    return Real(base=made, places=like.places)


def arrangement(state: State, like: Real, *shapes: tuple[int, ...]) -> Arrange:
    """Return what arranges constants of some shapes as the map of a tensor (batch, ...).

    Of one image the first side is no batch: it may be that of sequences, such as windows.
    """
    one = state.batch == 1
    shape = like.shape if one else (1, *like.shape[1:])
    if np.broadcast_shapes(*shapes, shape) != shape:
        allowed = f"of a shape that fits {list(like.shape)}"
        raise RefusedError("its constant", allowed, list(shapes[-1]))
    sides = state.shape_of(like)
    first = (like.places if one else state.first_of(like.places, sides)).reshape(-1)
    if not np.array_equal(np.sort(first), np.arange(np.prod(sides))):
        raise RefusedError("its input", "a whole map beside a constant", "a part of one")
    order = np.empty_like(first)
    order[first] = np.arange(len(first))
    return lambda each: np.broadcast_to(each, shape).reshape(-1)[order].reshape(sides)


def where(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Where: constants in some places of a map."""
    condition, *others = inputs
    reals = [each for each in others if isinstance(each, Real)]
    given = [each for each in others if isinstance(each, Constant)]
    if not isinstance(condition, Constant) or len(reals) != 1 or len(given) != 1:
        allowed = "a constant condition, a map and a constant"
        raise RefusedError("its inputs", allowed, "others: a mask that depends on the image")
    gain, real = gained(reals[0])
    real = state.settled(real, proto)
    chosen = condition.array.astype(bool)
    chosen = chosen if isinstance(others[0], Constant) else ~chosen
    arrays = (chosen, given[0].array.astype(np.float64))
    arranged = arrangement(state, real, *(each.shape for each in arrays))
    operation = Operation(
        kind=ir.Choice,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(str(real.base),),
        tensor=proto.output[0],
        shape=state.shape_of(real),
        keys={"chosen": arranged(chosen), "values": arranged(arrays[1]), "gain": gain},
    )
    return [Real(base=operation, places=real.places)]


def constant_tokens(state: State, name: str, given: Constant) -> Real:
    """Return a constant (1 or batch, tokens, channels) as a map: a class token."""
    if given.array.ndim != 3 or not (given.array == given.array[:1]).all():
        allowed = "(1, tokens, channels)"
        raise RefusedError("its constant", allowed, list(given.array.shape))
    _, count, channels = given.array.shape
    sides = (count, 1, channels)
    made = constant_map(state, name, given, lambda each: each[0].reshape(sides))
    return Real(base=made, places=state.places(sides)[:, :, 0])


def constant_heads(state: State, name: str, given: Constant) -> Real:
    """Return a constant (1, heads, tokens, channels) as a map: queries that are learned."""
    array = given.array
    if not (array == array[:1]).all():
        raise RefusedError("its constant", "(1, heads, tokens, channels)", list(array.shape))
    if given.grid is not None and np.unique(given.grid.scales).size != 1:
        allowed = f"quantized with one scale{advice(': import the float file with --calibrate')}"
        raise RefusedError("its constant", allowed, "a scale a head")
    _, heads, count, channels = array.shape
    sides = (count, 1, heads * channels)
    made = constant_map(state, name, given, lambda each: each[0].swapaxes(0, 1).reshape(sides))
    places = state.places(sides).reshape(-1, count, heads, channels)
    return Real(base=made, places=places.transpose(0, 2, 1, 3))


def constant_map(state: State, name: str, given: Constant, arrange: Arrange) -> str:
    """Append a constant, arranged as rows, columns and channels."""
    grid = given.grid
    if grid is None or np.unique(grid.scales).size != 1 or np.unique(grid.zero_points).size != 1:
        allowed = "one, one a channel, or a map quantized with one scale"
        raise RefusedError("its constant", allowed, list(given.array.shape))
    integers = np.ascontiguousarray(arrange(grid.integers))
    numbers = Numbers(
        bits=grid.bits,
        signed=min(int(integers.min()), int(grid.zero_points.min())) < 0,
        scale=float(grid.scales.flat[0]),
        zero_point=int(grid.zero_points.flat[0]),
    )
    name = state.new_name(name)
    node = ir.ConstantMap(name=name, operator="constant", inputs=(), output=name, integers=integers)
    state.grids[name] = numbers
    height, width, channels = integers.shape
    return state.emit(node, numbers.map((height, width, channels)))


def stacked(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> Real:
    """Return tokens of maps and constants, (batch, tokens, channels), one behind the other."""
    names, count, channels = [], 0, 0
    for place, each in enumerate(inputs):
        name = proto.input[place]
        part = (
            constant_tokens(state, name, each) if isinstance(each, Constant) else map_operand(each)
        )
        if len(part.shape) != 3 or channels not in (0, part.shape[2]):
            raise RefusedError("its inputs", "(batch, tokens, channels), alike", list(part.shape))
        settled = state.settled(part, proto)
        column = replace(settled, places=settled.places[:, :, np.newaxis])
        names.append(state.arranged(column, proto))
        count, channels = count + part.shape[1], part.shape[2]
    operation = Operation(
        kind=ir.Stacking,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=tuple(names),
        tensor=proto.output[0],
        shape=(count, 1, channels),
    )
    return Real(base=operation, places=state.places(operation.shape)[:, :, 0])


def are_tokens(inputs: list[Value | None]) -> bool:
    """Return whether tensors of rank 3 have channels last: one is a constant, or lies so."""
    for each in inputs:
        if isinstance(each, Constant):
            return True
        if isinstance(each, Real) and len(each.shape) == 3 and each.shape[2] > 1:
            return bool((np.diff(each.places, axis=2) == 1).all())
    return False
