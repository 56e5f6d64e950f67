"""`hwgen import`: a file of another format as a quantized network file.

Tests: `tests/commands/test_fit.py`.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.family import Family
from hwgen.commands.differences import differences_of
from hwgen.commands.exchange import Calibrated, calibrated_graph
from hwgen.commands.families import offering
from hwgen.commands.fields import File, path_of, words
from hwgen.commands.files import read_graph
from hwgen.commands.judged import Imported, judged
from hwgen.commands.request import OUTPUT_FILE, OUTPUT_FOLDER, Request, Says
from hwgen.errors import FormatError, with_near
from hwgen.files.digests import digest_of_file, versions
from hwgen.files.earlier import NETWORKS, ONNX_FILES
from hwgen.importers.integer import (
    IntegerGraph,
    Lowered,
    RefusedNetworkError,
    heads_left_out,
    lower,
)
from hwgen.importers.integer.arithmetic import Choice, Kernels, kernels_of
from hwgen.importers.integer.endings import said_of_head
from hwgen.importers.integer.refused import calibrated
from hwgen.network import QuantizedNetwork
from hwgen.network.decoding import decode
from hwgen.network.file import save_network
from hwgen.network.verdict import Verdict
from hwgen.report.import_tables import announced_lines, import_table
from hwgen.report.imports import (
    ImportDifference,
    ImportedLayer,
    ImportInfo,
    ImportNote,
    ImportReport,
    RefusedNode,
)
from hwgen.report.plans import PlanReport, plan_table
from hwgen.report.types import Source

NO_STATE = "none"
"""What `--state` says where inputs stay inputs."""


@dataclass(frozen=True)
class ImportNetwork(Request, command="import", example="network.tflite --out build/network.npz"):
    """Import a quantized network: TFLite with integers, or ONNX with QDQ, found by its content.

    Signed maps become unsigned by an offset, exactly; sums round as the runtime's do. What is not
    exact is printed with its largest effect. All nodes that are not supported are listed at
    once, before anything is computed.

    Raises RefusedNetworkError, which names every node that stands in the way, and FormatError for
    a file that is damaged or of another kind.
    """

    file: Annotated[
        File, Says("a quantized network in TFLite or ONNX", metavar="FILE", argument=True)
    ]
    out: Annotated[
        File,
        Says(
            "quantized network file to write (.npz)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=NETWORKS,
        ),
    ]
    _: KW_ONLY
    dataset: Annotated[str, Says("images of hwgen run where none are given", metavar="NAME")] = ""
    class_names: Annotated[
        Sequence[str],
        Says(
            "names of the classes, separated by commas",
            metavar="NAMES",
            names=("--classes",),
            typed=list[str],
            read=words,
        ),
    ] = ()
    calibrate: Annotated[
        File | None,
        Says(
            "quantize a float ONNX file with these images: a .npz with `images`, or a .npy; NHWC,"
            " or with up to two axes as the network reads them, such as (images, tokens, channels);"
            " uint8 (a step is 1/255) or float32; or a text of token ids, a line a sequence",
            metavar="IMAGES",
        ),
    ] = None
    qdq: Annotated[
        File | None,
        Says(
            "write the quantized ONNX file, too (with --calibrate)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=ONNX_FILES,
        ),
    ] = None

    state: Annotated[
        Sequence[str],
        Says(
            "an input of the file, and the output that it becomes for the next call; given again"
            " for more; none: no input [default: those of LSTM, GRU and RNN] (with --calibrate)",
            metavar="IN=OUT",
            typed=list[str],
            read=tuple,
        ),
    ] = ()
    positions: Annotated[
        int,
        Says(
            "rows of the caches of a decoder's step: past and present, by Concat, a scatter or a"
            " Where; the images are sequences of as many tokens (with --calibrate)",
            metavar="N",
        ),
    ] = 0
    chip: Annotated[
        File | None,
        Says(
            "cut the file between this chip (.yaml, a name that ships, or golden) and its host,"
            " where it is not taken whole and equal",
            metavar="CHIP",
        ),
    ] = None
    strict: Annotated[
        bool, Says("what is announced as not exact goes to the host, too (with --chip)")
    ] = False
    differ: Annotated[
        bool, Says("what differs from the runtime stays on the chip (with --chip)")
    ] = False
    least: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Says("share of the multiply-accumulates that must be on the chip (with --chip)"),
    ] = None
    pieces: Annotated[
        File | None,
        Says(
            "write each piece as a file of its own, too (with --chip)",
            metavar="FOLDER",
            use=OUTPUT_FOLDER,
        ),
    ] = None
    kernels: Annotated[
        Choice,
        Says(
            "how sums round: as the runtime's default kernels (XNNPACK, onnxruntime), as the"
            " reference kernels of LiteRT, or half_up, which every chip runs; a file that"
            " export-onnx wrote says so itself"
        ),
    ] = "default"

    no_check: Annotated[
        bool, Says("leave out the run of the file in its runtime, which judges the network")
    ] = False

    def check(self) -> None:
        """Refuse an unknown set of images, and a quantized file where nothing is quantized."""
        from hwgen.data import DATASETS

        if self.dataset and self.dataset not in DATASETS:
            allowed = f"one of {', '.join(DATASETS)}, or left out"
            raise self.refusal("dataset", allowed, with_near(self.dataset, DATASETS))
        if self.qdq is not None and self.calibrate is None:
            raise self.refusal("qdq", "given with --calibrate", self.qdq)
        if self.state and self.calibrate is None:
            raise self.refusal("state", "given with --calibrate", self.state[0])
        if self.positions and (self.calibrate is None or self.state or self.positions < 2):
            allowed = "2 or more, given with --calibrate and without --state"
            raise self.refusal("positions", allowed, self.positions)
        for each in self.state:
            if each.count("=") != 1 and each != NO_STATE:
                raise self.refusal("state", "INPUT=OUTPUT, or none", each)
        self.check_cut()

    def check_cut(self) -> None:
        """Refuse what only a cut has without a chip, and a cut of what cannot be cut."""
        for name in ("strict", "differ", "least", "pieces"):
            if getattr(self, name) not in (None, False) and self.chip is None:
                raise self.refusal(name, "given with --chip", getattr(self, name))
        if self.strict and self.differ:
            raise self.refusal("differ", "left out where --strict is given", "it")
        if self.chip is not None and (self.state or self.positions or self.kernels != "default"):
            allowed = "left out beside --state, --positions and --kernels"
            raise self.refusal("chip", allowed, self.chip)

    @property
    def states(self) -> dict[str, str] | None:
        """By input of the file the output that it becomes; None: those of recurrent nodes."""
        if not self.state:
            return None
        return dict(each.split("=") for each in self.state if each != NO_STATE)

    def run(self) -> ImportReport | PlanReport:
        """Write the network, or the plan of one that is cut."""
        with calibrated() if self.calibrate is not None else nullcontext():
            if self.chip is not None:
                from hwgen.commands.cut import Cutting

                return Cutting(self, Path(self.chip)).run()
            return self.imported()

    def imported(self) -> ImportReport:
        """Write the network, whose refusals may advise to calibrate."""
        calibrate = path_of(self.calibrate)
        graph, made = (
            (read_graph(Path(self.file)), None)
            if calibrate is None
            else calibrated_graph(
                Path(self.file),
                calibrate,
                path_of(self.qdq),
                states=self.states,
                positions=self.positions,
            )
        )
        own = kernels_of(self.kernels, graph.format, source=graph.source)
        return self.written_network(graph, made, graph.kernels or own)

    def lowered(self, graph: IntegerGraph, kernels: Kernels) -> Lowered:
        """Return the network of a graph."""
        return lower(
            graph, kernels=kernels, dataset=self.dataset, class_names=tuple(self.class_names)
        )

    def announced(self, graph: IntegerGraph, lowered: Lowered, kernels: Kernels) -> list[str]:
        """Return the lines on what is not exact."""
        return announced_lines(content_of(graph, lowered, kernels))

    def written_network(
        self, graph: IntegerGraph, made: Calibrated | None, kernels: Kernels
    ) -> ImportReport:
        """Write the network of a graph; return what it is."""
        file, out = Path(self.file), Path(self.out)
        lowered = self.lowered(graph, kernels)
        network = decode(lowered.network) if self.positions else lowered.network
        save_network(network, out)
        content = replace(content_of(graph, lowered, kernels), layers=imported_layers(network))
        if not self.no_check:
            imported = Imported(
                file=file,
                network=network,
                graph=graph,
                kernels=kernels,
                content=content,
                made=made,
                states={} if made is None else made.states,
            )
            content = replace(content, judged=judged(imported))
        return ImportReport(
            format="hwgen.report.import",
            version=1,
            file=Source(name=graph.name, file=str(file), digest=digest_of_file(file)),
            network=Source(name=network.graph.name, file=str(out), digest=network.digest),
            content=content,
            from_float=[] if made is None else made.distances,
            versions=versions(),
        )

    def agrees(self, report: ImportReport | PlanReport) -> bool:
        """Return whether nothing was found that no line names; a finished plan must be equal."""
        if isinstance(report, PlanReport):
            return self.differ or report.equal is not False
        return report.content.judged is None or not report.content.judged.unforeseen

    def table(self, report: ImportReport | PlanReport) -> RenderableType:
        """Return the layers, and what is not exact; of a plan its pieces."""
        return plan_table(report) if isinstance(report, PlanReport) else import_table(report)


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
