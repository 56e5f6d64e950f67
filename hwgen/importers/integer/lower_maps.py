"""Layers without weights: poolings, arithmetic on maps, tables, and what moves integers."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.arithmetic import (
    Scaling,
    addition_scaling,
    product_scaling,
    raw_mean,
)
from hwgen.importers.integer.layers import FACTOR_NOTE, Layers
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

TABLE_ENTRIES = 256


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
    center = None
    if is_raw_mean(layers, node):
        scaling, center = raw_mean(elements, source)
    else:
        scaling = layers.scaling(source, output, gain=node.gain / elements)
    layers.layers.append(
        AveragePool(
            op="average_pool",
            kernel=node.kernel,
            stride=node.stride,
            padding=node.padding,
            divisor="window",
            center=center,
            **scaled(scaling),
            **layers.base(node, output, layers.inputs(node)),
        )
    )
    layers.note(node, FACTOR_NOTE, scaling.error * elements * source.reach)


def is_raw_mean(layers: Layers, node: AveragePooling) -> bool:
    """Return whether LiteRT takes the mean of raw integers, which keeps the quantization."""
    source, output = layers.sources(node)[0], layers.output(node)
    kept = source.same_numbers == output.same_numbers and node.gain == 1
    return kept and not any(node.padding) and layers.kernels in ("xnnpack", "reference")


def scaled(scaling: Scaling) -> dict[str, Any]:
    """Return the keys of a layer that requantizes."""
    return {"requantization": (scaling.requantization,), "rounding": scaling.rounding}


def add_addition(layers: Layers, node: Addition) -> None:
    """Add a sum of two maps: two factors with one shift, one rounding; or three of each."""
    sources, output = layers.sources(node), layers.output(node)
    kernels = layers.kernels_for(*sources, output)
    scaling = addition_scaling(kernels, node.gains, sources, output)
    base = layers.base(node, output, layers.inputs(node))
    shifts = scaling.operand_shifts
    layers.layers.append(Add(op="add", operand_shifts=shifts, **scaled(scaling), **base))
    layers.note(node, "its factors are rounded", scaling.error)


def add_multiplication(layers: Layers, node: Multiplication) -> None:
    """Add a product of two maps; the one of a value a channel stands second."""
    first, second = layers.sources(node)
    output = layers.output(node)
    names = layers.inputs(node)
    if np.prod(first.shape) < np.prod(second.shape):
        names = names[::-1]
    kernels = layers.kernels_for(first, second, output)
    scaling = product_scaling(kernels, [first.scale, second.scale], output, gain=node.gain)
    base = layers.base(node, output, names)
    layers.layers.append(Multiply(op="multiply", **scaled(scaling), **base))
    span = max(output.high - output.zero_point, output.zero_point - output.low)
    layers.note(node, FACTOR_NOTE, min(scaling.error * first.reach * second.reach, span))


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
    scaling = layers.scaling(source, output, gain=node.gain)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(Rescale(op="rescale", **scaled(scaling), **base))
    layers.note(node, FACTOR_NOTE, scaling.error * source.reach)


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
        scaling = layers.scaling(source, target)
        rescaled = layers.name_for(f"{node.name}_input_{place}")
        layers.layers.append(
            Rescale(
                op="rescale",
                name=rescaled,
                inputs=(name,),
                output=target.feature_map(),
                source="",
                **scaled(scaling),
            )
        )
        layers.note(node, FACTOR_NOTE, scaling.error * source.reach)
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
