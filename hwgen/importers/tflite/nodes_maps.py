"""Read operators without weights: poolings, arithmetic, functions of an element.

Tests: `tests/importers/tflite/test_operators.py`.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.constants import Operand, Results, products, slopes, sums, unchanged
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.tflite.node import Reading
from hwgen.network.maps import BYTE_BITS

Read = tuple[list[ir.Node], list[QuantizedMap]]
Real = NDArray[np.float64]
Steps = Callable[[QuantizedMap, QuantizedMap], NDArray[np.int64]]
Function = Callable[[Real], Real]
ONE = np.array([1])


def average_pool_2d(reading: Reading) -> Read:
    """Read a mean over a window; padding is left out of it."""
    return pool(reading, ir.AveragePooling)


def max_pool_2d(reading: Reading) -> Read:
    """Read a maximum over a window."""
    return pool(reading, ir.MaxPooling)


def pool(reading: Reading, kind: type[ir.AveragePooling] | type[ir.MaxPooling]) -> Read:
    """Return a pooling."""
    output = reading.activated(reading.written())
    kernel = int(reading.option("FilterHeight")), int(reading.option("FilterWidth"))
    if min(kernel) < 1:
        raise RefusedError("its window", "at least 1 x 1", list(kernel))
    stride = reading.stride()
    padding = reading.padding(kernel, stride)
    return [kind(kernel=kernel, stride=stride, padding=padding, **reading.base())], [output]


def mean(reading: Reading) -> Read:
    """Read a mean: over rows and columns a pooling of the whole map, over channels one filter."""
    if reading.map(0).bits > BYTE_BITS:
        allowed = "int8 or uint8, or those of an AVERAGE_POOL_2D over the whole map"
        raise RefusedError("its maps", allowed, f"int{reading.map(0).bits}")
    if axes_of(reading) == [len(reading.tensor(0).shape) - 1]:
        return mean_of_channels(reading)
    return [ir.AveragePooling(**whole_map(reading), **reading.base())], [reading.written()]


def reduce_max(reading: Reading) -> Read:
    """Read a maximum over whole rows and columns."""
    return [ir.MaxPooling(**whole_map(reading), **reading.base())], [reading.written()]


def whole_map(reading: Reading) -> dict[str, Any]:
    """Return a window over the whole map; the axes must be rows and columns."""
    source = reading.map(0)
    rank, axes = len(reading.tensor(0).shape), axes_of(reading)
    if axes != list(range(1, rank - 1)):
        raise RefusedError("its axes", f"rows and columns {list(range(1, rank - 1))}", axes)
    return {"kernel": source.shape[:2], "stride": (1, 1), "padding": (0, 0, 0, 0)}


def axes_of(reading: Reading) -> list[int]:
    """Return the dimensions that a reduction runs over, in order."""
    rank = len(reading.tensor(0).shape)
    return sorted({int(axis) % rank for axis in reading.integers(1, "its axes").reshape(-1)})


def mean_of_channels(reading: Reading) -> Read:
    """Return a convolution of one filter of ones, and a view where the file drops the dimension."""
    source, output = reading.map(0), reading.written()
    height, width, channels = source.shape
    ones = np.ones((1, 1, 1, channels), np.int64)
    weights = ir.weights_of(ones, scales=1 / channels)
    made = output.reshaped((height, width, 1))
    name = reading.output if made.shape == output.shape else f"{reading.output}/mean"
    base = {**reading.base(), "output": name}
    nodes: list[ir.Node] = [
        ir.Convolution(weights=weights, stride=(1, 1), padding=ir.NO_PADDING, **base)
    ]
    if made.shape == output.shape:
        return nodes, [output]
    view = ir.View(**{**reading.base(), "inputs": (name,)})
    return [*nodes, view], [made, output]


def squared_difference(reading: Reading) -> Read:
    """Read the square of a difference of two maps."""
    if not (reading.is_computed(0) and reading.is_computed(1)):
        raise RefusedError("its inputs", "two maps", "a constant")
    for place in (0, 1):
        reading.map(place)
    if reading.number(0) == reading.number(1):
        raise RefusedError("its inputs", "two maps", "one map twice")
    return [ir.SquaredDifference(**reading.base())], [reading.written()]


def add(reading: Reading) -> Read:
    """Read a sum of two maps, or of a map and constants by channel."""
    constants = (lambda constant: (np.ones(1), constant)), sums(1, 1)
    return arithmetic(reading, ir.Addition, *constants)


def multiply(reading: Reading) -> Read:
    """Read a product of two maps, or of a map and constants by channel."""
    constants = (lambda constant: (constant, np.zeros(1))), products
    return arithmetic(reading, ir.Multiplication, *constants)


def subtract(reading: Reading) -> Read:
    """Read a difference of two maps, or of a map and constants."""
    sign = 1 if reading.is_computed(0) else -1
    nodes, maps = arithmetic(
        reading, ir.Addition, lambda each: (sign * np.ones(1), -sign * each), sums(sign, -sign)
    )
    return [
        replace(node, gains=(1.0, -1.0)) if isinstance(node, ir.Addition) else node
        for node in nodes
    ], maps


def arithmetic(
    reading: Reading,
    kind: type[ir.Addition] | type[ir.Multiplication],
    constants: Callable[[Real], tuple[Real, Real]],
    results: Results,
) -> Read:
    """Return an operation on two maps, or of factor and offset where one operand is constant.

    results: what XNNPACK makes of a map and the constants
    """
    output = reading.activated(reading.written())
    both = [place for place in (0, 1) if reading.is_computed(place)]
    if len(both) == 2:
        for place in both:
            reading.map(place)
        if reading.number(0) == reading.number(1):
            raise RefusedError("its inputs", "two maps", "one map twice")
        return [kind(**reading.base())], [output]
    source = reading.map(both[0])
    channels, values = source.shape[2], reading.real(1 - both[0])
    first: list[ir.Node] = []
    base, made = reading.base(), []
    if channels == 1 < values.size == values.shape[-1] == output.shape[2]:
        # The one channel stands in each of the constants'.
        channels, made = output.shape[2], [source.reshaped(output.shape)]
        repeated = {"name": f"{reading.name}_channels", "output": f"{reading.output}/channels"}
        first = [ir.Selection(channels=(0,) * channels, **{**base, **repeated})]
        base["inputs"] = (repeated["output"],)
    if values.size not in (1, channels) or (values.ndim and values.shape[-1] != values.size):
        if fits(values.shape, output):
            return with_constant_map(reading, kind, 1 - both[0], output)
        allowed = f"of one value, or {channels} by channel"
        raise RefusedError("its constant", allowed, " x ".join(map(str, values.shape)))
    factor, offset = constants(values.reshape(-1))
    operand = reading.operand(1 - both[0], results)
    node = ir.PerChannel(factor=factor, offset=offset, operand=operand, **base)
    return [*first, node], [*made, output]


def fits(shape: tuple[int, ...], output: QuantizedMap) -> bool:
    """Return whether a constant is one map of bytes whose sides are 1 or those of the output."""
    pairs = zip(shape[1:], output.shape, strict=False)
    one = len(shape) == 4 and shape[0] == 1
    return one and output.bits <= BYTE_BITS and all(own in (1, side) for own, side in pairs)


def with_constant_map(
    reading: Reading,
    kind: type[ir.Addition] | type[ir.Multiplication],
    place: int,
    output: QuantizedMap,
) -> Read:
    """Return a map that holds a constant, repeated, and the operation that reads it."""
    values, given = reading.map(place), reading.constant(place, f"input {place}")
    name = f"{reading.output}/constant"
    constant = ir.ConstantMap(
        name=f"{reading.name}_constant",
        operator=reading.operator.operator,
        inputs=(),
        output=name,
        integers=np.broadcast_to(given.reshape(values.shape), output.shape),
    )
    inputs = (name, *reading.inputs) if place == 0 else (*reading.inputs, name)
    node = kind(**{**reading.base(), "inputs": inputs})
    return [constant, node], [values.reshaped(output.shape), output]


def extremum(*, least: bool) -> Callable[[Reading], Read]:
    """Return the reader of a maximum or minimum of two maps, or of a map and one constant."""

    def read(reading: Reading) -> Read:
        output = reading.written()
        both = [place for place in (0, 1) if reading.is_computed(place)]
        for place in both:
            reading.map(place)
        if len(both) == 2:
            return [ir.Extremum(least=least, **reading.base())], [output]
        limit = reading.real(1 - both[0])
        if limit.size != 1:
            raise RefusedError("its constant", "one value", limit.size)
        low, high = (None, float(limit.item())) if least else (float(limit.item()), None)
        return [ir.Requantization(**reading.base())], [output.clipped(low, high)]

    return read


def prelu(reading: Reading) -> Read:
    """Read a ReLU with a slope below zero for each channel."""
    channels = reading.map(0).shape[2]
    real = reading.real(1)
    if real.size not in (1, channels) or (real.ndim and real.shape[-1] != real.size):
        allowed = f"of one value, or {channels} by channel"
        raise RefusedError("its slopes", allowed, " x ".join(map(str, real.shape)))
    operand = reading.operand(1, slopes)
    node = ir.Slopes(slopes=real.reshape(-1), operand=operand, **reading.base())
    return [node], [reading.written()]


def clip(low: float, high: float | None) -> Callable[[Reading], Read]:
    """Return the reader of an activation that clips.

    Between two scales XNNPACK has none: LiteRT's own kernels convert by a factor of 31 bits.
    """

    def read(reading: Reading) -> Read:
        source, output = reading.map(0), reading.written().clipped(low, high)
        same = source.same_numbers == output.same_numbers
        operand = None if same else Operand(centred=ONE, scale=1.0, results=unchanged)
        return [ir.Requantization(operand=operand, **reading.base())], [output]

    return read


def quantize(reading: Reading) -> Read:
    """Read a change of quantization."""
    reading.map(0)
    return [ir.Requantization(**reading.base())], [reading.written()]


def function(of: Callable[[Real], Real], steps: Steps | None = None) -> Callable[[Reading], Read]:
    """Return the reader of a function of an element, which becomes a table.

    steps: what LiteRT computes instead, in integers
    """

    def read(reading: Reading) -> Read:
        reading.map(0)
        return [ir.Lookup(function=of, steps=steps, **reading.base())], [reading.written()]

    return read


def leaky_relu(reading: Reading) -> Read:
    """Read a ReLU with a slope below zero."""
    slope = float(reading.option("Alpha"))
    if not math.isfinite(slope):
        raise RefusedError("its slope", "finite", slope)
    reading.map(0)
    of = partial(leaky, slope=slope)
    return [ir.Lookup(function=of, slope=slope, **reading.base())], [reading.written()]


def leaky(x: Real, *, slope: float) -> Real:
    """Return slope * x below zero, else x."""
    return np.where(x < 0, slope * x, x)


def logistic(x: Real) -> Real:
    """Return 1 / (1 + exp(-x)); tanh does not overflow."""
    return 0.5 * (1 + np.tanh(x / 2))


def hard_swish(x: Real) -> Real:
    """Return x * relu6(x + 3) / 6."""
    y: Real = x * np.clip(x + 3, 0, 6) / 6
    return y


def elu(x: Real) -> Real:
    """Return exp(x) - 1 below zero, else x."""
    return np.where(x < 0, np.expm1(np.minimum(x, 0)), x)


def gelu(reading: Reading) -> Read:
    """Read a Gelu, by tanh where the file says so."""
    if reading.option("Approximate", False):
        return function(gelu_by_tanh)(reading)
    return function(gelu_by_erf)(reading)


def gelu_by_erf(x: Real) -> Real:
    """Return x times the normal distribution function."""
    y: Real = x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return y


def gelu_by_tanh(x: Real) -> Real:
    """Return the usual approximation of Gelu."""
    y: Real = x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return y


def inverse_root(x: Real) -> Real:
    """Return 1 / sqrt(x); what is not above zero is beyond every map."""
    above = x > 0
    y: Real = np.where(above, 1 / np.sqrt(np.where(above, x, 1)), np.inf)
    return y


def of_real(x: Real) -> Real:
    """Return real numbers as they are."""
    return x


def negated(function: Function) -> Function:
    """Return a function with the other sign."""
    return lambda x: -function(x)


REAL = {"NEG": negated}
"""Functions of real numbers, which LiteRT has for no map: behind DEQUANTIZE, before QUANTIZE."""
