"""`hwgen onnx`: the networks that ship as files."""

from pathlib import Path

from hwgen.flow.rooms import load


def write_network(name: str, out: Path) -> str:
    """Write a network that ships as an ONNX file; return what was written."""
    compiler = load("hwgen.compiler.crossbar")
    compiler.write_zoo(name, out)
    network = compiler.load_network(str(out))
    layers = sum(layer.has_weights for layer in network.layers)
    return f"{out}: {network.name}, {layers} layers with weights"
