"""Layers of transformers: products of two maps, layers that read a whole pixel, constant maps.

Tests: `tests/importers/onnx/test_transformers.py`.
"""

import numpy as np

from hwgen.importers.integer.arithmetic import exponentials, product_scaling
from hwgen.importers.integer.layers import FACTOR_NOTE, Layers
from hwgen.importers.integer.lower_maps import in_one_quantization, scaled
from hwgen.importers.integer.nodes import (
    ConstantMap,
    LayerNormalization,
    MatrixProduct,
    SoftmaxOfGroups,
    Stacking,
)
from hwgen.network import Constant, LayerNorm, MatMul, Softmax, Stack
from hwgen.network.maps import BYTE_BITS


def add_matrix_product(layers: Layers, node: MatrixProduct) -> None:
    """Add a product of two maps."""
    first, second = layers.sources(node)
    output = layers.output(node)
    kernels = layers.kernels_for(first, second, output)
    scaling = product_scaling(kernels, [first.scale, second.scale], output, gain=node.gain)
    base = layers.base(node, output, layers.inputs(node))
    layer = MatMul(
        op="matmul", groups=node.groups, transposed=node.transposed, **scaled(scaling), **base
    )
    layers.layers.append(layer)
    layers.note(node, FACTOR_NOTE, scaling.error * first.reach * second.reach)


def add_softmax(layers: Layers, node: SoftmaxOfGroups) -> None:
    """Add a softmax with the table of exponentials that onnxruntime has."""
    source, output = layers.sources(node)[0], layers.output(node)
    base = layers.base(node, output, layers.inputs(node))
    factor = int(np.floor(np.float32(1) / np.float32(output.scale)))
    layers.layers.append(Softmax(op="softmax", groups=node.groups, factor=factor, **base))
    table = exponentials(source, source.shape[2] // node.groups)
    layers.held[base["name"]] = {"exponentials": table.view(np.uint32)}


def add_layer_normalization(layers: Layers, node: LayerNormalization) -> None:
    """Add a norm whose sums run in the order of onnxruntime's kernel for AVX2."""
    source, output = layers.sources(node)[0], layers.output(node)
    base = layers.base(node, output, layers.inputs(node))
    layers.layers.append(LayerNorm(op="layer_norm", order="eight", **base))
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


def add_constant_map(layers: Layers, node: ConstantMap) -> None:
    """Add a map that does not depend on the image."""
    output = layers.output(node)
    base = layers.base(node, output, ())
    layers.layers.append(Constant(op="constant", **base))
    given = node.integers.astype(np.int64) + output.offset
    layers.held[base["name"]] = {"map": given.astype(np.uint8)}


def add_stacking(layers: Layers, node: Stacking) -> None:
    """Add maps one below the other."""
    names = in_one_quantization(layers, node)
    layers.layers.append(Stack(op="stack", **layers.base(node, layers.output(node), names)))
