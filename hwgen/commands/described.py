"""What a file of another format becomes: its network, written and judged, and the lines on it.

Tests: `tests/commands/test_fit.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hwgen.chip.family import Family
from hwgen.commands.differences import differences_of
from hwgen.commands.exchange import Calibrated
from hwgen.commands.families import offering
from hwgen.commands.files import read_graph
from hwgen.commands.judged import Imported, judged
from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_file, versions
from hwgen.importers.integer import (
    IntegerGraph,
    Lowered,
    RefusedNetworkError,
    heads_left_out,
    lower,
)
from hwgen.importers.integer.arithmetic import Choice, Kernels, kernels_of
from hwgen.importers.integer.endings import said_of_head
from hwgen.network import QuantizedNetwork
from hwgen.network.decoding import decode
from hwgen.network.file import save_network
from hwgen.network.padded_heads import with_heads_padded
from hwgen.network.verdict import Verdict
from hwgen.network.vocabulary import read_vocabulary
from hwgen.report.imports import (
    ImportDifference,
    ImportedLayer,
    ImportInfo,
    ImportNote,
    ImportReport,
    RefusedNode,
)
from hwgen.report.types import Source


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How the network of a file is written.

    dataset, class_names: it has; positions: of a decoder whose step the file is, else 0
    decode: the file is a decoder of whole sequences, whose step is written
    pad_heads: channels, of which each head gets a multiple
    check: whether it is judged by the file; tokenizer: file of one that goes with it
    """

    file: Path
    out: Path
    dataset: str
    class_names: Sequence[str]
    positions: int
    decode: bool
    pad_heads: int
    check: bool
    tokenizer: Path | None = None

    def lowered(self, graph: IntegerGraph, kernels: Kernels) -> Lowered:
        """Return the network of a graph."""
        return lower(
            graph, kernels=kernels, dataset=self.dataset, class_names=tuple(self.class_names)
        )

    def write(self, graph: IntegerGraph, made: Calibrated | None, kernels: Kernels) -> ImportReport:
        """Write the network of a graph; return what it is."""
        lowered = self.lowered(graph, kernels)
        step = self.positions or self.decode
        network = with_heads_padded(lowered.network, self.pad_heads)
        network = decode(network) if step else network
        if self.tokenizer is not None:
            network = replace(network, tokenizer=read_vocabulary(self.tokenizer))
        save_network(network, self.out)
        content = replace(content_of(graph, lowered, kernels), layers=imported_layers(network))
        if self.check:
            imported = Imported(
                file=self.file,
                network=network,
                graph=graph,
                kernels=kernels,
                content=content,
                made=made,
                states={} if made is None else made.states,
                step=bool(self.positions),
            )
            content = replace(content, judged=judged(imported))
        return ImportReport(
            format="hwgen.report.import",
            version=1,
            file=Source(name=graph.name, file=str(self.file), digest=digest_of_file(self.file)),
            network=Source(name=network.graph.name, file=str(self.out), digest=network.digest),
            content=content,
            from_float=[] if made is None else made.distances,
            versions=versions(),
        )


def describe_import(
    file: Path,
    choice: Choice = "default",
    *,
    judge: Callable[[Imported], Verdict] | None = None,
) -> ImportInfo:
    """Return which layers a file becomes and which family runs them, or what stands in the way.

    choice: whose arithmetic the network would compute; judge: holds it against the file; None: that
        is not asked
    """
    graph = read_graph(file)
    kernels = graph.kernels or kernels_of(choice, graph.format, source=graph.source)
    try:
        lowered = lower(graph, kernels=kernels)
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
            differences=[],
            unknown="",
            runtime="",
            unread=graph.unread,
            as_written="",
            roundings=[],
            host=[],
            remarks=[],
        )
    content = content_of(graph, lowered, kernels)
    if judge is None:
        return content
    about = Imported(
        file=file, network=lowered.network, graph=graph, kernels=kernels, content=content
    )
    return replace(content, judged=judge(about))


def content_of(graph: IntegerGraph, lowered: Lowered, kernels: Kernels) -> ImportInfo:
    """Return what was imported; kernels: whose arithmetic it computes."""
    network = lowered.network
    notes = [ImportNote(node=each.node, what=each.what, steps=each.steps) for each in lowered.notes]
    differences, unknown = differences_of(graph, lowered, kernels)
    runs = graph.in_session is not None and kernels == "onnxruntime"
    return ImportInfo(
        name=graph.name,
        kind=graph.format,
        nodes=len(graph.nodes),
        layers=imported_layers(network),
        refused=[],
        notes=notes,
        largest_steps=lowered.largest_effect,
        differences=[ImportDifference(**vars(each)) for each in differences],
        unknown=unknown,
        runtime=graph.runtime if runs else "",
        unread=graph.unread if kernels == "onnxruntime" else "",
        as_written=digest_as_written(graph, lowered) if runs else "",
        roundings=sorted(network.roundings),
        host=host_lines(graph.read_by(kernels), network),
        remarks=list(graph.read_by(kernels).remarks),
    )


def imported_layers(network: QuantizedNetwork) -> list[ImportedLayer]:
    """Return the layers, and which family runs each."""
    remarks = remarks_of(network)
    return [
        ImportedLayer(
            name=layer.name,
            kind=layer.op,
            source=layer.source,
            shape=layer.output.shape,
            families={family: found[layer.name] for family, found in remarks.items()},
        )
        for layer in network.layers
    ]


def digest_as_written(graph: IntegerGraph, lowered: Lowered) -> str:
    """Return the digest of the network of a file as it is written, if it is another one.

    Or the sentence with which it is refused.
    """
    network = lowered.network
    try:
        written = lower(
            replace(graph, in_session=None),
            kernels="onnxruntime",
            dataset=network.graph.dataset,
            class_names=tuple(network.graph.class_names),
        )
    except RefusedNetworkError as error:
        return error.refusals[0].sentence
    except FormatError as error:
        return str(error).removesuffix(f" ({graph.source})")
    digest = written.network.digest
    return "" if digest == network.digest else digest


def host_lines(graph: IntegerGraph, network: QuantizedNetwork) -> list[str]:
    """Return what of the file the host does, before and behind the chip."""
    raw = [] if network.raw_image is None else [f"the image: {network.graph.preprocessing}"]
    rows = network.token_rows
    if rows is not None:
        raw.append(
            f"the image: {len(rows.rows)} rows of table {rows.name}, looked up by ids"
            " (hwgen run --tokens)"
        )
    heads = (head for found in heads_left_out(graph).values() for head in found)
    left = (said_of_head(each.operator, each.name) for each in heads)
    return [*raw, *dict.fromkeys((*graph.behind, *left))]


def remarks_of(network: QuantizedNetwork) -> dict[str, dict[str, str]]:
    """Return by family and layer why it does not run, or under which condition; empty: it runs."""
    return {
        family.name: family.need(Family.layer_support).layer_remarks(network)
        for family in offering(Family.layer_support)
    }
