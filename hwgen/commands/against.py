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

from hwgen.commands.context import Context
from hwgen.commands.described import describe_import
from hwgen.commands.fields import Data, File, ImageCount, Network, images_of
from hwgen.commands.files import KINDS, kind_of, read_graph
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.judged import Imported, judged
from hwgen.commands.layer_counts import ONE_STEP, Counters
from hwgen.commands.packages import optional_packages
from hwgen.commands.plan_runs import compare_plan
from hwgen.commands.request import Says, Working
from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_file, versions
from hwgen.importers.integer import (
    IntegerGraph,
    RefusedNetworkError,
    folded,
    heads_left_out,
    refusals_of,
)
from hwgen.importers.integer.arithmetic import Kernels, kernels_of
from hwgen.importers.integer.runtime import Runtime
from hwgen.importers.integer.states import states_of, with_states
from hwgen.network import Layer, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.network.verdict import Verdict
from hwgen.plan.file import is_plan
from hwgen.report.agreement import (
    AgreementReport,
    FirstElement,
    LayerAgreement,
)
from hwgen.report.import_tables import agreement_table, announced_lines
from hwgen.report.plans import PlanReport, plan_table
from hwgen.report.types import Source

IMAGES_AT_ONCE = 16
"""Images whose maps are in memory at a time."""
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
        """Return how a network and its file agree."""
        network = load_network(network_file)
        graph = read_graph(file)
        if network.states:
            return self.in_calls(network, graph)
        computed = computed_kernels(network)
        chosen: Target = self.kernels or computed or "reference"
        if chosen == "default":
            graph = graph.read_by(kernels_of(chosen, graph.format, source=graph.source))
        else:
            check_as_written(graph)
        check_pair(network, graph, network_file)
        graph = with_numbers_of(network, graph)
        also = graph.maps[graph.input].shape
        batch = choose_images(network, images_of(self.data), self.images, also=also)
        runtime = KINDS[kind_of(file)].runtime_of(
            file,
            graph,
            answers=sources_of(network),
            default=chosen == "default",
            maps=self.maps,
        )
        names = [layer.source for layer in network.layers if layer.source]
        if chosen == "default" and not self.maps:
            names = sources_of(network)
        counters = counted(self.quiet, network, runtime, batch, names)
        exact = self.kernels is not None or computed is not None
        first = first_of(network, counters) if exact else None
        known = first is not None and chosen == computed
        seen = [agreement(layer, counters) for layer in network.layers if shown(layer, counters)]
        answer = counters.output or counters.end_to_end.get(network.answer)
        classes, wanted = np.concatenate(counters.classes), np.concatenate(counters.wanted)
        pixel = network.map_of(network.answer).shape[:2] == (1, 1)
        return AgreementReport(
            format="hwgen.report.compare",
            version=1,
            network=Source(name=network.graph.name, file=str(network_file), digest=network.digest),
            file=Source(name=graph.name, file=str(file), digest=digest_of_file(file)),
            kind=graph.format,
            runtime=runtime.name,
            data=batch.about,
            exact=exact,
            first=first,
            announced=announced_lines(describe_import(file, chosen)) if known else None,
            layers=seen,
            output=None if answer is None else answer.differences(),
            heads=said_of_heads(graph),
            top_class=float(np.mean(classes == wanted)) if pixel else None,
            accuracy_golden=accuracy(classes, batch),
            accuracy_runtime=accuracy(wanted, batch),
            largest_step=max((layer.same_inputs.largest for layer in seen), default=None),
            versions=versions(),
            # No layer has the arithmetic of a plain session, and all the same it answers.
            judged=None if exact else self.in_session(network, file, batch),
        )

    def in_session(self, network: QuantizedNetwork, file: Path, batch: Batch) -> Verdict:
        """Return how a network that rounds half up compares with the file as people run it."""
        graph = with_numbers_of(network, read_graph(file))
        about = Imported(file=file, network=network, graph=graph, kernels="half_up")
        return judged(about, batch.images, seconds=math.inf)

    def in_calls(self, network: QuantizedNetwork, graph: IntegerGraph) -> AgreementReport:
        """Compare call by call, from a reset on: the images are calls, or rows of a sequence."""
        network_file, file = Path(self.network), Path(self.against)
        kernels: Kernels = "onnxruntime" if computed_kernels(network) == "default" else "half_up"
        graph, states = graph.read_by(kernels), dict[str, str]()
        if not network.graph.positions:
            with optional_packages():
                from hwgen.importers.onnx.external import read_whole_model
                from hwgen.importers.onnx.inputs import parts_of
            parts = parts_of(read_whole_model(file))
            states = states_of(graph, parts, network)
            graph = with_states(graph, parts, states)
        batch = choose_images(network, images_of(self.data), self.images)
        calls = whole_sequences(network, batch.images)
        about = Imported(file=file, network=network, graph=graph, kernels=kernels, states=states)
        verdict = judged(about, calls, seconds=math.inf)
        return AgreementReport(
            format="hwgen.report.compare",
            version=1,
            network=Source(name=network.graph.name, file=str(network_file), digest=network.digest),
            file=Source(name=graph.name, file=str(file), digest=digest_of_file(file)),
            kind=graph.format,
            runtime=verdict.runtime,
            data=batch.about,
            exact=kernels != "half_up",
            first=None,
            layers=[],
            output=None,
            judged=verdict,
            top_class=None,
            accuracy_golden=None,
            accuracy_runtime=None,
            largest_step=verdict.steps,
            versions=versions(),
        )

    def table(self, report: AgreementReport | PlanReport) -> RenderableType:
        """Return the differences of each layer, or of each piece."""
        if isinstance(report, PlanReport):
            return plan_table(report)
        return agreement_table(report)

    def agrees(self, report: AgreementReport | PlanReport) -> bool:
        """Return whether nothing differs that must not."""
        if isinstance(report, PlanReport):
            return report.equal is not False or not report.exact
        verdict = report.judged
        if verdict is not None and report.in_calls and (report.exact or verdict.unjudged):
            return verdict.equal
        return report.first is None and (report.largest_step or 0) <= ONE_STEP


