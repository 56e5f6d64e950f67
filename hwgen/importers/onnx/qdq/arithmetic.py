"""Arithmetic on maps: constants are folded, sums and products of two maps are operations.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.constants import in_session
from hwgen.importers.integer.moves import ZERO, Places
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.functions import bounded, composed, function_of
from hwgen.importers.onnx.qdq.state import State, gained
from hwgen.importers.onnx.qdq.tokens import are_tokens, constant_like, stacked
from hwgen.importers.onnx.qdq.turned import signs_of, turned
from hwgen.importers.onnx.qdq.values import Constant, Numbers, Operation, Real, Reals, Step, Value
from hwgen.importers.onnx.qdq.windows import gemm as weighted_product
from hwgen.importers.onnx.qdq.windows import map_operand
from hwgen.network.maps import BYTE_BITS

Combine = Callable[[Reals, Reals], Reals]


def step_of(proto: onnx.NodeProto, *, moves: bool = False) -> Step:
    """Return a node as a step that was passed."""
    return Step(name=node_name(proto), operator=proto.op_type, moves=moves)


def scaled(
    state: State,
    proto: onnx.NodeProto,
    real: Real,
    factor: NDArray[np.generic] | float,
    offset: NDArray[np.generic] | float = 0.0,
) -> Real:
    """Return a tensor times a constant plus a constant; both broadcast to its shape."""
    if not np.isfinite(factor).all() or not np.isfinite(offset).all():
        raise RefusedError("its constants", "finite", "others")
    trail = (*real.trail, step_of(proto))
    if real.function is not None:
        f, o = scalar(factor), scalar(offset)
        return replace(real, function=composed(real.function, lambda x: x * f + o), trail=trail)
    if np.size(factor) > 1 or np.size(offset) > 1:
        one, other = (by_channel(state, real, each) for each in (factor, offset))
    else:
        channels = state.shape_of(real)[2]
        one, other = (np.full(channels, float(np.reshape(each, ()))) for each in (factor, offset))
    low, high = real.low, real.high
    if low is not None or high is not None:
        f, o = scalar(one), scalar(other)
        if f <= 0:
            raise RefusedError("a factor behind an activation", "above 0", f)
        low = None if low is None else low * f + o
        high = None if high is None else high * f + o
    old = np.ones_like(one) if real.factor is None else real.factor
    added = np.zeros_like(one) if real.offset is None else real.offset
    return replace(
        real, factor=old * one, offset=added * one + other, low=low, high=high, trail=trail
    )


def with_operand(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None], real: Real, made: Real
) -> Real:
    """Return a map with a constant as a session computes it; real: before, made: in real numbers.

    Between pairs, with a constant that is unsigned bytes of one scale, it has an operator of
    integers, unless something else reads the result, too.
    """
    grid = next((each.grid for each in inputs if isinstance(each, Constant)), None)
    if grid is None or grid.signed or grid.bits != BYTE_BITS or isinstance(real.base, Operation):
        return made
    behind_pair = real.plain and (not real.trail or real.trail[-1].operator == "QuantizeLinear")
    scales, zeros = np.unique(grid.scales), np.unique(grid.zero_points)
    if not behind_pair or state.readers[proto.output[0]] > 1 or scales.size * zeros.size != 1:
        return made
    numbers = Numbers(
        bits=BYTE_BITS, signed=False, scale=float(scales[0]), zero_point=int(zeros[0])
    )
    integers = np.unique(grid.integers)
    if integers.size > 1:
        integers = by_channel(state, real, grid.integers).astype(np.int64)
    operand = in_session(proto.op_type, numbers.map((1, 1, 1)), integers)
    return replace(made, trail=(*real.trail, replace(step_of(proto), operand=operand)))


def scalar(values: NDArray[np.generic] | float) -> float:
    """Return the one value of a constant."""
    unique = np.unique(values)
    if unique.size != 1:
        raise RefusedError("a constant behind an activation", "one for all channels", "several")
    return float(unique[0])


def by_channel(state: State, real: Real, values: NDArray[np.generic] | float) -> Reals:
    """Return the value of each channel of the base; RefusedError if a channel has several."""
    channels = state.shape_of(real)[2]
    try:
        wide = np.broadcast_to(values, real.shape).astype(np.float64)
    except ValueError:
        allowed = f"one, or one a channel of {list(real.shape)}"
        raise RefusedError("its constant", allowed, list(np.shape(values))) from None
    places = real.places % channels
    inside = real.places != ZERO
    found = np.ones(channels)
    found[places[inside]] = wide[inside]
    if (found[places[inside]] != wide[inside]).any():
        raise RefusedError("its constant", "one, or one a channel", "others")
    return found


def add(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read an Add: a constant is an offset or a map; two maps are an operation."""
    real, constant = operands(inputs)
    if constant is not None and not differs_by_pixel(state, real, constant):
        return [with_operand(state, proto, inputs, real, scaled(state, proto, real, 1.0, constant))]
    one, other = as_maps(state, proto, inputs, real)
    joined = function_of_both(state, proto, one, other, lambda a, b: a + b)
    return [joined or sum_of(state, proto, one, other)]


