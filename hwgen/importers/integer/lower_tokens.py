"""Layers of transformers: products of two maps, layers that read a whole pixel, constant maps.

Tests: `tests/importers/onnx/test_transformers.py`.
"""

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from hwgen import network as net
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.arithmetic import (
    exponentials,
    matrix_scaling,
    plain_exponentials,
    squared_scaling,
)
from hwgen.importers.integer.fixed_point import fixed_exponentials
from hwgen.importers.integer.graph import Difference
from hwgen.importers.integer.layers import FACTOR_NOTE, Layers, adds
from hwgen.importers.integer.lower_maps import (
    add_addition,
    add_lookup,
    in_one_quantization,
    scaled,
)
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.parts import Parts
from hwgen.network.maps import BYTE_BITS


@adds(ir.MatrixProduct)
def add_matrix_product(layers: Layers, node: ir.MatrixProduct) -> None:
    """Add a product of two maps."""
    first, second = layers.sources(node)
    output = layers.output(node)
    kernels = layers.kernels_for(first, second, output)
    scaling = matrix_scaling(kernels, [first, second], output, gain=node.gain)
    base = layers.base(node, output, layers.inputs(node))
    layer = net.MatMul(
        op="matmul", groups=node.groups, transposed=node.transposed, **scaled(scaling), **base
    )
    layers.layers.append(layer)
    layers.note(node, FACTOR_NOTE, scaling.error * first.reach * second.reach)


@adds(ir.SoftmaxOfGroups)
def add_softmax(layers: Layers, node: ir.SoftmaxOfGroups) -> None:
    """Add a softmax with the table of exponentials that the runtime has.

    LiteRT's default kernel multiplies by the inverse of the sum, where a quotient stands here.
    """
    source, output = layers.sources(node)[0], layers.output(node)
    base = layers.base(node, output, layers.inputs(node))
    if layers.kernels == "reference" and not node.causal:
        layers.layers.append(net.FixedSoftmax(op="fixed_softmax", groups=node.groups, **base))
        held = fixed_exponentials(source).astype(np.int32)
        layers.held[base["name"]] = {"exponentials": held}
        return
    factor = int(np.floor(np.float32(1) / np.float32(output.scale)))
    if node.causal:
        # Behind a mask the runtime computes shares as real numbers, and rounds them once.
        factor = round(1 / output.scale)
        layers.note(node, FACTOR_NOTE, abs(1 / output.scale - factor))
    common = {"groups": node.groups, "factor": factor, **base}
    if node.causal:
        layers.layers.append(net.CausalSoftmax(op="causal_softmax", keys="pixel", **common))
    else:
        layers.layers.append(net.Softmax(op="softmax", **common))
    if layers.kernels == "xnnpack":
        table = plain_exponentials(source)
        what = f"node {node.name}, beside halves: it multiplies by the inverse of the sum"
        difference = Difference(operator=node.operator, nodes=1, what=what, steps=1)
        layers.differences.append(difference)
    elif node.causal:
        table = plain_exponentials(source)
    else:
        table = exponentials(source, source.shape[2] // node.groups)
    layers.held[base["name"]] = {"exponentials": table.view(np.uint32)}


@adds(ir.SquaredDifference)
def add_squared_difference(layers: Layers, node: ir.SquaredDifference) -> None:
    """Add the square of a difference, as all kernels of LiteRT compute it.

    With the rounding of every chip: the difference as a byte, then a table.
    """
    sources, output = layers.sources(node), layers.output(node)
    if layers.kernels == "half_up":
        add_squares_of_bytes(layers, node, output)
        return
    scaling = squared_scaling(sources[0].scale, sources[1].scale, output)
    base = layers.base(node, output, layers.inputs(node))
    (shifts,) = scaling.operand_shifts
    layer = net.SquaredDifference(
        op="squared_difference", operand_shifts=shifts, **scaled(scaling), **base
    )
    layers.layers.append(layer)


def add_squares_of_bytes(layers: Layers, node: ir.SquaredDifference, output: QuantizedMap) -> None:
    """Add a difference of two maps as a byte, up to the root of the largest output, and a table."""
    most = math.sqrt(output.real_range[1])
    middle = 1 << (BYTE_BITS - 1)
    between = replace(
        output.unsigned, scale=most / (middle - 1), zero_point=middle, low=0, high=2 * middle - 1
    )
    parts = Parts(node=node, maps=dict(layers.graph.maps))
    reverse = parts.reversed(node.inputs[1])
    difference = parts.add(ir.Addition, "difference", between, node.inputs[0], reverse)
    parts.last(ir.Lookup, difference, function=np.square)
    layers.graph = replace(layers.graph, maps=parts.maps)
    for made in parts.nodes:
        if isinstance(made, ir.Lookup):
            add_lookup(layers, made)
        else:
            assert isinstance(made, ir.Addition)
            add_addition(layers, made)
    layers.note(node, "its difference is rounded to a byte", most * between.scale / output.scale)


@adds(ir.LayerNormalization)
def add_layer_normalization(layers: Layers, node: ir.LayerNormalization) -> None:
    """Add a norm whose sums run in the order of onnxruntime's kernel for AVX2."""
    source, output = layers.sources(node)[0], layers.output(node)
    base = layers.base(node, output, layers.inputs(node))
    order: Literal["eight", "rms"] = "eight" if node.centred else "rms"
    layers.layers.append(net.LayerNorm(op="layer_norm", order=order, **base))
    steps = (np.arange(1 << BYTE_BITS) - source.zero_point).astype(np.float32)
    numbers = {
        "values": steps * np.float32(source.scale),
        "gamma": node.gamma,
        "beta": node.beta,
        "constants": np.array([node.eps, output.scale], np.float32),
    }
    layers.held[base["name"]] = {
        key: np.ascontiguousarray(array, np.float32).view(np.uint32)
        for key, array in numbers.items()
    }


@adds(ir.StateMap)
def add_state(layers: Layers, node: ir.StateMap) -> None:
    """Add a state; the layer that it becomes is named when all layers have names."""
    output = layers.output(node)
    base = layers.base(node, output, ())
    feature = base["output"]
    layers.layers.append(net.State(op="state", next=node.next, **base))
    zero = feature.quantization[0].zero_point
    layers.held[base["name"]] = {"map": np.full(feature.shape, zero, np.uint8)}


@adds(ir.ConstantMap)
def add_constant_map(layers: Layers, node: ir.ConstantMap) -> None:
    """Add a map that does not depend on the image."""
    output = layers.output(node)
    base = layers.base(node, output, ())
    layers.layers.append(net.Constant(op="constant", **base))
    given = node.integers.astype(np.int64) + output.offset
    layers.held[base["name"]] = {"map": given.astype(np.uint8)}


@adds(ir.Stacking)
def add_stacking(layers: Layers, node: ir.Stacking) -> None:
    """Add maps one below the other."""
    names = in_one_quantization(layers, node)
    layers.layers.append(net.Stack(op="stack", **layers.base(node, layers.output(node), names)))
