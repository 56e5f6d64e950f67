"""`hwgen compare`: golden and the runtime of the file that a network was imported from.

Tests: `tests/commands/test_fit.py`.
"""

import math
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from hwgen.commands.described import content_of
from hwgen.commands.fields import Data, File, ImageCount, Network, images_of
from hwgen.commands.files import KINDS, read_graph
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.judged import Imported, counters_of, verdict_of
from hwgen.commands.layer_counts import ONE_STEP, Counters
from hwgen.commands.packages import optional_packages
from hwgen.commands.plan_runs import compare_plan
from hwgen.commands.request import Says, Working
from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_file, versions
from hwgen.importers import integer
from hwgen.importers.integer.arithmetic import Kernels, kernels_of
from hwgen.importers.integer.fold import before_head
from hwgen.importers.integer.runtime import Runtime
from hwgen.importers.integer.states import states_of, with_states
from hwgen.importers.judge import Outputs
from hwgen.network import Layer, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.network.verdict import Verdict
from hwgen.plan.file import is_plan
from hwgen.report.agreement import (
    AgreementReport,
    Differences,
    FirstElement,
    LayerAgreement,
)
from hwgen.report.import_tables import agreement_table, announced_lines
from hwgen.report.plans import PlanReport, plan_table
from hwgen.report.types import Source

UNSCALED = frozenset({"max_pool", "reshape", "shortcut", "transpose", "upsample"})
"""Layers that only move or pick elements."""
Target = Literal["default", "reference"]
"""Kernels of a runtime: its default ones, or those that leave every layer visible."""


@dataclass(frozen=True)
class Compare(
    Working,
    command="compare",
    example="network.npz --against network.tflite --data images.npz",
):
    """Compare golden with the runtime of the original file: LiteRT or onnxruntime.

    A network that rounds as the runtime does must answer the same in every element: exit code 1 if
    one does not, with the first that differs and what the import said of it. One that rounds half
    up differs beside ties: each layer is compared on the runtime's own inputs, and end to end; exit
    code 1 if a layer differs by more than one step on the same inputs.
    """

    network: Network
    against: Annotated[
        File, Says("the file that it was imported from (TFLite or ONNX)", metavar="FILE")
    ]
    _: KW_ONLY
    data: Data = None
    images: ImageCount = None
    kernels: Annotated[
        Target | None,
        Says(
            "default: the answers with the runtime's default kernels; reference: all layers"
            " with LiteRT's reference kernels, with onnxruntime's without optimization"
            " [default: those whose arithmetic the network computes]"
        ),
    ] = None

    maps: Annotated[
        bool,
        Says("with the default kernels of onnxruntime: every map that the file shows, too"),
    ] = False

    def run(self) -> AgreementReport | PlanReport:
        """Compare."""
        network_file, file = Path(self.network), Path(self.against)
        if is_plan(network_file):
            if self.kernels is not None or self.maps:
                name = "maps" if self.maps else "kernels"
                raise self.refusal(name, "left out for a plan", getattr(self, name))
            data = images_of(self.data)
            return compare_plan(self.quiet, network_file, file, data=data, images=self.images)
        return self.of_network(network_file, file)

    def of_network(self, network_file: Path, file: Path) -> AgreementReport:
        """Return how a network and its file agree; calls are rows of a sequence, or images."""
        network, graph = load_network(network_file), read_graph(file)
        computed, states = computed_kernels(network), dict[str, str]()
        exact = self.kernels is not None or computed is not None
        chosen: Target = self.kernels or computed or "reference"
        kernels: Kernels = "half_up"
        if chosen == "default" or (exact and graph.format == "TFLite"):
            kernels = kernels_of(chosen, graph.format, source=graph.source)
        content, also = None, tuple[int, ...]()
        if network.states:
            graph, states = in_calls(network, graph.read_by(kernels), file)
        else:
            if chosen == "reference":
                check_as_written(graph)
            check_pair(network, graph.read_by(kernels), network_file)
            if chosen == computed:
                content = content_of(graph, integer.lower(graph, kernels=kernels), kernels)
            graph = with_numbers_of(network, read_as(network, graph, kernels))
            also = graph.maps[graph.input].shape
        batch = choose_images(network, images_of(self.data), self.images, also=also)
        about = Imported(
            file=file,
            network=network,
            graph=graph,
            kernels=kernels,
            content=content,
            states=states,
        )
        images = whole_sequences(network, batch.images, graph.maps[graph.input].shape[2])
        with self.quiet.status(f"{file.name} is run in its runtime"), optional_packages():
            verdict, ours, theirs = answered(about, images)
            counters, runtime = Counters(), verdict.runtime
            if (chosen == "reference" or self.maps) and not network.states:
                shown = self.shown_by(graph, file, chosen)
                names = [layer.source for layer in network.layers if layer.source]
                counters, runtime = counters_of(network, shown, images, names), shown.name
        first = first_of(network, counters) if exact else None
        seen = [agreement(layer, counters) for layer in network.layers if has_map(layer, counters)]
        pixel = network.map_of(network.answer).shape[:2] == (1, 1) and not network.states
        steps = max((layer.same_inputs.largest for layer in seen), default=None)
        plain = [name for name in verdict.outputs if is_plain(graph, name)]
        differs = first is not None
        if kernels != "half_up":
            differs = differs or bool(plain) or verdict.steps > ONE_STEP
        elif not exact:
            differs = (verdict.steps if network.states else steps or 0) > ONE_STEP
        return AgreementReport(
            format="hwgen.report.compare",
            version=1,
            network=Source(name=network.graph.name, file=str(network_file), digest=network.digest),
            file=Source(name=graph.name, file=str(file), digest=digest_of_file(file)),
            kind=graph.format,
            runtime=runtime,
            data=batch.about,
            exact=exact,
            first=first,
            agrees=not differs,
            announced=announced_lines(content) if content is not None and differs else None,
            layers=seen,
            output=output_of(network, verdict, counters, kernels),
            top_class=float(np.mean(ours == theirs)) if pixel else None,
            accuracy_golden=accuracy(ours, batch),
            accuracy_runtime=accuracy(theirs, batch),
            largest_step=verdict.steps if network.states else steps,
            versions=versions(),
            judged=verdict,
        )

    def shown_by(self, graph: integer.IntegerGraph, file: Path, chosen: Target) -> Runtime:
        """Return a file in its runtime, as it shows maps."""
        if chosen == "default" and graph.format == "TFLite":
            allowed = "left out, or given with --kernels reference, for TFLite"
            raise self.refusal("maps", allowed, "LiteRT's default kernels, which show none")
        return KINDS[graph.format].runtime_of(file, graph, default=chosen == "default")

    def table(self, report: AgreementReport | PlanReport) -> RenderableType:
        """Return the differences of each layer, or of each piece."""
        if isinstance(report, PlanReport):
            return plan_table(report)
        return agreement_table(report)

    def agrees(self, report: AgreementReport | PlanReport) -> bool:
        """Return whether nothing differs that must not."""
        if isinstance(report, PlanReport):
            return report.equal is not False or not report.exact
        return report.agrees


