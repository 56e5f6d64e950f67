"""Networks in ONNX: written as QDQ models, and float ones quantized before their import.

Tests: `tests/commands/test_fit.py`.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from numpy.typing import NDArray

from hwgen.chip.family import Family
from hwgen.commands.families import graphs, offering
from hwgen.commands.fields import File, Network, OneMode
from hwgen.commands.images import read_images
from hwgen.commands.request import OUTPUT_FILE, Request, Says
from hwgen.commands.subject import check_stateless
from hwgen.files.earlier import ONNX_FILES
from hwgen.files.output import whole_file
from hwgen.files.shipped import file_of, networks
from hwgen.importers.integer import IntegerGraph
from hwgen.network.file import load_network
from hwgen.network.tokens import read_ids
from hwgen.report.imports import FloatDistance


@dataclass(frozen=True)
class ExportOnnx(Request, command="export-onnx", example="network.npz --out build/network.onnx"):
    """Write a quantized network as an ONNX model with QuantizeLinear and DequantizeLinear.

    Weights are int8 with a scale for each output channel, maps unsigned with NCHW order, biases
    int32. Importing the file gives the same network back.

    A network that ships for synthesis, such as vgg16, has no weights, and neither has its file.
    """

    network: Network
    out: Annotated[
        File, Says("file to write (.onnx)", metavar="FILE", use=OUTPUT_FILE, replaces=ONNX_FILES)
    ]
    _: KW_ONLY
    mode: OneMode = None

    def run(self) -> str:
        """Write the file; return what it is."""
        from hwgen.importers.onnx.qdq.export import export_network

        known = graphs().network_names() if offering(Family.graphs) else ()
        files = networks() | {name: Path(name) for name in known}
        file = file_of(Path(self.network), files, what="the network")
        if str(file) in known and not file.exists():
            if self.mode is not None:
                raise self.refusal("mode", "left out of a network without weights", self.mode)
            return graphs().write_network(str(file), Path(self.out))
        network = load_network(file)
        check_stateless(network, "export-onnx")
        export_network(network, Path(self.out), mode=self.mode)
        modes = network.graph.modes
        part = f", mode {self.mode or modes[0]} of {', '.join(modes)}" if len(modes) > 1 else ""
        return f"{self.out}: an ONNX model with QuantizeLinear and DequantizeLinear{part}"


def images_or_rows(file: Path, images: Path) -> NDArray[Any]:
    """Return the images of a `.npz` or `.npy`, or the rows that the ids of a text look up.

    file: the float file; its images are (images, height, width, channels) then
    """
    from hwgen.importers.onnx.calibrate import as_maps
    from hwgen.importers.onnx.token_ids import rows_of_ids

    if images.suffix.lower() in (".npy", ".npz"):
        return as_maps(file, read_images(images)[0])

    return rows_of_ids(file, read_ids(images), str(images))


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What a float file was quantized to.

    model: with pairs; distances: of its outputs from the file's; images: that it was made with
    states: by input of the file the output that it becomes; whole: the graph without them
    """

    model: Any
    distances: list[FloatDistance]
    images: NDArray[Any]
    states: Mapping[str, str]
    whole: IntegerGraph


def calibrated_graph(
    file: Path,
    images: Path,
    qdq: Path | None = None,
    *,
    states: Mapping[str, str] | None = None,
    positions: int = 0,
) -> tuple[IntegerGraph, Calibrated]:
    """Return the integer graph of a float ONNX file, quantized with images, and what it is of.

    images: a `.npz` with `images`, or a `.npy`, (images, height, width, channels), or of up to two
        axes as the model reads them: float32, or uint8, of which one step is 1 / 255; or a text of
        ids, a line a sequence, for a file that looks rows up
    qdq: where the quantized ONNX model goes, for `hwgen compare`
    states: by input of the file the output that it becomes; None: those of recurrent nodes
    positions: of the caches of a decoder's step; the graph is that of so many tokens at once
    """
    if positions:
        with tempfile.TemporaryDirectory() as folder:
            whole = whole_file_of(file, positions, Path(folder))
            of_all, found = calibrated_graph(whole, images, qdq)
        # The file itself is a step: how far all tokens at once are from it is judged, call by call.
        return replace(of_all, source=str(file)), replace(found, distances=[])
    import onnx

    from hwgen.importers.integer.states import with_states
    from hwgen.importers.onnx import quantized as reader
    from hwgen.importers.onnx.calibrate import distance_from_float, quantized_model
    from hwgen.importers.onnx.inputs import parts_of
    from hwgen.importers.onnx.states import recurrent_states

    given = images_or_rows(file, images)
    pairs = (
        recurrent_states(onnx.load(file, load_external_data=False)) if states is None else states
    )
    model = quantized_model(file, given, states=pairs.values())
    if qdq is not None:
        model.producer_name = "hwgen"
        with whole_file(qdq, what="ONNX file") as fresh:
            fresh.write_bytes(model.SerializeToString(deterministic=True))
    graph: IntegerGraph = reader.integer_graph_of(model, name=file.stem, source=str(file))
    distances = [FloatDistance(**vars(each)) for each in distance_from_float(file, model, given)]
    found = Calibrated(model=model, distances=distances, images=given, states=pairs, whole=graph)
    if pairs:
        graph = with_states(graph, parts_of(model), pairs)
    return graph, found


def whole_file_of(file: Path, positions: int, folder: Path) -> Path:
    """Write the decoder of all tokens of a step's file; return the file, of the same name."""
    import onnx

    from hwgen.importers.onnx.external import read_whole_model
    from hwgen.importers.onnx.past import whole_of

    whole = folder / f"{file.stem}.onnx"
    onnx.save(whole_of(read_whole_model(file), positions, source=str(file)), whole)
    return whole
