"""Networks in ONNX: written as QDQ models, and float ones quantized before their import."""

from pathlib import Path

from hwgen.commands.images import read_images
from hwgen.commands.load import load
from hwgen.files.output import whole_file
from hwgen.importers.integer import IntegerGraph
from hwgen.network.file import load_network


def export_onnx(network: Path, out: Path, *, mode: str | None = None) -> str:
    """Write a mode (None: the widest) of a network as an ONNX QDQ model; return what it is."""
    loaded = load_network(network)
    load("hwgen.importers.onnx.qdq.export").export_network(loaded, out, mode=mode)
    modes = loaded.graph.modes
    part = f", mode {mode or modes[0]} of {', '.join(modes)}" if len(modes) > 1 else ""
    return f"{out}: an ONNX model with QuantizeLinear and DequantizeLinear{part}"


def calibrated_graph(file: Path, images: Path, qdq: Path | None = None) -> IntegerGraph:
    """Return the integer graph of a float ONNX file, quantized with images.

    images: a `.npz` with `images`, (images, height, width, channels): float32 as the model reads
        them, or uint8, of which one step is 1 / 255
    qdq: where the quantized ONNX model goes, for `hwgen compare`
    """
    given, _ = read_images(images)
    model = load("hwgen.importers.onnx.calibrate").quantized_model(file, given)
    if qdq is not None:
        with whole_file(qdq, what="ONNX file") as fresh:
            fresh.write_bytes(model.SerializeToString(deterministic=True))
    reader = load("hwgen.importers.onnx.quantized")
    graph: IntegerGraph = reader.integer_graph_of(model, name=file.stem, source=str(file))
    return graph