def whole_sequences(network: QuantizedNetwork, images: NDArray[Any]) -> NDArray[Any]:
    """Return rows of a decoder, one a call, as images of as many rows as it has positions.

    Rows behind the last call are empty, which no row before them sees.
    """
    count = network.graph.positions
    if not count:
        return images
    rows = np.concatenate([images, np.zeros((-len(images) % count, *images.shape[1:]), np.uint8)])
    return rows.reshape(-1, count, 1, images.shape[-1])


def computed_kernels(network: QuantizedNetwork) -> Target | None:
    """Return the kernels whose arithmetic a network computes; None: it rounds half up alone.

    Where no layer scales, a network computes as every kernel does.
    """
    unscaled = all(each.op in UNSCALED or each.output.raw for each in network.layers)
    if "float32" in network.roundings or unscaled:
        return "default"
    return "reference" if "tflite" in network.roundings else None


def said_of_heads(graph: IntegerGraph) -> list[str]:
    """Return a sentence for each output of a file whose last functions a network leaves out."""
    return [
        f"output {name} is compared before"
        f" {', '.join(f'{each.operator} ({each.name})' for each in reversed(nodes))}: at the map"
        f" {nodes[-1].inputs[0]}"
        for name, nodes in heads_left_out(graph).items()
    ]


def sources_of(network: QuantizedNetwork) -> list[str]:
    """Return the names of the outputs in the file."""
    sources = {layer.name: layer.source for layer in network.layers}
    return [sources[name] for name in network.graph.outputs]


def first_of(network: QuantizedNetwork, counters: Counters) -> FirstElement | None:
    """Return the first element that differs, in the first layer that differs."""
    names = [layer.name for layer in network.layers if layer.name in counters.firsts]
    return counters.firsts[names[0]] if names else None


def counted(
    context: Context,
    network: QuantizedNetwork,
    runtime: Runtime,
    batch: Batch,
    names: list[str],
) -> Counters:
    """Return the counters over all images, a few at a time; names: of maps of the file."""
    counters = Counters()
    with context.progress("images", total=len(batch.images)) as advance:
        for first in range(0, len(batch.images), IMAGES_AT_ONCE):
            images = batch.images[first : first + IMAGES_AT_ONCE]
            counters.add(network, runtime.run(images, names))
            for _ in images:
                advance()
    return counters


def check_as_written(graph: IntegerGraph) -> None:
    """Refuse a file that can be read as its runtime rewrites it alone."""
    refused = refusals_of(folded(graph))
    if refused and graph.in_session and not refusals_of(folded(graph.in_session)):
        raise FormatError(
            field="--kernels",
            allowed=f"default for a file that is read as {graph.runtime} rewrites it",
            given=f"reference; as it is written, {refused[0].sentence}",
            source=graph.source,
        )


def check_pair(network: QuantizedNetwork, graph: IntegerGraph, source: Path) -> None:
    """Refuse a file that cannot be imported, and a network with another image."""
    graph = folded(graph)
    refused = refusals_of(graph)
    if refused:
        raise RefusedNetworkError(source=graph.source, refusals=refused)
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


def with_numbers_of(network: QuantizedNetwork, graph: IntegerGraph) -> IntegerGraph:
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


def shown(layer: Layer, counters: Counters) -> bool:
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
