"""`hwgen compare`: golden and the runtime of the file that a network was imported from."""

from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from hwgen.commands.context import Context
from hwgen.commands.digests import digest_of_file, versions
from hwgen.commands.fields import Data, File, ImageCount, Network, images_of
from hwgen.commands.files import KINDS, kind_of, read_graph
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.load import load
from hwgen.commands.request import Says, Working
from hwgen.errors import DataError, FormatError
from hwgen.importers.integer import IntegerGraph, RefusedNetworkError, folded, refusals_of
from hwgen.importers.integer.runtime import Outcome, Runtime
from hwgen.network import Layer, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.report.agreement import (
    AgreementReport,
    Differences,
    FirstElement,
    LayerAgreement,
)
from hwgen.report.import_tables import agreement_table
from hwgen.report.types import Source

IMAGES_AT_ONCE = 16
"""Images whose maps are in memory at a time."""
ONE_STEP = 1
Target = Literal["default", "reference"]
"""Kernels of a runtime: its default ones, or those that leave every layer visible."""


@dataclass
class Counter:
    """Differences of one map, summed over images."""

    elements: int = 0
    one_step: int = 0
    larger: int = 0
    largest: int = 0

    def add(self, given: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Count the differences of some images."""
        steps = np.abs(given.astype(np.int64) - wanted.astype(np.int64))
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

    def add(self, network: QuantizedNetwork, images: NDArray[Any], outcome: Outcome) -> None:
        """Count some images."""
        golden = load("golden.network")
        maps = golden.infer(network, images)
        answers = maps[network.answer].reshape(len(images), -1)
        if answers.shape[1] != outcome.answers.shape[1]:
            raise DataError(
                f"the answers must have {outcome.answers.shape[1]} elements as those of the file,"
                f" got {answers.shape[1]}"
            )
        self.classes.append(answers.argmax(axis=1))
        self.wanted.append(outcome.answers.argmax(axis=1))
        if not outcome.maps:
            return
        # Maps of the runtime; behind a layer that it does not show, those of golden.
        given = {"input": images}
        for layer in network.layers:
            result = golden.infer_layer(network, layer, [given[name] for name in layer.inputs])
            shown = outcome.maps.get(layer.source)
            given[layer.name] = result if shown is None else shown.reshape(result.shape)
            if shown is not None:
                wanted = given[layer.name]
                self.same_inputs.setdefault(layer.name, Counter()).add(result, wanted)
                self.end_to_end.setdefault(layer.name, Counter()).add(maps[layer.name], wanted)
                self.note_first(layer, result, wanted)
        self.images += len(images)

    def note_first(self, layer: Layer, result: NDArray[Any], wanted: NDArray[Any]) -> None:
        """Note the first element of a layer that differs."""
        places = np.argwhere(result != wanted)
        if len(places) and layer.name not in self.firsts:
            image, y, x, channel = (int(each) for each in places[0])
            self.firsts[layer.name] = FirstElement(
                layer=layer.name,
                image=self.images + image,
                y=y,
                x=x,
                channel=channel,
                golden=int(result[image, y, x, channel]),
                runtime=int(wanted[image, y, x, channel]),
            )


@dataclass(frozen=True)
class Compare(
    Working,
    command="compare",
    example="network.npz --against network.tflite --data images.npz",
):
    """Compare golden with the runtime of the original file: LiteRT or onnxruntime.

    A network that rounds as the runtime does must answer the same in every element: exit code 1 and
    the first element that differs if one does. One that rounds half up differs beside ties: each
    layer is compared on the runtime's own inputs, and end to end; exit code 1 if a layer differs
    by more than one step on the same inputs.
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

    def run(self) -> AgreementReport:
        """Compare."""
        network_file, file = Path(self.network), Path(self.against)
        network = load_network(network_file)
        graph = read_graph(file)
        check_pair(network, graph, network_file)
        batch = choose_images(network, images_of(self.data), self.images)
        computed = computed_kernels(network)
        chosen: Target = self.kernels or computed or "reference"
        runtime: Runtime = load(KINDS[kind_of(file)].runtime).runtime_of(
            file, graph, answer=source_of(network), default=chosen == "default"
        )
        names = [layer.source for layer in network.layers if layer.source]
        if chosen == "default":
            names = [source_of(network)]
        counters = counted(self.quiet, network, runtime, batch, names)
        exact = self.kernels is not None or computed is not None
        seen = [agreement(layer, counters) for layer in network.layers if shown(layer, counters)]
        answer = counters.end_to_end.get(network.answer)
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
            first=first_of(network, counters) if exact else None,
            layers=seen,
            output=None if answer is None else answer.differences(),
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
    """Return the kernels whose arithmetic a network computes; None: it rounds half up alone."""
    if "tflite" in network.roundings:
        return "reference"
    return "default" if "float32" in network.roundings else None


def source_of(network: QuantizedNetwork) -> str:
    """Return the name of the answer in the file."""
    return next(layer.source for layer in network.layers if layer.name == network.answer)


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
            counters.add(network, images, runtime.run(images, names))
            for _ in images:
                advance()
    return counters


def check_pair(network: QuantizedNetwork, graph: IntegerGraph, source: Path) -> None:
    """Refuse a file that cannot be imported, and a network with another image."""
    graph = folded(graph)
    refused = refusals_of(graph)
    if refused:
        raise RefusedNetworkError(source=graph.source, refusals=refused)
    wanted, given = graph.maps[graph.input].feature_map(), network.graph.input
    if (given.shape, given.quantization[0].scale, given.quantization[0].zero_point) != (
        wanted.shape,
        wanted.quantization[0].scale,
        wanted.quantization[0].zero_point,
    ):
        raise FormatError(
            field="the input of the network",
            allowed=f"that of {graph.source} (shape, scale and zero point)",
            given="another",
            source=str(source),
        )


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
