"""Writes a quantized network that no chip takes whole, a Resize between two convolutions.

python resize.py FILE.onnx
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS, SIDE, CLASSES = 8, 8, 4


def main() -> None:
    """Write the file."""
    draw = np.random.default_rng(1)
    stored = {
        "scale": np.float32(0.04),
        "zero": np.uint8(100),
        "weight_scale": np.float32(0.01),
        "weight_zero": np.int8(0),
        "bias_scale": np.float32(0.04) * np.float32(0.01),
        "first": draw.integers(-90, 91, (CHANNELS, 3, 3, 3), dtype=np.int8),
        "last": draw.integers(-90, 91, (CLASSES, CHANNELS, 3, 3), dtype=np.int8),
        "first_bias": draw.integers(-900, 900, CHANNELS, dtype=np.int32),
        "last_bias": draw.integers(-900, 900, CLASSES, dtype=np.int32),
        "bias_zero": np.int32(0),
        "factors": np.array([1, 1, 1.5, 1.5], np.float32),
    }
    nodes = []

    def node(operator: str, inputs: str, output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operator, inputs.split(","), [output], output, **attributes))
        return output

    def quantized(name: str) -> str:
        node("QuantizeLinear", f"{name},scale,zero", f"{name}_q")
        return node("DequantizeLinear", f"{name}_q,scale,zero", f"{name}_d")

    def convolved(name: str, layer: str) -> str:
        weights = node("DequantizeLinear", f"{layer},weight_scale,weight_zero", f"{layer}_d")
        bias = node("DequantizeLinear", f"{layer}_bias,bias_scale,bias_zero", f"{layer}_bias_d")
        return node("Conv", f"{name},{weights},{bias}", f"{layer}_sums", pads=[1, 1, 1, 1])

    body = quantized(convolved(quantized("image"), "first"))
    chosen = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    larger = node("Resize", f"{body},,factors", "larger", mode="nearest", **chosen)
    node("ArgMax", quantized(convolved(quantized(larger), "last")), "classes", axis=1)
    large = SIDE * 3 // 2
    graph = helper.make_graph(
        nodes,
        "resize",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("classes", TensorProto.INT64, [1, 1, large, large])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), sys.argv[1])


if __name__ == "__main__":
    main()
