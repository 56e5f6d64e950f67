"""`hwgen import`: a file of another format as a quantized network file."""

from pathlib import Path

from hwgen.commands.capabilities import LAYER_SUPPORT
from hwgen.commands.digests import digest_of_file, versions
from hwgen.commands.exchange import calibrated_graph
from hwgen.commands.families import offering
from hwgen.commands.files import read_graph
from hwgen.importers.integer import (
    IntegerGraph,
    Lowered,
    RefusedNetworkError,
    lower,
)
from hwgen.importers.integer.arithmetic import Choice, kernels_of
from hwgen.network import QuantizedNetwork
from hwgen.network.file import save_network
from hwgen.report.imports import (
    ImportedLayer,
    ImportInfo,
    ImportNote,
    ImportReport,
    RefusedNode,
)
from hwgen.report.types import Source


def import_file(
    file: Path,
    out: Path,
    *,
    dataset: str = "",
    class_names: tuple[str, ...] = (),
    calibrate: Path | None = None,
    qdq: Path | None = None,
    kernels: Choice = "default",
) -> ImportReport:
    """Write the network of a file to `out`; the kind of file is found by its content.

    dataset: name of the images that `hwgen run` takes where none are given
    kernels: whose arithmetic the network computes; a file that `export-onnx` wrote says so itself
    calibrate: images that quantize a float ONNX file; qdq: where the quantized one goes
    Raises RefusedNetworkError with a sentence for each node that stands in the way, and FormatError
    for a file that is damaged or of another kind.
    """
    graph = read_graph(file) if calibrate is None else calibrated_graph(file, calibrate, qdq)
    own = kernels_of(kernels, graph.format, source=graph.source)
    lowered = lower(graph, kernels=graph.kernels or own, dataset=dataset, class_names=class_names)
    save_network(lowered.network, out)
    network = lowered.network
    return ImportReport(
        format="hwgen.report.import",
        version=1,
        file=Source(name=graph.name, file=str(file), digest=digest_of_file(file)),
        network=Source(name=network.graph.name, file=str(out), digest=network.digest),
        content=content_of(graph, lowered),
        versions=versions(),
    )


def describe_import(file: Path) -> ImportInfo:
    """Return which layers a file becomes and which family runs them, or what stands in the way."""
    graph = read_graph(file)
    kernels = kernels_of("default", graph.format, source=graph.source)
    try:
        return content_of(graph, lower(graph, kernels=graph.kernels or kernels))
    except RefusedNetworkError as error:
        refused = [
            RefusedNode(node=each.node, operator=each.operator, reason=each.sentence)
            for each in error.refusals
        ]
        return ImportInfo(
            name=graph.name,
            kind=graph.format,
            nodes=len(graph.nodes),
            layers=[],
            refused=refused,
            notes=[],
            largest_steps=0.0,
        )


def content_of(graph: IntegerGraph, lowered: Lowered) -> ImportInfo:
    """Return what was imported."""
    network = lowered.network
    remarks = remarks_of(network)
    layers = [
        ImportedLayer(
            name=layer.name,
            kind=layer.op,
            source=layer.source,
            shape=layer.output.shape,
            families={family: found[layer.name] for family, found in remarks.items()},
        )
        for layer in network.layers
    ]
    notes = [ImportNote(node=each.node, what=each.what, steps=each.steps) for each in lowered.notes]
    return ImportInfo(
        name=graph.name,
        kind=graph.format,
        nodes=len(graph.nodes),
        layers=layers,
        refused=[],
        notes=notes,
        largest_steps=lowered.largest_effect,
    )


def remarks_of(network: QuantizedNetwork) -> dict[str, dict[str, str]]:
    """Return by family and layer why it does not run, or under which condition; empty: it runs."""
    return {
        family.name: family.need(LAYER_SUPPORT).layer_remarks(network)
        for family in offering(LAYER_SUPPORT)
    }
