"""Collects nodes, constants, inputs and outputs of an ONNX model.

Tests: `tests/importers/onnx/test_export.py`.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

BYTE_OPSET, WORD_OPSET = 17, 21
"""ONNX quantizes to 16 bits from opset 21 on."""

IR_VERSIONS = {BYTE_OPSET: 8, WORD_OPSET: 10}

BATCH = "N"
"""Name of the number of images."""

FLOAT = TensorProto.FLOAT


class Builder:
    """A model that grows node by node; nodes are called as their first output unless named."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._opset = BYTE_OPSET

    @property
    def size(self) -> int:
        """Nodes so far."""
        return len(self._nodes)

    def node(
        self, operator: str, inputs: list[str], output: str, *, name: str = "", **attributes: Any
    ) -> str:
        """Append a node with one output, and return that."""
        proto = helper.make_node(operator, inputs, [output], name or output, **attributes)
        self._nodes.append(proto)
        return output

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Store a constant, and return its name."""
        if array.dtype in (np.int16, np.uint16):
            self._opset = WORD_OPSET
        self._constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def scalar(self, name: str, value: float) -> str:
        """Store a float32 scalar, and return its name."""
        return self.constant(name, np.array(value, np.float32))

    def integers(self, name: str, *values: int) -> str:
        """Store a list of integers, such as a shape, and return its name."""
        return self.constant(name, np.array(values, np.int64))

    def input(self, name: str, shape: tuple[int, ...]) -> None:
        """Declare a float input; `shape` without the number of images."""
        self._inputs.append(helper.make_tensor_value_info(name, FLOAT, (BATCH, *shape)))

    def output(self, name: str, shape: tuple[int, ...]) -> None:
        """Declare a float output; `shape` without the number of images."""
        self._outputs.append(helper.make_tensor_value_info(name, FLOAT, (BATCH, *shape)))

    def model(self, name: str, notes: dict[str, str]) -> onnx.ModelProto:
        """Return the checked model."""
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self._opset)],
            ir_version=IR_VERSIONS[self._opset],
            producer_name="hwgen",
        )
        helper.set_model_props(model, notes)
        onnx.checker.check_model(model)
        return model
