"""`hwgen export-onnx`: a quantized network as a file of another format."""

from pathlib import Path

from hwgen.flow.load import load
from hwgen.spec.network.file import load_network


def export_onnx(network: Path, out: Path, *, mode: str | None = None) -> None:
    """Write a mode (None: the widest) of a network as an ONNX QDQ model."""
    loaded = load_network(network)
    load("hwgen.importers.onnx.qdq.export").export_network(loaded, out, mode=mode)