def as_maps(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None], real: Real
) -> tuple[Real, Real]:
    """Return two operands as maps, a constant with the pixels of the other one; real: the map."""
    one, other = (
        constant_like(state, proto.input[place], each, real)
        if isinstance(each, Constant)
        else map_operand(each)
        for place, each in enumerate(inputs)
    )
    return one, other


def differs_by_pixel(state: State, real: Real, constant: Reals) -> bool:
    """Return whether a constant beside a plain map has several values in one of its channels."""
    if constant.size == 1 or not real.plain or isinstance(real.base, Operation):
        return False
    try:
        by_channel(state, real, constant)
    except RefusedError:
        return np.broadcast_shapes(constant.shape, real.shape) == real.shape
    return False


def subtract(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Sub: a constant is an offset or a map; two maps are an operation."""
    real, constant = operands(inputs)
    if constant is not None and not differs_by_pixel(state, real, constant):
        if isinstance(inputs[0], Constant):
            return [scaled(state, proto, real, -1.0, constant)]
        return [scaled(state, proto, real, 1.0, -constant)]
    one, other = as_maps(state, proto, inputs, real)
    joined = function_of_both(state, proto, one, other, lambda a, b: a - b)
    return [joined or sum_of(state, proto, one, other, sign=-1.0)]


def divide(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Div by constants."""
    real, constant = operands(inputs)
    if constant is not None and not isinstance(inputs[0], Constant):
        with np.errstate(divide="ignore", invalid="ignore"):
            return [scaled(state, proto, real, 1.0 / constant)]
    one, other = map_operand(inputs[0]), map_operand(inputs[1])
    joined = function_of_both(state, proto, one, other, lambda a, b: a / b)
    if joined is None:
        raise RefusedError("its operands", "one map and a constant", "two maps")
    return [joined]


def multiply(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Mul: a constant is a factor or a map; two maps are an operation."""
    real, constant = operands(inputs)
    if constant is not None and not differs_by_pixel(state, real, constant):
        return [with_operand(state, proto, inputs, real, scaled(state, proto, real, constant))]
    one, other = as_maps(state, proto, inputs, real)
    joined = function_of_both(state, proto, one, other, lambda a, b: a * b)
    return [joined or product_of(state, proto, one, other)]


def operands(inputs: list[Value | None]) -> tuple[Real, Reals | None]:
    """Return the map and the constant; None if both operands are maps."""
    reals = [each for each in inputs if isinstance(each, Real)]
    constants = [each for each in inputs if isinstance(each, Constant)]
    if len(inputs) != 2 or not reals or len(reals) + len(constants) != 2:
        raise RefusedError("its operands", "two: maps or constants", "others")
    real = map_operand(reals[0])
    # Real numbers of a session, which dequantized constants are, too.
    return real, constants[0].array.astype(np.float32).astype(np.float64) if constants else None


def function_of_both(
    state: State, proto: onnx.NodeProto, one: Real, other: Real, combine: Combine
) -> Real | None:
    """Return a function of one map where both operands are functions of it, else None."""
    if one.base != other.base or isinstance(one.base, Operation):
        return None
    if (one.plain and other.plain) or not np.array_equal(one.places, other.places):
        return None
    first, second = function_of(one), function_of(other)
    return Real(
        base=one.base,
        places=one.places,
        function=lambda x: combine(first(x), second(x)),
        trail=(*one.trail, *other.trail, step_of(proto)),
    )


def sum_of(state: State, proto: onnx.NodeProto, one: Real, other: Real, sign: float = 1.0) -> Real:
    """Return the sum of two maps, the smaller one repeated; sign: of the second."""
    one, other = in_one_rank(one, other)
    (gain, one), (other_gain, other) = gained(one), gained(other)
    gains = gain, sign * other_gain
    if one.shape == other.shape and (is_sums(one) or is_sums(other)):
        return sum_with_sums(state, proto, (one, other), gains)
    names, shape, places = both(state, proto, one, other)
    operation = Operation(
        kind=ir.Addition,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=names,
        tensor=proto.output[0],
        shape=shape,
        keys={"gains": gains},
    )
    return Real(base=operation, places=places)


def both(
    state: State, proto: onnx.NodeProto, one: Real, other: Real
) -> tuple[tuple[str, str], tuple[int, int, int], Places]:
    """Return the maps of two tensors, pixel beside pixel, the shape of both, and its places.

    Whole maps in one order stay as they are; others are read with channels first, or last where
    both have them so.
    """
    one, other = state.settled(one, proto), state.settled(other, proto)
    alike = np.array_equal(one.places, other.places)
    if alike and whole(state, one) and whole(state, other):
        shape = state.shape_of(one)
        second = state.arranged(replace(other, places=state.places(shape)), proto)
        return (str(one.base), second), shape, one.places
    if (pixels := of_tokens(state, proto, one, other)) is not None:
        return pixels
    names = (state.planar(one, proto), state.planar(other, proto))
    one_map, other_map = state.maps[names[0]].shape, state.maps[names[1]].shape
    height, width, channels = np.maximum(one_map, other_map).tolist()
    shape = (height, width, channels)
    return names, shape, state.planes(shape).reshape(np.broadcast_shapes(one.shape, other.shape))


def of_tokens(
    state: State, proto: onnx.NodeProto, one: Real, other: Real
) -> tuple[tuple[str, str], tuple[int, int, int], Places] | None:
    """Return what `both` does for tensors (batch, tokens, channels) whose tokens are pixels."""
    columns = [each.places[:, :, np.newaxis] for each in (one, other) if len(each.shape) == 3]
    if len(columns) < 2 or max(one.shape[2], other.shape[2]) == 1:
        return None
    pair = [
        replace(each, places=column) for each, column in zip((one, other), columns, strict=True)
    ]
    if not all(state.in_lines(each, each.places) for each in pair):
        return None
    names = (state.arranged(pair[0], proto), state.arranged(pair[1], proto))
    sides = np.maximum(state.maps[names[0]].shape, state.maps[names[1]].shape).tolist()
    shape = (sides[0], sides[1], sides[2])
    return names, shape, state.places(shape)[:, :, 0]


def in_one_rank(one: Real, other: Real) -> tuple[Real, Real]:
    """Return two maps with as many dimensions, where one may be repeated along some."""
    rank = max(len(one.shape), len(other.shape))
    pair = [
        replace(each, places=each.places.reshape((1,) * (rank - len(each.shape)) + each.shape))
        for each in (one, other)
    ]
    if any(
        min(sides) not in (1, max(sides))
        for sides in zip(pair[0].shape, pair[1].shape, strict=True)
    ):
        given = f"{list(one.shape)} and {list(other.shape)}"
        raise RefusedError("its inputs", ir.ONE_SHAPE, given)
    return pair[0], pair[1]


def gemm(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Gemm; one that adds a map is a product and a sum."""
    if len(inputs) < 3 or not isinstance(inputs[2], Real):
        return weighted_product(state, proto, inputs)
    if float(attributes_of(proto).get("beta", 1.0)) != 1:
        raise RefusedError("beta beside a map", 1, attributes_of(proto)["beta"])
    (made,) = weighted_product(state, proto, inputs[:2])
    assert isinstance(made, Real)
    return [sum_of(state, proto, made, map_operand(inputs[2]))]


def is_sums(real: Real) -> bool:
    """Return whether a tensor has sums of weights that no QuantizeLinear follows."""
    base, free = real.base, real.low is None and real.high is None
    return isinstance(base, Operation) and base.kind in (ir.Convolution, ir.FullyConnected) and free


def sum_with_sums(
    state: State, proto: onnx.NodeProto, operands: tuple[Real, Real], gains: tuple[float, float]
) -> Real:
    """Return the sum of a map and of sums that are not quantized; they are when the sum is."""
    place = 0 if is_sums(operands[0]) else 1
    sums, other = operands[place], operands[1 - place]
    name = state.planar(other, proto)
    shape = state.shape_of(sums)
    places = state.planes(shape).reshape(sums.shape)
    if state.maps[name].shape != shape or not np.array_equal(sums.places, places):
        raise RefusedError("its inputs", "in one order, or quantized", "sums in another")
    operation = Operation(
        kind=ir.Addition,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(name,),
        tensor=proto.output[0],
        shape=shape,
        keys={"gains": (gains[place], gains[1 - place]), "sums": sums},
    )
    return Real(base=operation, places=places)


def extremum(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Max or Min: a constant is a limit; two maps are an operation."""
    if len(inputs) == 1:
        return [map_operand(inputs[0])]
    least = proto.op_type == "Min"
    real, constant = operands(inputs)
    if constant is not None:
        limit = scalar(constant)
        return [bounded(proto, real, None if least else limit, limit if least else None)]
    one, other = map_operand(inputs[0]), map_operand(inputs[1])
    choose = np.minimum if least else np.maximum
    joined = function_of_both(state, proto, one, other, choose)
    if joined is not None:
        return [joined]
    if one.shape != other.shape:
        given = f"{list(one.shape)} and {list(other.shape)}"
        raise RefusedError("its inputs", ir.ONE_SHAPE, given)
    return [of_planes(state, proto, one, other, kind=ir.Extremum, keys={"least": least})]


def whole(state: State, real: Real) -> bool:
    """Return whether a tensor has every element of its map once."""
    height, width, channels = state.shape_of(real)
    size = state.batch * height * width * channels
    return real.places.size == size and np.array_equal(
        np.sort(real.places, axis=None), np.arange(size)
    )


def product_of(state: State, proto: onnx.NodeProto, one: Real, other: Real) -> Real:
    """Return the product of two maps, the smaller one repeated."""
    one, other = in_one_rank(one, other)
    (gain, one), (other_gain, other) = gained(one), gained(other)
    if one.places.size < other.places.size:
        one, other = other, one
    keys = {"gain": gain * other_gain}
    return of_planes(state, proto, one, other, kind=ir.Multiplication, keys=keys)


def batch_normalization(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None]
) -> list[Value]:
    """Read a BatchNormalization: a factor and an offset of each channel."""
    real = map_operand(inputs[0])
    parts = [each.array.astype(np.float64) for each in inputs[1:] if isinstance(each, Constant)]
    factor, offset = normalization_of(proto, parts)
    sides = (-1, *(1,) * (len(real.shape) - 2))
    return [scaled(state, proto, real, factor.reshape(sides), offset.reshape(sides))]


def normalization_of(proto: onnx.NodeProto, parts: list[Reals]) -> tuple[Reals, Reals]:
    """Return factor and offset of each channel of a BatchNormalization."""
    if len(parts) != 4:
        raise RefusedError("its parameters", "four constants", "others")
    gamma, beta, average, variance = parts
    factor = gamma / np.sqrt(variance + float(attributes_of(proto).get("epsilon", 1e-5)))
    return factor, beta - average * factor


def concatenate(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Concat of maps by channels, or of pixels by any axis; of one it changes nothing."""
    if len(inputs) == 1 and isinstance(inputs[0], Real):
        return [inputs[0]]
    signs = signs_of(state, inputs)
    if signs is not None:
        parts = [each for each in inputs if isinstance(each, Real)]
        return [turned(state, proto, parts, signs)]
    if attributes_of(proto).get("axis", 1) in (1, -2) and are_tokens(inputs):
        return [stacked(state, proto, inputs)]
    reals = [map_operand(each) for each in inputs]
    rank = len(reals[0].shape)
    axis = int(attributes_of(proto).get("axis", 1)) % rank
    if axis == 0 and state.batch == 1 and all(of_a_pixel(state, each) for each in reals):
        rows: list[Value | None] = [
            replace(real, places=real.places.reshape(1, -1)) for real in reals
        ]
        node = onnx.helper.make_node("Concat", proto.input, proto.output, node_name(proto), axis=1)
        (row,) = concatenate(state, node, rows)
        assert isinstance(row, Real)
        return [replace(row, places=row.places.reshape(-1, *reals[0].shape[1:]))]
    behind = {4: (1, 3), 3: (1,), 2: (1,)}.get(rank, ())
    if axis not in behind or len({len(real.shape) for real in reals}) > 1:
        raise RefusedError("axis", "that of the channels", axis)
    rows_first = rank == 4 and axis == 3
    order = (0, 3, 1, 2) if rows_first else tuple(range(rank))
    names = tuple(
        state.planar(replace(real, places=real.places.transpose(order)), proto) for real in reals
    )
    height, width, _ = state.maps[names[0]].shape
    operation = Operation(
        kind=ir.Concatenation,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=names,
        tensor=proto.output[0],
        shape=(height, width, sum(state.maps[name].shape[2] for name in names)),
    )
    places = state.places(operation.shape)
    if not rows_first:
        places = places.transpose(0, 3, 1, 2)
        places = places.reshape(places.shape[:rank])
    return [Real(base=operation, places=places)]


def of_a_pixel(state: State, real: Real) -> bool:
    """Return whether a tensor is one pixel of a map of one, in its order."""
    shape = state.shape_of(real)
    return shape[:2] == (1, 1) and np.array_equal(real.places.reshape(-1), np.arange(shape[2]))


def of_planes(
    state: State,
    proto: onnx.NodeProto,
    one: Real,
    other: Real,
    *,
    kind: type[ir.Extremum] | type[ir.Multiplication],
    keys: dict[str, Any],
) -> Real:
    """Return an operation of two maps, whose result has the shape of the first."""
    names, shape, places = both(state, proto, one, other)
    operation = Operation(
        kind=kind,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=names,
        tensor=proto.output[0],
        shape=shape,
        keys=keys,
    )
    return Real(base=operation, places=places)
