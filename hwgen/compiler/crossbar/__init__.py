"""From an ONNX file to the layers that a crossbar accelerator is synthesized for."""

from hwgen.compiler.crossbar.onnx_layers import network_of, read_onnx
from hwgen.compiler.crossbar.zoo import ZOO, load_network, write_zoo

__all__ = ["ZOO", "load_network", "network_of", "read_onnx", "write_zoo"]
