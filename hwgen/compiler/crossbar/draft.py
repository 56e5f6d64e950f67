"""Write an ONNX model by hand, without weights: they are inputs of the graph with their shapes."""

import math
from dataclasses import dataclass, field
from typing import Any

import onnx
from onnx import TensorProto, helper

from hwgen.compiler.crossbar.onnx_file import FUSED_KEY

OPSET = 17
IR_VERSION = 8


@dataclass(frozen=True)
class Flow:
    """A tensor on its way: its name, and its shape without the batch."""

    name: str
    shape: tuple[int, ...]


@dataclass
class Draft:
    """A model that grows node by node; every method returns what its node writes.

    A node at `path` is called `/<path>/<operator>_output_0` like its tensor, which is how common
    exporters call tensors and published files call layers; `called` says another name.
    """

    name: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def image(self, channels: int, side: int) -> Flow:
        """Declare the image."""
        return Flow(self.declare("x", (1, channels, side, side)), (channels, side, side))

    def conv(
        self, x: Flow, path: str, channels: int, kernel: int, *, stride: int = 1, padding: int = 0
    ) -> Flow:
        """Convolution with bias."""
        weights = self.declare(f"{path}.weight", (channels, x.shape[0], kernel, kernel))
        bias = self.declare(f"{path}.bias", (channels,))
        side = slid(x.shape[1], kernel, stride, padding)
        return self.node(
            "Conv",
            [x.name, weights, bias],
            path,
            (channels, side, side),
            **window(kernel, stride, padding),
        )

    def pool(
        self,
        x: Flow,
        path: str,
        kernel: int,
        *,
        stride: int,
        padding: int = 0,
        operator: str = "MaxPool",
    ) -> Flow:
        """Pooling with a window: MaxPool or AveragePool."""
        side = slid(x.shape[1], kernel, stride, padding)
        shape = (x.shape[0], side, side)
        return self.node(operator, [x.name], path, shape, **window(kernel, stride, padding))

    def global_pool(self, x: Flow, path: str) -> Flow:
        """Average over all rows and columns."""
        return self.node("GlobalAveragePool", [x.name], path, (x.shape[0], 1, 1))

    def relu(self, x: Flow, path: str) -> Flow:
        """ReLU."""
        return self.node("Relu", [x.name], path, x.shape)

    def add(self, one: Flow, other: Flow, path: str) -> Flow:
        """Element-wise addition."""
        return self.node("Add", [one.name, other.name], path, one.shape)

    def flatten(self, x: Flow, path: str) -> Flow:
        """Make a vector of a map."""
        return self.node("Flatten", [x.name], path, (math.prod(x.shape),))

    def concat(self, flows: list[Flow], path: str) -> Flow:
        """Put vectors behind each other."""
        values = sum(flow.shape[0] for flow in flows)
        return self.node("Concat", [flow.name for flow in flows], path, (values,), axis=1)

    def linear(self, x: Flow, path: str, outputs: int, *, called: str = "") -> Flow:
        """Fully connected layer with bias."""
        weights = self.declare(f"{path}.weight", (outputs, x.shape[0]))
        bias = self.declare(f"{path}.bias", (outputs,))
        return self.node("Gemm", [x.name, weights, bias], path, (outputs,), called=called, transB=1)

    def declare(self, name: str, shape: tuple[int, ...]) -> str:
        """Add an input of the graph."""
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def node(
        self,
        operator: str,
        reads: list[str],
        path: str,
        shape: tuple[int, ...],
        *,
        called: str = "",
        **attributes: Any,
    ) -> Flow:
        """Add a node."""
        name = called or f"/{path}/{operator}_output_0"
        self.nodes.append(helper.make_node(operator, reads, [name], name, **attributes))
        return Flow(name, shape)

    def finish(self, result: Flow, *, fused_activations: bool = False) -> onnx.ModelProto:
        """Return the model, checked."""
        output = helper.make_tensor_value_info(result.name, TensorProto.FLOAT, (1, *result.shape))
        model = helper.make_model(
            helper.make_graph(self.nodes, self.name, self.inputs, [output]),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="hwgen",
        )
        if fused_activations:
            helper.set_model_props(model, {FUSED_KEY: "true"})
        onnx.checker.check_model(model)
        return model


def window(kernel: int, stride: int, padding: int) -> dict[str, Any]:
    """Return the attributes of a square window."""
    return {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}


def slid(side: int, kernel: int, stride: int, padding: int) -> int:
    """Return the side of the map that a window writes."""
    return (side + 2 * padding - kernel) // stride + 1
