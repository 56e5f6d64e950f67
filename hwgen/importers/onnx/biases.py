"""A product by a stored matrix and its bias become one node, which is quantized as one.

The preparation of onnxruntime makes a Gemm of both, but leaves those of an attention apart, whose
product gets a scale of its own then and is rounded before its bias.

Tests: `tests/importers/onnx/test_biases.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

MATRIX_RANK = 2


def with_biases_joined(graph: onnx.GraphProto, known: Mapping[str, Sequence[int]]) -> None:
    """Write each product of rows and its bias as a Gemm between two changes of shape.

    known: shapes of tensors
    """
    stored = {each.name: each for each in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    reads = Counter([name for node in graph.node for name in node.input])
    reads.update(each.name for each in graph.output)
    replaced: dict[int, list[onnx.NodeProto]] = {}
    for node in graph.node:
        if node.op_type != "Add":
            continue
        added = [name for name in node.input if name in stored]
        products = [makers[name] for name in node.input if name in makers]
        if len(added) != 1 or len(products) != 1 or products[0].op_type != "MatMul":
            continue
        product, sides = products[0], known.get(products[0].input[0], ())
        weights, bias = stored.get(product.input[1]), stored[added[0]]
        if weights is None or len(weights.dims) != MATRIX_RANK or len(sides) <= MATRIX_RANK:
            continue
        inputs, outputs = weights.dims
        vector = list(bias.dims) == [1] * (len(bias.dims) - 1) + [outputs]
        unknown = min(sides) < 1 or len(bias.dims) > len(sides)
        if reads[product.output[0]] > 1 or not vector or unknown:
            continue
        name = node.output[0]
        constants = {
            f"{name}/rows": np.array([-1, inputs], np.int64),
            f"{name}/sides": np.array([*sides[:-1], outputs], np.int64),
            f"{name}/bias": numpy_helper.to_array(bias).reshape(outputs),
        }
        graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
        rows, sides_of, vector_of = constants
        given, made = f"{name}/as_rows", f"{name}/of_rows"
        replaced[id(product)] = []
        replaced[id(node)] = [
            helper.make_node("Reshape", [product.input[0], rows], [given], given),
            helper.make_node("Gemm", [given, weights.name, vector_of], [made], made),
            helper.make_node("Reshape", [made, sides_of], [name], name),
        ]
    nodes = [each for node in graph.node for each in replaced.get(id(node), [node])]
    del graph.node[:]
    graph.node.extend(nodes)
