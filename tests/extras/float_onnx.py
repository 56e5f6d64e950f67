"""Write what a user has: a float network, model.onnx, and images to calibrate it, images.npz."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(3)


def drawn(name: str, shape: Sequence[int]) -> onnx.TensorProto:
    """Return weights that keep the scale of maps."""
    weights = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return numpy_helper.from_array(weights.astype(np.float32), name)


def zeros(name: str, count: int) -> onnx.TensorProto:
    """Return a bias."""
    return numpy_helper.from_array(np.zeros(count, np.float32), name)


graph = helper.make_graph(
    [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1] * 4),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w3", "b3"], ["logits"], transB=1),
    ],
    "mine",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
    [
        drawn("w1", (16, 3, 3, 3)),
        zeros("b1", 16),
        drawn("w2", (32, 16, 3, 3)),
        zeros("b2", 32),
        drawn("w3", (10, 32)),
        zeros("b3", 10),
    ],
)
opset = [helper.make_opsetid("", 17)]
onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), "model.onnx")
np.savez("images.npz", images=rng.random((32, 32, 32, 3), np.float32))
