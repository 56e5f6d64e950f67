"""`hwgen compare`: golden and the runtime of the file that a network was imported from.

Tests: `tests/commands/test_fit.py`.
"""

from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from hwgen.commands.context import Context
from hwgen.commands.fields import Data, File, ImageCount, Network, images_of
from hwgen.commands.files import KINDS, kind_of, read_graph
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.imports import describe_import
from hwgen.commands.request import Says, Working
from hwgen.commands.subject import check_stateless
from hwgen.errors import DataError, FormatError
from hwgen.files.digests import digest_of_file, versions
from hwgen.importers.integer import (
    IntegerGraph,
    RefusedNetworkError,
    folded,
    heads_left_out,
    refusals_of,
)
from hwgen.importers.integer.arithmetic import kernels_of
from hwgen.importers.integer.runtime import ABSENT, Outcome, Runtime
from hwgen.network import Layer, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.report.agreement import (
    AgreementReport,
    Differences,
    FirstElement,
    LayerAgreement,
)
from hwgen.report.import_tables import agreement_table, announced_lines
from hwgen.report.types import Source

IMAGES_AT_ONCE = 16
"""Images whose maps are in memory at a time."""
ONE_STEP = 1
UNSCALED = frozenset({"max_pool", "reshape", "shortcut", "transpose", "upsample"})
"""Layers that only move or pick elements."""
Target = Literal["default", "reference"]
"""Kernels of a runtime: its default ones, or those that leave every layer visible."""


@dataclass
class Counter:
    """Differences of one map, summed over images; what lies between two steps differs by one."""

    elements: int = 0
    one_step: int = 0
    larger: int = 0
    largest: int = 0

    def add(self, given: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Count the differences of some images."""
        steps = np.ceil(np.abs(given.astype(np.float64) - wanted.astype(np.float64)))
        self.elements += steps.size
        self.one_step += int((steps == ONE_STEP).sum())
        self.larger += int((steps > ONE_STEP).sum())
        self.largest = max(self.largest, int(steps.max(initial=0)))

    def differences(self) -> Differences:
        """Return the sums."""
        different = self.one_step + self.larger
        return Differences(
            elements=self.elements,
            equal=1 - different / self.elements,
            one_step=self.one_step,
            larger=self.larger,
            largest=self.largest,
        )


@dataclass
class Counters:
    """Everything that is counted, over all images."""

    same_inputs: dict[str, Counter] = field(default_factory=dict)
    end_to_end: dict[str, Counter] = field(default_factory=dict)
    classes: list[NDArray[np.int64]] = field(default_factory=list)
    wanted: list[NDArray[np.int64]] = field(default_factory=list)
    images: int = 0
    firsts: dict[str, FirstElement] = field(default_factory=dict)
    output: Counter | None = None

    def add(self, network: QuantizedNetwork, outcome: Outcome) -> None:
        """Count some images."""
        from golden import network as golden

        images = outcome.images
        maps = golden.infer(network, images)
        answers = network.file_answer(maps).reshape(len(images), -1)
        if answers.shape[1] != outcome.answers.shape[1]:
            raise DataError(
                f"the answers must have {outcome.answers.shape[1]} elements as those of the file,"
                f" got {answers.shape[1]}"
            )
        listed = len(network.answer_parts) > 1
        scores = answers if listed else network.scores(maps[network.answer])
        self.classes.append(scores.argmax(axis=1))
        self.wanted.append(outcome.answers.argmax(axis=1))
        # Maps of the runtime; behind a layer that it does not show, those of golden.
        given = {"input": images}
        for layer in network.layers:
            result = maps[layer.name]
            if layer.inputs:
                read = [given[name] for name in layer.inputs]
                result = golden.infer_layer(network, layer, read)
            shown = outcome.maps.get(layer.source)
            given[layer.name] = result if shown is None else shown.reshape(result.shape)
            if shown is not None:
                wanted = given[layer.name]
                self.same_inputs.setdefault(layer.name, Counter()).add(result, wanted)
                self.end_to_end.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.note_first(layer, result, wanted)
            elif layer.source in outcome.further and (listed or layer.name != network.answer):
                known = outcome.further[layer.source].reshape(result.shape)
                wanted = np.where(known == ABSENT, maps[layer.name], known)
                self.same_inputs.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.end_to_end.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.note_first(layer, maps[layer.name], wanted)
        if outcome.integers is not None:
            self.add_answers(network, answers, outcome.integers)
        self.images += len(images)

    def add_answers(
        self, network: QuantizedNetwork, answers: NDArray[Any], wanted: NDArray[Any]
    ) -> None:
        """Count golden's answers against the outputs of the file itself."""
        self.output = self.output or Counter()
        self.output.add(answers, wanted)
        if len(network.answer_parts) == 1:
            self.same_inputs.setdefault(network.answer, self.output)
            self.end_to_end.setdefault(network.answer, self.output)
        for image, place in np.argwhere(answers != wanted)[:1]:
            places = network.answer_places
            element = place if places is None else max(int(places.reshape(-1)[place]), 0)
            name, where = network.answer_element(element)
            found = int(answers[image, place]), wanted[image, place].item()
            self.set_first(name, int(image), where, found)

    def note_first(self, layer: Layer, result: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Note the first element of a layer that differs."""
        places = np.argwhere(result != wanted)
        if len(places):
            image, y, x, channel = (int(each) for each in places[0])
            found = int(result[image, y, x, channel]), wanted[image, y, x, channel].item()
            self.set_first(layer.name, image, (y, x, channel), found)

    def set_first(
        self, layer: str, image: int, place: tuple[int, ...], found: tuple[int, float]
    ) -> None:
        """Set the first element of a layer that differs, if there is none yet.

        image: among those that are counted now; place: row, column, channel; found: of golden and
        of the runtime
        """
        first = FirstElement(
            layer=layer,
            image=self.images + image,
            y=place[0],
            x=place[1],
            channel=place[2],
            golden=found[0],
            runtime=found[1],
        )
        self.firsts.setdefault(layer, first)


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

    def run(self) -> AgreementReport:
        """Compare."""
        network_file, file = Path(self.network), Path(self.against)
        network = load_network(network_file)
        check_stateless(network, "compare")
        graph = read_graph(file)
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
        )

    def table(self, report: AgreementReport) -> RenderableType:
        """Return the differences of each layer."""
        return agreement_table(report)

    def agrees(self, report: AgreementReport) -> bool:
        """Return whether nothing differs that must not."""
        return report.first is None and (report.largest_step or 0) <= ONE_STEP


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
