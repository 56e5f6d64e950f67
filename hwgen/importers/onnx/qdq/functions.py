"""Functions of one element.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

from dataclasses import replace

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from hwgen.importers.integer.nodes import Slopes
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant, Function, Operation, Real, Reals, Step, Value
from hwgen.importers.onnx.qdq.windows import map_operand

# fmt: off
FUNCTIONS = frozenset({
    "Abs", "Celu", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish",
    "Neg", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh",
})
# fmt: on
"""Operators of one element, which become tables: ONNX's own reference computes them."""


def evaluated(proto: onnx.NodeProto) -> Function:
    """Return what a node of one input does to an array, by the reference of ONNX.

    Its newest version does: the runtimes' own domains have some of these before ONNX. Roots of what
    is below zero are 0, and what no number holds is the largest.
    """
    node = onnx.NodeProto()
    node.CopyFrom(proto)
    node.domain, node.input[:], node.output[:] = "", ["x"], ["y"]
    x, y = (onnx.helper.make_tensor_value_info(n, onnx.TensorProto.DOUBLE, None) for n in "xy")
    graph = onnx.helper.make_graph([node], "function", [x], [y])
    opset = onnx.helper.make_opsetid("", onnx.defs.onnx_opset_version())
    session = ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=[opset]))

    def function(values: Reals) -> Reals:
        with np.errstate(all="ignore"):
            (result,) = session.run(None, {"x": np.asarray(values, np.float64)})
        return np.nan_to_num(np.asarray(result, np.float64))

    return function


ORDER_KEPT = frozenset({"Sigmoid", "Softmax", "LogSoftmax", "Tanh"})
"""Functions that keep the order of the answer's channels; at the end they are dropped."""


def composed(inner: Function, outer: Function) -> Function:
    """Return the function outer(inner(x))."""
    return lambda x: outer(inner(x))


def function_of(real: Real) -> Function:
    """Return what is done to a map as one function; RefusedError where channels differ."""
    if real.function is not None:
        return real.function
    one: list[float] = []
    for values, default in ((real.factor, 1.0), (real.offset, 0.0)):
        unique = np.array([default]) if values is None else np.unique(values)
        if unique.size != 1:
            raise RefusedError("a function behind constants", "of one constant", "several")
        one.append(float(unique[0]))
    factor, offset = one
    low = -np.inf if real.low is None else real.low
    high = np.inf if real.high is None else real.high
    return lambda x: np.clip(x * factor + offset, low, high)


def with_function(proto: onnx.NodeProto, real: Real, function: Function) -> Real:
    """Return a tensor with a function of each element."""
    if isinstance(real.base, Operation):
        given = f"real numbers of node {real.base.name} ({real.base.operator})"
        allowed = "quantized (a QuantizeLinear and a DequantizeLinear before it)"
        raise RefusedError(f"what {node_name(proto)} reads", allowed, given)
    return replace(
        real,
        factor=None,
        offset=None,
        low=None,
        high=None,
        function=composed(function_of(real), function),
        trail=(*real.trail, Step(name=node_name(proto), operator=proto.op_type, moves=False)),
    )


def unary(_: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a function of each element."""
    return [with_function(proto, map_operand(inputs[0]), evaluated(proto))]


def prelu(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a PRelu: one slope is a function, a slope a channel an operation."""
    slope, real = inputs[1], map_operand(inputs[0])
    if not isinstance(slope, Constant) or not slope.array.size:
        raise RefusedError("its slope", "a constant", "another")
    values = slope.array.astype(np.float64)
    if np.unique(values).size == 1:
        value = float(values.reshape(-1)[0])
        return [with_function(proto, real, lambda x: np.where(x < 0, value * x, x))]
    source = state.planar(real, proto)
    shape = state.maps[source].shape
    along = (1, shape[2], *(1,) * (len(real.shape) - 2))
    if values.size != shape[2] or values.shape != along[-values.ndim :]:
        allowed = f"one, or {shape[2]}, by channel"
        raise RefusedError("its slope", allowed, list(values.shape))
    operation = Operation(
        kind=Slopes,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=(source,),
        tensor=proto.output[0],
        shape=shape,
        keys={"slopes": values.reshape(-1)},
    )
    return [Real(base=operation, places=state.planes(shape).reshape(real.shape))]


def clip(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a Relu or Clip: the range of what is before it."""
    low, high = limits_of(proto, inputs)
    given = inputs[0]
    if isinstance(given, Real) and given.integer:
        return [integer_clip(state, proto, given, low, high)]
    return [bounded(proto, map_operand(given), low, high)]


def bounded(proto: onnx.NodeProto, real: Real, low: float | None, high: float | None) -> Real:
    """Return a tensor inside a range, None: without that limit."""
    if low is not None and high is not None and low > high:
        low = high
    trail = (*real.trail, Step(name=node_name(proto), operator=proto.op_type, moves=False))
    if real.function is not None:
        least = -np.inf if low is None else low
        most = np.inf if high is None else high
        inner = composed(real.function, lambda x: np.clip(x, least, most))
        return replace(real, function=inner, trail=trail)
    return replace(
        real,
        low=inside(real.low, low, high, lowest=True),
        high=inside(real.high, low, high, lowest=False),
        trail=trail,
    )


def inside(
    limit: float | None, low: float | None, high: float | None, *, lowest: bool
) -> float | None:
    """Return a limit behind another range."""
    if limit is None:
        return low if lowest else high
    limit = limit if low is None else max(limit, low)
    return limit if high is None else min(limit, high)


def limits_of(
    proto: onnx.NodeProto, inputs: list[Value | None]
) -> tuple[float | None, float | None]:
    """Return the smallest and the largest value of a Relu or Clip, None where there is none."""
    if proto.op_type == "Relu":
        return 0.0, None
    attributes = attributes_of(proto)
    limits: list[float | None] = [attributes.get("min"), attributes.get("max")]
    for place, value in enumerate(inputs[1:3]):
        if value is None:
            continue
        if not isinstance(value, Constant) or value.array.size != 1:
            raise RefusedError("its range", "two constants", "others")
        limits[place] = float(value.array.reshape(()))
    return limits[0], limits[1]


def integer_clip(
    state: State, proto: onnx.NodeProto, given: Real, low: float | None, high: float | None
) -> Real:
    """Return a map of integers with another range."""
    real = state.settled(replace(given, integer=False), proto)
    base = str(real.base)
    values = state.maps[base]
    zero, scale = values.zero_point, values.scale
    bounds = [None if each is None else (each - zero) * scale for each in (low, high)]
    trail = (Step(name=node_name(proto), operator=proto.op_type, moves=False),)
    bounded = replace(real, low=bounds[0], high=bounds[1], trail=trail)
    made = state.finish(bounded, values, proto.output[0], like=base)
    return replace(made, integer=True)