def answered(
    imported: Imported, images: NDArray[Any]
) -> tuple[Verdict, NDArray[np.int64], NDArray[np.int64]]:
    """Return what a file says of a network on all images, and the class of each.

    Golden's, then the runtime's: the largest element of the first output, or a number of a class.
    A file whose last nodes are the host's, and cannot be played, answers with what they read.
    """
    classes: tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]] = [], []

    def heard(wanted: Outputs, found: Outputs) -> None:
        name = next(iter(wanted))
        for listed, array in zip(classes, (found[name], wanted[name]), strict=True):
            rows = array.reshape(len(array), -1)
            number = rows.shape[1] == 1 and rows.dtype.kind == "i"
            listed.append(rows[:, 0] if number else rows.argmax(axis=1))

    try:
        verdict = verdict_of(imported, images, seconds=math.inf, heard=heard)
    except FormatError:
        cut = first_nodes(imported.file, imported.graph)
        if cut is None:
            raise
        imported = replace(imported, cut=cut)
        verdict = verdict_of(imported, images, seconds=math.inf, heard=heard)
    # A last call is filled up, and a file may have run twice.
    ours, theirs = (np.concatenate(each)[-verdict.images :][: len(images)] for each in classes)
    return verdict, ours, theirs


def is_plain(graph: integer.IntegerGraph, output: str) -> bool:
    """Return whether an output is maps of the network, with no function behind."""
    end = graph.ends.get(output)
    if end is None:
        return False
    return all(before_head(graph, name) == name for name in end.maps)


def first_nodes(file: Path, graph: integer.IntegerGraph) -> Any:
    """Return the nodes of an ONNX file up to the ends of its graph; None: there are no others."""
    if graph.format != "ONNX":
        return None
    from hwgen.importers.onnx.external import read_whole_model
    from hwgen.importers.onnx.runtime import ending_at

    model = read_whole_model(file)
    cut = ending_at(model, graph.ends)
    return None if cut is model else cut


def in_calls(
    network: QuantizedNetwork, graph: integer.IntegerGraph, file: Path
) -> tuple[integer.IntegerGraph, dict[str, str]]:
    """Return the graph of a network with states, and by input the output that it becomes."""
    if network.graph.positions:
        return graph, {}
    with optional_packages():
        from hwgen.importers.onnx.external import read_whole_model
        from hwgen.importers.onnx.inputs import parts_of
    parts = parts_of(read_whole_model(file))
    states = states_of(graph, parts, network)
    return with_states(graph, parts, states), states


def output_of(
    network: QuantizedNetwork, verdict: Verdict, counters: Counters, kernels: Kernels
) -> Differences | None:
    """Return what a verdict counts over all outputs; of other kernels the map of the answer."""
    if kernels == "half_up":
        answer = counters.end_to_end.get(network.answer)
        return None if answer is None else answer.differences()
    return Differences(
        elements=verdict.elements,
        equal=1 - verdict.different / verdict.elements,
        one_step=verdict.different - verdict.larger,
        larger=verdict.larger,
        largest=verdict.steps,
    )


