"""Small ONNX models for the tests, written with onnx's own helpers, and what they become."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from hwgen.crossbar.compiler import network_of
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT, Rules
from hwgen.importers.onnx import graph_of, read_graph

Shape = Sequence[int | str | None]

CHANNELS = 4
"""Of the images and of what `conv` reads."""


def model(
    *nodes: NodeProto,
    image: Shape = (1, CHANNELS, 8, 8),
    weights: Mapping[str, Shape] | None = None,
    constants: Mapping[str, object] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """Return a model that reads `x`; weights are declared only, constants (int64) are stored."""
    inputs = {"x": image, "w": (CHANNELS, CHANNELS, 3, 3), **(weights or {})}
    stored = [
        numpy_helper.from_array(np.asarray(value, np.int64), name)
        for name, value in (constants or {}).items()
    ]
    last = nodes[-1].output[0] if nodes else "x"
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in inputs.items()
        ],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        initializer=stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(operator: str, reads: str, writes: str, **attributes: object) -> NodeProto:
    """Return a node that is called as its first output; names are separated by blanks."""
    outputs = writes.split()
    return helper.make_node(operator, reads.split(), outputs, outputs[0], **attributes)


def conv(reads: str, writes: str, weights: str = "w", **attributes: object) -> NodeProto:
    """Return a convolution of 3 x 3 that keeps the size, unless told otherwise."""
    return node("Conv", f"{reads} {weights}", writes, **{"pads": [1, 1, 1, 1], **attributes})


def layers_of(
    model: onnx.ModelProto, *, name: str, source: str, rules: Rules = STRICT
) -> CrossbarNetwork:
    """Return the layers that a model becomes."""
    return network_of(graph_of(model, name=name, source=source), rules)


def read_onnx(path: Path) -> CrossbarNetwork:
    """Return the layers that an ONNX file becomes."""
    return network_of(read_graph(path))
