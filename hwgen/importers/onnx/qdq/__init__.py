"""ONNX models with QuantizeLinear and DequantizeLinear: from a quantized network, and to one."""
