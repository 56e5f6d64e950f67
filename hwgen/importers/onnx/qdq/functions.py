"""Functions of one element.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx

from hwgen.importers.integer.nodes import Slopes
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.constants import attributes_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant, Function, Operation, Real, Reals, Step, Value
from hwgen.importers.onnx.qdq.windows import map_operand

Attributes = Mapping[str, Any]

SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
"""What a Selu has where the file names no other."""


def sigmoid(x: Reals) -> Reals:
    """Return 1 / (1 + exp(-x)); tanh overflows nowhere."""
    return (1 + np.tanh(x / 2)) / 2


def erf(x: Reals) -> Reals:
    """Return the error function."""
    values: Reals = np.vectorize(math.erf, otypes=[np.float64])(x)
    return values


def hard_sigmoid(x: Reals, attributes: Attributes) -> Reals:
    """Return max(0, min(1, alpha * x + beta))."""
    slope, middle = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    bounded: Reals = np.clip(slope * x + middle, 0, 1)
    return bounded


def gelu(x: Reals, attributes: Attributes) -> Reals:
    """Return x times the distribution of a normal variable, or its approximation by tanh."""
    if attributes.get("approximate", b"none") == b"tanh":
        inner: Reals = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        bent: Reals = np.tanh(inner)
    else:
        bent = erf(x / math.sqrt(2))
    return x * (1 + bent) / 2


def leaky(x: Reals, slope: float) -> Reals:
    """Return x, below zero times a slope."""
    return np.where(x < 0, slope * x, x)


def elu(x: Reals, attributes: Attributes) -> Reals:
    """Return x, below zero alpha * (exp(x) - 1)."""
    return np.where(x < 0, attributes.get("alpha", 1.0) * np.expm1(np.minimum(x, 0)), x)


def celu(x: Reals, attributes: Attributes) -> Reals:
    """Return x, below zero alpha * (exp(x / alpha) - 1)."""
    alpha = attributes.get("alpha", 1.0)
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0) / alpha), x)


def selu(x: Reals, attributes: Attributes) -> Reals:
    """Return gamma * x, below zero gamma * alpha * (exp(x) - 1)."""
    alpha, gamma = attributes.get("alpha", SELU_ALPHA), attributes.get("gamma", SELU_GAMMA)
    bent: Reals = gamma * np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)
    return bent


FUNCTIONS: Mapping[str, Callable[[Reals, Attributes], Reals]] = MappingProxyType(
    {
        "Abs": lambda x, _: np.abs(x),
        "Celu": celu,
        "Elu": elu,
        "Erf": lambda x, _: erf(x),
        "Exp": lambda x, _: np.exp(np.minimum(x, 700)),
        "Gelu": gelu,
        "HardSigmoid": hard_sigmoid,
        "HardSwish": lambda x, _: x * np.clip(x / 6 + 0.5, 0, 1),
        "LeakyRelu": lambda x, given: leaky(x, given.get("alpha", 0.01)),
        "Mish": lambda x, _: x * np.tanh(np.logaddexp(0, x)),
        "Neg": lambda x, _: -x,
        "Selu": selu,
        "Sigmoid": lambda x, _: sigmoid(x),
        "Softsign": lambda x, _: x / (1 + np.abs(x)),
        "Softplus": lambda x, _: np.logaddexp(0, x),
        "Sqrt": lambda x, _: np.sqrt(np.maximum(x, 0)),
        "Swish": lambda x, given: x * sigmoid(given.get("alpha", 1.0) * x),
        "Tanh": lambda x, _: np.tanh(x),
    }
)
"""Functions of one element that become tables."""

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
    attributes = attributes_of(proto)
    function = FUNCTIONS[proto.op_type]
    return [with_function(proto, map_operand(inputs[0]), lambda x: function(x, attributes))]


def prelu(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Read a PRelu: one slope is a function, a slope a channel an operation."""
    slope, real = inputs[1], map_operand(inputs[0])
    if not isinstance(slope, Constant) or not slope.array.size:
        raise RefusedError("its slope", "a constant", "another")
    values = slope.array.astype(np.float64)
    if np.unique(values).size == 1:
        value = float(values.reshape(-1)[0])
        return [with_function(proto, real, lambda x: leaky(x, value))]
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
