"""Layers without weights: poolings, arithmetic on maps, tables, and what moves integers."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.factors import factor_of, pair_of
from hwgen.importers.integer.layers import Layers, rescaling
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import (
    Addition,
    AveragePooling,
    Concatenation,
    Lookup,
    MaxPooling,
    Multiplication,
    Node,
    Padding,
    Requantization,
    Selection,
    Subsampling,
)
from hwgen.network import (
    Add,
    AveragePool,
    Concatenate,
    MaxPool,
    Multiply,
    Rescale,
    Shortcut,
    Table,
)
from hwgen.network import Requantization as Integers
from hwgen.network.quantization import HALF_UP

TABLE_ENTRIES = 256
NOTE = "its factor has 16 bits"


def add_max_pooling(layers: Layers, node: MaxPooling) -> None:
    """Add a maximum over a window, which keeps scale and zero point."""
    layers.moved(
        node,
        MaxPool,
        layers.sources(node)[0],
        layers.inputs(node),
        op="max_pool",
        kernel=node.kernel,
        stride=node.stride,
        padding=node.padding,
    )


def add_average_pooling(layers: Layers, node: AveragePooling) -> None:
    """Add a mean over a window; one rounding with 1 / n inside the factor."""
    source, output = layers.sources(node)[0], layers.output(node)
    elements = node.kernel[0] * node.kernel[1]
    factor = factor_of(node.gain * source.scale / output.scale / elements)
    layers.layers.append(
        AveragePool(
            rounding=HALF_UP,
            divisor="window",
            center=None,
            op="average_pool",
            kernel=node.kernel,
            stride=node.stride,
            padding=node.padding,
            requantization=(Integers(multipliers=(factor.multiplier,), shift=factor.shift),),
            **layers.base(node, output, layers.inputs(node)),
        )
    )
    layers.note(node, NOTE, factor.error * elements * reach(source))


def add_addition(layers: Layers, node: Addition) -> None:
    """Add a sum of two maps: two factors with one shift, one rounding."""
    first, second = layers.sources(node)
    output = layers.output(node)
    one, other = pair_of(
        node.gains[0] * first.scale / output.scale, node.gains[1] * second.scale / output.scale
    )
    given = Integers(multipliers=(one.multiplier, other.multiplier), shift=one.shift)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(
        Add(op="add", rounding=HALF_UP, operand_shifts=(), requantization=(given,), **base)
    )
    error = one.error * reach(first) + other.error * reach(second)
    layers.note(node, "its factors have 16 bits", error)


def add_multiplication(layers: Layers, node: Multiplication) -> None:
    """Add a product of two maps; the one of a value a channel stands second."""
    first, second = layers.sources(node)
    output = layers.output(node)
    names = layers.inputs(node)
    if np.prod(first.shape) < np.prod(second.shape):
        names = names[::-1]
    factor = factor_of(node.gain * first.scale * second.scale / output.scale)
    given = Integers(multipliers=(factor.multiplier,), shift=factor.shift)
    base = layers.base(node, output, names)
    layers.layers.append(Multiply(rounding=HALF_UP, op="multiply", requantization=(given,), **base))
    span = max(output.high - output.zero_point, output.zero_point - output.low)
    layers.note(node, NOTE, min(factor.error * reach(first) * reach(second), span))


def reach(values: QuantizedMap) -> int:
    """Return the largest distance of an integer of a map from its zero point."""
    return max(values.high - values.zero_point, values.zero_point - values.low)


def add_lookup(layers: Layers, node: Lookup) -> None:
    """Add a function as a table, each entry rounded once."""
    source, output = layers.sources(node)[0], layers.output(node)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(Table(op="table", **base))
    layers.tables[base["name"]] = table_of(node, source, output)[np.newaxis]


def table_of(node: Lookup, source: QuantizedMap, output: QuantizedMap) -> NDArray[np.uint8]:
    """Return the 256 entries of a table by the unsigned integer of the input, unused ones 0."""
    integers = np.arange(1 << source.bits) - source.offset
    with np.errstate(all="ignore"):
        # What overflows is clipped.
        real = node.function(source.scale * (integers - source.zero_point).astype(np.float64))
        rounded = np.floor(np.nan_to_num(real / output.scale) + 0.5) + output.zero_point
    clipped = rounded.clip(output.low, output.high) + output.offset
    table = np.zeros(TABLE_ENTRIES, np.uint8)
    table[: len(integers)] = clipped
    return table


def add_requantization(layers: Layers, node: Requantization) -> None:
    """Add a rescaling."""
    source, output = layers.sources(node)[0], layers.output(node)
    given, steps = rescaling(source, output, gain=node.gain)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(Rescale(rounding=HALF_UP, op="rescale", requantization=(given,), **base))
    layers.note(node, NOTE, steps)


def add_concatenation(layers: Layers, node: Concatenation) -> None:
    """Add a concatenation by channels; an input with another quantization is rescaled before it."""
    output = layers.output(node)
    names = []
    for place, (name, source) in enumerate(
        zip(layers.inputs(node), layers.sources(node), strict=True)
    ):
        wide = output.low <= source.low and output.high >= source.high
        if source.same_numbers == output.same_numbers and wide:
            names.append(name)
            continue
        target = replace(output, shape=source.shape)
        given, steps = rescaling(source, target)
        rescaled = layers.name_for(f"{node.name}_input_{place}")
        layers.layers.append(
            Rescale(
                rounding=HALF_UP,
                op="rescale",
                name=rescaled,
                inputs=(name,),
                output=target.feature_map(),
                source="",
                requantization=(given,),
            )
        )
        layers.note(node, NOTE, steps)
        names.append(rescaled)
    base = layers.base(node, output, tuple(names))
    layers.layers.append(Concatenate(op="concatenate", **base))


def add_shortcut(layers: Layers, node: Subsampling | Selection | Padding) -> None:
    """Add a layer that keeps some rows and columns, or changes channels at the end."""
    stride = node.stride if isinstance(node, Subsampling) else (1, 1)
    source = layers.sources(node)[0]
    layers.moved(node, Shortcut, source, layers.inputs(node), op="shortcut", stride=stride)


def is_prefix(node: Node) -> bool:
    """Return whether a node only drops or adds channels at the end."""
    if isinstance(node, Selection):
        return node.channels == tuple(range(len(node.channels)))
    return isinstance(node, Padding) and not any(node.sides)
