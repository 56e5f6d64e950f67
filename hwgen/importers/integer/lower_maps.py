"""Layers without weights: poolings, arithmetic on maps, tables, and what moves integers.

Tests: `tests/importers/integer/test_lower.py`.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen import network as net
from hwgen.importers.integer import arithmetic
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.factors import factor_of
from hwgen.importers.integer.layers import FACTOR_NOTE, TABLE_ENTRIES, Layers, adds
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.pairs import different_products
from hwgen.network.quantization import HALF_UP

SUMS_AT_ONCE = 1 << 20
"""Of a mean, that are computed together."""


@adds(ir.MaxPooling)
def add_max_pooling(layers: Layers, node: ir.MaxPooling) -> None:
    """Add a maximum over a window, which keeps scale and zero point."""
    layers.moved(
        node,
        net.MaxPool,
        layers.sources(node)[0],
        layers.inputs(node),
        op="max_pool",
        kernel=node.kernel,
        stride=node.stride,
        padding=node.padding,
    )


@adds(ir.AveragePooling)
def add_average_pooling(layers: Layers, node: ir.AveragePooling) -> None:
    """Add a mean over a window; one rounding with 1 / n inside the factor."""
    source, output = layers.sources(node)[0], layers.output(node)
    elements = node.kernel[0] * node.kernel[1]
    if node.operator == "Resize" and layers.kernels == "onnxruntime":
        layers.growth_differs(node)
    layer = net.AveragePool(
        op="average_pool",
        kernel=node.kernel,
        stride=node.stride,
        padding=node.padding,
        divisor="window",
        center=None,
        rounding=HALF_UP,
        requantization=(),
        **layers.base(node, output, layers.inputs(node)),
    )
    if any(node.padding) and not node.counts_padding:
        layers.layers.append(inside_mean(layers, node, layer))
        return
    center = None
    factors = arithmetic.mean_factors(layers.kernels, elements, source, output)
    if node.operator == "MEAN" and factors is not None:
        rounding, factor = factors
        scaling = arithmetic.one(factor, rounding)
        if layers.kernels == "xnnpack":
            center = source.offset if source.same_numbers == output.same_numbers else None
            layers.sums_differ(node, different_means(elements, source, output, center))
    elif is_raw_mean(layers, node):
        scaling, center = arithmetic.raw_mean(elements, source)
    elif is_global_mean(layers, node):
        scaling = arithmetic.global_mean(elements, source, output)
    else:
        scaling = layers.scaling(source, output, gain=node.gain / elements)
    layers.layers.append(replace(layer, center=center, **scaled(scaling)))
    layers.note(node, FACTOR_NOTE, scaling.error * elements * source.reach)


def different_means(
    elements: int, source: QuantizedMap, output: QuantizedMap, center: int | None
) -> int:
    """Return how many sums of a MEAN XNNPACK scales to another step than a factor about `center`.

    XNNPACK adds the zero points as a float32 number behind the product, before it rounds to even.
    """
    factor = np.float32(arithmetic.f32(source.scale / output.scale)) * np.float32(1 / elements)
    zero = np.float32(-elements * source.zero_point) * factor + np.float32(output.zero_point)
    middle, added = (source.zero_point, output.zero_point) if center is None else (0, 0)
    low, high, end = output.low, output.high, elements * source.high + 1
    different = 0
    for first in range(elements * source.low, end, SUMS_AT_ONCE):
        raw = np.arange(first, min(first + SUMS_AT_ONCE, end))
        wanted = np.rint(raw.astype(np.float32) * factor + zero)
        given = np.rint((raw - elements * middle).astype(np.float32) * factor) + added
        different += int((wanted.clip(low, high) != given.clip(low, high)).sum())
    return different


def inside_mean(layers: Layers, node: ir.AveragePooling, layer: net.AveragePool) -> net.AveragePool:
    """Return a mean that leaves padding out: a factor for each number of pixels inside the map."""
    source, output = layers.sources(node)[0], layers.output(node)
    counts = layer.counts(*source.shape[:2])
    if is_raw_mean(layers, node):
        # XNNPACK's growth rounds halves up: as sums that are never negative do away from zero.
        up = node.operator == "RESIZE_BILINEAR" and layers.kernels == "xnnpack"
        shift = max(arithmetic.raw_mean(count, source)[0].requantization.shift for count in counts)
        multipliers = tuple((1 << shift) // count + 1 for count in counts)
        given = net.Requantization(multipliers=multipliers, shift=shift)
        center = 0 if up else source.offset
        return replace(layer, divisor="inside", center=center, requantization=(given,))
    real = [node.gain * source.scale / output.scale / count for count in counts]
    first = factor_of(real[0])
    others = [round(each * 2**first.shift) for each in real[1:]]
    given = net.Requantization(multipliers=(first.multiplier, *others), shift=first.shift)
    errors = [
        abs(multiplier / 2**first.shift - each) * count
        for multiplier, each, count in zip(given.multipliers, real, counts, strict=True)
    ]
    layers.note(node, FACTOR_NOTE, max(errors) * source.reach)
    return replace(layer, divisor="inside", requantization=(given,))


def is_raw_mean(layers: Layers, node: ir.AveragePooling) -> bool:
    """Return whether LiteRT takes the mean of raw integers, which keeps the quantization."""
    source, output = layers.sources(node)[0], layers.output(node)
    kept = source.same_numbers == output.same_numbers and node.gain == 1
    counted = any(node.padding) and node.counts_padding
    return kept and not counted and layers.kernels in ("xnnpack", "reference")


def is_global_mean(layers: Layers, node: ir.AveragePooling) -> bool:
    """Return whether onnxruntime takes a mean over a whole map by its operator of integers."""
    kernels = layers.kernels_for(*layers.sources(node), layers.output(node))
    return kernels == "onnxruntime" and node.operator == "GlobalAveragePool" and node.gain == 1


def scaled(scaling: arithmetic.Scaling) -> dict[str, Any]:
    """Return the keys of a layer that requantizes."""
    return {"requantization": (scaling.requantization,), "rounding": scaling.rounding}


@adds(ir.Addition)
def add_addition(layers: Layers, node: ir.Addition) -> None:
    """Add a sum of two maps: two factors with one shift, one rounding; or three of each."""
    sources, output = layers.sources(node), layers.output(node)
    kernels = layers.kernels_for(*sources, output)
    if kernels == "onnxruntime" and node.operator == "Add" and node.gains == (1, 1):
        maps = [each.unsigned for each in sources]
        scaling = arithmetic.nearest_addition(maps, output.unsigned, layers.present(node))
        layers.pairs_differ(node, scaling.different)
    else:
        scaling = arithmetic.addition_scaling(kernels, node.gains, sources, output)
    base = layers.base(node, output, layers.inputs(node))
    shifts = scaling.operand_shifts
    layers.layers.append(net.Add(op="add", operand_shifts=shifts, **scaled(scaling), **base))
    layers.note(node, "its factors are rounded", scaling.error)


@adds(ir.Multiplication)
def add_multiplication(layers: Layers, node: ir.Multiplication) -> None:
    """Add a product of two maps; the one of a value a channel stands second."""
    first, second = layers.sources(node)
    output = layers.output(node)
    names = layers.inputs(node)
    if np.prod(first.shape) < np.prod(second.shape):
        names = names[::-1]
    kernels = layers.kernels_for(first, second, output)
    scaling = arithmetic.product_scaling(
        kernels, [first.scale, second.scale], output, gain=node.gain
    )
    base = layers.base(node, output, names)
    layers.layers.append(net.Multiply(op="multiply", **scaled(scaling), **base))
    if kernels == "onnxruntime" and node.operator == "Mul" and node.gain == 1:
        factor = scaling.requantization.multipliers[0] * 2.0**-scaling.requantization.shift
        given = factor, (first.unsigned, second.unsigned), output.unsigned
        layers.pairs_differ(node, different_products(*given, layers.present(node)))
    span = max(output.high - output.zero_point, output.zero_point - output.low)
    layers.note(node, FACTOR_NOTE, min(scaling.error * first.reach * second.reach, span))


@adds(ir.Lookup)
def add_lookup(layers: Layers, node: ir.Lookup) -> None:
    """Add a function as a table, each entry rounded once."""
    source, output = layers.sources(node)[0], layers.output(node)
    if node.results is not None:
        first, last = source.span
        layers.add_table(node, node.results[first : last + 1])
        return
    if node.steps is not None and layers.kernels != "half_up":
        layers.add_table(node, node.steps(source, output))
        return
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(net.Table(op="table", **base))
    if node.slope is not None and layers.kernels in ("xnnpack", "reference"):
        table = leaky_table(layers.kernels, node.slope, source, output)
    else:
        table = table_of(node, source, output, exact=layers.kernels == "half_up")
    layers.tables[base["name"]] = table[np.newaxis]


def leaky_table(
    kernels: arithmetic.Kernels, slope: float, source: QuantizedMap, output: QuantizedMap
) -> NDArray[np.uint8]:
    """Return the entries of a leaky ReLU of LiteRT: a factor on each side of the zero point."""
    centred = np.arange(1 << source.bits) - source.offset - source.zero_point
    ratio = source.scale / output.scale
    sides = [arithmetic.fixed_factor(kernels, centred, each) for each in (ratio, ratio * slope)]
    rounded = np.where(centred < 0, sides[1], sides[0]) + output.zero_point
    table = np.zeros(TABLE_ENTRIES, np.uint8)
    table[: len(centred)] = rounded.clip(output.low, output.high) + output.offset
    return table


def table_of(
    node: ir.Lookup, source: QuantizedMap, output: QuantizedMap, *, exact: bool
) -> NDArray[np.uint8]:
    """Return the 256 entries of a table by the unsigned integer of the input, unused ones 0.

    exact: of the real function, halves up; else of float32 numbers as runtimes have them, to even
    """
    integers = np.arange(1 << source.bits) - source.offset
    with np.errstate(all="ignore"):
        # What overflows is clipped.
        real = source.scale * (integers - source.zero_point).astype(np.float64)
        if exact:
            rounded = np.floor(np.nan_to_num(node.function(real) / output.scale) + 0.5)
        else:
            value = node.function(real.astype(np.float32).astype(np.float64)).astype(np.float32)
            rounded = np.rint(np.nan_to_num(value / np.float32(output.scale))).astype(np.float64)
        rounded = rounded + output.zero_point
    clipped = rounded.clip(output.low, output.high) + output.offset
    table = np.zeros(TABLE_ENTRIES, np.uint8)
    table[: len(integers)] = clipped
    return table


@adds(ir.Requantization)
def add_requantization(layers: Layers, node: ir.Requantization) -> None:
    """Add a rescaling, or the table of what is none in the runtime."""
    source, output = layers.sources(node)[0], layers.output(node)
    if node.operand is not None and layers.kernels_for(source, output) == "xnnpack":
        (results,) = node.operand.results(source, output, node.operand)
        layers.add_table(node, results)
        return
    base = layers.base(node, output, layers.inputs(node))
    layers.add_rescaling(node, base, source, output, gain=node.gain)


@adds(ir.Concatenation)
def add_concatenation(layers: Layers, node: ir.Concatenation) -> None:
    """Add a concatenation by channels."""
    names = in_one_quantization(layers, node)
    base = layers.base(node, layers.output(node), names)
    layers.layers.append(net.Concatenate(op="concatenate", **base))


def in_one_quantization(layers: Layers, node: ir.Concatenation | ir.Stacking) -> tuple[str, ...]:
    """Return the inputs of a node in the quantization of its output: others are rescaled."""
    output = layers.output(node)
    names = []
    for place, (name, source) in enumerate(
        zip(layers.inputs(node), layers.sources(node), strict=True)
    ):
        if output.holds(source):
            names.append(name)
            continue
        target = replace(output, shape=source.shape)
        rescaled = layers.name_for(f"{node.name}_input_{place}")
        own = {"name": rescaled, "inputs": (name,), "output": target.feature_map(), "source": ""}
        layers.add_rescaling(node, own, source, target)
        names.append(rescaled)
    return tuple(names)


@adds(ir.Subsampling)
def add_shortcut(layers: Layers, node: ir.Subsampling | ir.Selection | ir.Padding) -> None:
    """Add a layer that keeps some rows and columns, or changes channels at the end."""
    stride = node.stride if isinstance(node, ir.Subsampling) else (1, 1)
    source = layers.sources(node)[0]
    layers.moved(node, net.Shortcut, source, layers.inputs(node), op="shortcut", stride=stride)


@adds(ir.Upsampling, ir.Transposition, ir.View)
def add_rearrangement(layers: Layers, node: ir.Upsampling | ir.Transposition | ir.View) -> None:
    """Add a layer that only gives the elements other places."""
    source, names = layers.sources(node)[0], layers.inputs(node)
    match node:
        case ir.Upsampling():
            fill = "zero" if node.zeros else "repeat"
            keys = {"op": "upsample", "factor": node.factor, "fill": fill}
            layers.moved(node, net.Upsample, source, names, **keys)
        case ir.Transposition():
            layers.moved(node, net.Transpose, source, names, op="transpose", order=node.order)
        case ir.View():
            layers.moved(node, net.Reshape, source, names, op="reshape")


def is_prefix(node: ir.Node) -> bool:
    """Return whether a node only drops or adds channels at the end."""
    if isinstance(node, ir.Selection):
        return node.channels == tuple(range(len(node.channels)))
    return isinstance(node, ir.Padding) and not any(node.sides)
