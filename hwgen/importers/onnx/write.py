"""Write a graph as an ONNX file: shapes without weights, deterministic bytes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import onnx
from onnx import TensorProto, helper

from hwgen.errors import FormatError
from hwgen.files.output import whole_file
from hwgen.network.operations import Concatenation, Graph, Matrices, Node, Op, Window

OPSET = 17
IR_VERSION = 8

MATRIX = 2
"""Rank of the output of Flatten."""


def write_graph(graph: Graph, path: Path) -> None:
    """Write a graph as an ONNX file, whole or not at all; constants are declared, not stored."""
    content = model_of(graph).SerializeToString(deterministic=True)
    with whole_file(path, what="network") as fresh:
        fresh.write_bytes(content)


def model_of(graph: Graph) -> onnx.ModelProto:
    """Return the checked model of a graph; its output is that of the last node."""
    result = graph.nodes[-1].outputs[0]
    written = {name for node in graph.nodes for name in node.outputs}
    model = helper.make_model(
        helper.make_graph(
            [proto_of(node, graph) for node in graph.nodes],
            graph.name,
            [declared(graph, name) for name in graph.tensors if name not in written],
            [declared(graph, result)],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="hwgen",
    )
    if graph.notes:
        helper.set_model_props(model, dict(graph.notes))
    onnx.checker.check_model(model)
    return model


def declared(graph: Graph, name: str) -> onnx.ValueInfoProto:
    """Return a tensor by its name and shape."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, graph.tensors[name].shape)


def proto_of(node: Node, graph: Graph) -> onnx.NodeProto:
    """Return the ONNX node of a node."""
    flat = len(graph.tensors[node.outputs[0]].shape) == MATRIX
    if node.op not in WRITTEN or (node.op == "reshape" and not flat):
        raise FormatError(
            field=f"the operation of {node.label}",
            allowed=f"one of {', '.join(WRITTEN)} (to batch x values) to be written as ONNX",
            given=node.op,
            source=graph.source,
        )
    operator, attributes = WRITTEN[node.op]
    return helper.make_node(operator, node.inputs, node.outputs, node.name, **attributes(node))


def plain_attributes(_: Node) -> dict[str, Any]:
    """No attributes."""
    return {}


def pool_attributes(node: Node) -> dict[str, Any]:
    """Return the attributes of a pooling."""
    window = cast(Window, node.attributes)
    return {
        "kernel_shape": window.kernel,
        "strides": window.strides,
        "pads": window.pads,
        **({} if set(window.dilations) == {1} else {"dilations": window.dilations}),
    }


def conv_attributes(node: Node) -> dict[str, Any]:
    """Return the attributes of a convolution."""
    groups = cast(Window, node.attributes).groups
    return {**pool_attributes(node), **({} if groups == 1 else {"group": groups})}


def matrix_attributes(node: Node) -> dict[str, Any]:
    """Return which matrices are transposed."""
    matrices = cast(Matrices, node.attributes)
    given = {"transA": matrices.first_transposed, "transB": matrices.second_transposed}
    return {name: 1 for name, transposed in given.items() if transposed}


def concatenation_attributes(node: Node) -> dict[str, Any]:
    """Return the dimension of a concatenation."""
    return {"axis": cast(Concatenation, node.attributes).axis}


WRITTEN: Mapping[Op, tuple[str, Callable[[Node], dict[str, Any]]]] = MappingProxyType(
    {
        "add": ("Add", plain_attributes),
        "average_pool": ("AveragePool", pool_attributes),
        "concatenate": ("Concat", concatenation_attributes),
        "conv": ("Conv", conv_attributes),
        "fully_connected": ("Gemm", matrix_attributes),
        "global_average_pool": ("GlobalAveragePool", plain_attributes),
        "max_pool": ("MaxPool", pool_attributes),
        "relu": ("Relu", plain_attributes),
        "reshape": ("Flatten", plain_attributes),
    }
)
"""The operations that are written, their ONNX operators, and their attributes."""