def whole_sequences(network: QuantizedNetwork, images: NDArray[Any], channels: int) -> NDArray[Any]:
    """Return rows of a decoder, one a call, as images of as many rows as it has positions.

    channels: of the file's image, which are the first; the position decides all others
    Rows behind the last call are empty, which no row before them sees.
    """
    count = network.graph.positions
    if not count:
        return images
    rows = np.concatenate([images, np.zeros((-len(images) % count, *images.shape[1:]), np.uint8)])
    return rows[..., :channels].reshape(-1, count, 1, channels)


def computed_kernels(network: QuantizedNetwork) -> Target | None:
    """Return the kernels whose arithmetic a network computes; None: it rounds half up alone.

    Where no layer scales, a network computes as every kernel does.
    """
    unscaled = all(each.op in UNSCALED or each.output.raw for each in network.layers)
    if "float32" in network.roundings or unscaled:
        return "default"
    return "reference" if "tflite" in network.roundings else None


def read_as(
    network: QuantizedNetwork, graph: integer.IntegerGraph, kernels: Kernels
) -> integer.IntegerGraph:
    """Return the graph that has the network's outputs: as kernels read it, else as it is written.

    Without the runtime a file is imported as it is written.
    """
    read = graph.read_by(kernels)
    sources = {layer.source for layer in network.layers if layer.name in network.graph.outputs}
    return read if sources <= set(read.maps) else replace(graph, in_session=None)


def first_of(network: QuantizedNetwork, counters: Counters) -> FirstElement | None:
    """Return the first element that differs, in the first layer that differs."""
    names = [layer.name for layer in network.layers if layer.name in counters.firsts]
    return counters.firsts[names[0]] if names else None


def check_as_written(graph: integer.IntegerGraph) -> None:
    """Refuse a file that can be read as its runtime rewrites it alone."""
    refused = integer.refusals_of(integer.folded(graph))
    if refused and graph.in_session and not integer.refusals_of(integer.folded(graph.in_session)):
        raise FormatError(
            field="--kernels",
            allowed=f"default for a file that is read as {graph.runtime} rewrites it",
            given=f"reference; as it is written, {refused[0].sentence}",
            source=graph.source,
        )


def check_pair(network: QuantizedNetwork, graph: integer.IntegerGraph, source: Path) -> None:
    """Refuse a file that cannot be imported, and a network with another image."""
    graph = integer.folded(graph)
    refused = integer.refusals_of(graph)
    if refused:
        raise integer.RefusedNetworkError(source=graph.source, refusals=refused)
    wanted, given = graph.maps[graph.input].feature_map(), network.graph.input
    if given.shape != wanted.shape:
        raise FormatError(
            field="the image of the network",
            allowed=f"{said_shape(wanted.shape)} as that of {graph.source}: import it again, and"
            " turn its images",
            given=said_shape(given.shape),
            source=str(source),
        )
    if (given.quantization[0].scale, given.quantization[0].zero_point) != (
        wanted.quantization[0].scale,
        wanted.quantization[0].zero_point,
    ):
        raise FormatError(
            field="the input of the network",
            allowed=f"that of {graph.source} (scale and zero point)",
            given="another",
            source=str(source),
        )
    if graph.raw_image != network.raw_image or not np.array_equal(
        no_places(graph.answer_places), no_places(network.answer_places)
    ):
        raise FormatError(
            field="the steps before the image and the order of the answer",
            allowed=f"those of {graph.source}: import it again",
            given="others",
            source=str(source),
        )


def with_numbers_of(network: QuantizedNetwork, graph: integer.IntegerGraph) -> integer.IntegerGraph:
    """Return a graph whose maps have the scales and zero points of a network's layers.

    So the answers of the runtime are held against the real numbers of the network, whatever the
    file was read as when it was imported.
    """
    maps = dict(graph.maps)
    for layer in network.layers:
        values = maps.get(layer.source)
        if values is not None and not values.raw and not layer.output.raw:
            held = layer.output.quantization[0]
            maps[layer.source] = replace(
                values, scale=held.scale, zero_point=held.zero_point - values.offset
            )
    return replace(graph, maps=maps)


def said_shape(shape: tuple[int, ...]) -> str:
    """Return rows, columns and channels for a message."""
    return " x ".join(map(str, shape))


def no_places(places: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the order of an answer; an empty array for that of the map."""
    return np.zeros(0, np.int64) if places is None else places


def has_map(layer: Layer, counters: Counters) -> bool:
    """Return whether the runtime shows the map of a layer."""
    return layer.name in counters.same_inputs


def agreement(layer: Layer, counters: Counters) -> LayerAgreement:
    """Return what was counted for one layer."""
    return LayerAgreement(
        name=layer.name,
        kind=layer.op,
        source=layer.source,
        same_inputs=counters.same_inputs[layer.name].differences(),
        end_to_end=counters.end_to_end[layer.name].differences(),
    )


def accuracy(classes: NDArray[np.int64], batch: Batch) -> float | None:
    """Return the fraction of images whose class is their label; None without labels."""
    return None if batch.labels is None else float(np.mean(classes == batch.labels))
