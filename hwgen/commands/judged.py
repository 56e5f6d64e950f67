"""An imported network, judged by the file that it came from: golden against the file's runtime.

Tests: `tests/commands/test_judged.py`.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from hwgen.commands.exchange import Calibrated
from hwgen.commands.files import KINDS
from hwgen.commands.images import SEED
from hwgen.commands.layer_counts import Counters
from hwgen.commands.packages import optional_packages
from hwgen.errors import FormatError, HwgenError
from hwgen.files.digests import digest_of, digest_of_code, digest_of_file, versions
from hwgen.importers.integer import IntegerGraph, heads_left_out, lower
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.integer.nodes import Node
from hwgen.importers.integer.runtime import Runtime
from hwgen.importers.judge import IMAGES, SECONDS, Feeds, Outputs, judge
from hwgen.jobs.store import MISSING, Store
from hwgen.network import QuantizedNetwork
from hwgen.network.verdict import Verdict
from hwgen.report.imports import ImportInfo

IMAGES_AT_ONCE = 16
"""Whose maps are in memory at a time."""
QUANTIZED = "the quantized file (--qdq)"
"""How a file is called that `--calibrate` makes."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What is judged, and what its lines say.

    network: that was written; graph: that was lowered; kernels: whose arithmetic it computes
    states: by input of the file the output that it becomes
    content: the lines; None: no difference is explained
    made: of a float file; None: the file was quantized
    step: the float file is a decoder's step, called at each position
    cut: in place of the file a model of its first nodes; None: the file itself
    """

    file: Path
    network: QuantizedNetwork
    graph: IntegerGraph
    kernels: Kernels
    content: ImportInfo | None = None
    made: Calibrated | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    cut: Any = None
    step: bool = False

    @property
    def name(self) -> str:
        """The name of the file for lines."""
        return QUANTIZED if self.made else self.file.name


class Player:
    """Golden, call by call; ends: of the file, which give images of feeds, and outputs of maps."""

    def __init__(self, network: QuantizedNetwork, ends: Any) -> None:
        self._network, self._ends = network, ends
        self._session: Any = None

    def __call__(self, feeds: Feeds) -> Outputs:
        """Return all outputs of a call."""
        from golden import network as golden
        from golden.states import Session, calls

        network = self._network
        images, image = self._ends.integers(feeds), network.graph.input
        if network.graph.positions:
            tokens = images.reshape(-1, images.shape[-1])
            if network.token_rows is not None:
                tokens = network.token_rows.completed(tokens, image)
            stepped = calls(network, tokens.reshape(-1, *image.shape))
            maps = {name: each.reshape(1, -1, 1, each.shape[-1]) for name, each in stepped.items()}
        elif network.states:
            images = images.reshape(-1, *image.shape)
            self._session = self._session or Session(network, streams=len(images))
            maps = self._session.step(images)
        else:
            maps = golden.outputs(network, images.reshape(-1, *image.shape))
        sources = {layer.source: maps[layer.name] for layer in network.layers if layer.name in maps}
        return self._ends.outputs(sources)  # type: ignore[no-any-return]


def judged(imported: Imported) -> Verdict:
    """Return what the file and its runtime say of a network; it raises nothing for what they lack.

    The images are a few of those that a float file was quantized with, else drawn.
    """
    try:
        with optional_packages():
            return verdict_of(imported)
    except HwgenError as error:
        return Verdict(file=imported.name, unjudged=str(error))


def judged_once(work: Path, imported: Imported) -> Verdict:
    """Return what `judged` does; what was found once for a file lies in the work folder."""
    code = [digest_of_code("golden", "hwgen.commands", "hwgen.importers", "hwgen.network")]
    store = Store(work / "judged", code=digest_of([*code, versions(), *runtime_versions()]))
    task = {"file": digest_of_file(imported.file), "kernels": imported.kernels}
    known = store.read("judged", task)
    if known is MISSING:
        known = asdict(judged(imported))
        store.write("judged", task, known)
    return TypeAdapter(Verdict).validate_json(json.dumps(known))


def runtime_versions() -> list[str]:
    """Return the runtimes that are installed, with their versions."""
    return [
        f"{each} {version(each)}"
        for each in ("onnxruntime", "ai-edge-litert")
        if find_spec(each.replace("-", "_")) is not None
    ]


def verdict_of(
    imported: Imported,
    given_images: NDArray[Any] | None = None,
    *,
    seconds: float = SECONDS,
    heard: Callable[[Outputs, Outputs], None] = lambda _wanted, _found: None,
) -> Verdict:
    """Return what the file and its runtime say of a network. Raises what stands in the way.

    given_images: integers of the network's; None: see `judged`
    seconds: after which no further call begins
    heard: is told of the outputs of each call, again for each run of the file
    """
    file, made, graph = imported.file, imported.made, imported.graph.read_by(imported.kernels)
    kind = KINDS[graph.format]
    content = (file if imported.cut is None else imported.cut) if made is None else made.model
    states = imported.states
    ends = kind.ends(content, graph, states)
    chosen: dict[str, Any] = {"default": imported.kernels != "reference", "states": states}
    given = kind.as_given(content, **chosen)
    images = images_of(imported, ends) if given_images is None else ends.drawn(given_images)
    inputs = list(ends.feeds(images))
    real = None if made is None else float_file(imported)

    def found_by(given: Any) -> Verdict:
        player = Player(imported.network, ends)
        return judge(
            player,
            given,
            inputs,
            file=imported.name,
            grids=ends.grids,
            real=real,
            seconds=seconds,
            heard=heard,
        )

    found = found_by(given)
    if found.different and given.setting:
        try:
            precise = kind.as_given(content, **chosen, precise=True)
        except FormatError:
            told = f"{given.setting}, which cannot be told from a fault: exact sums are refused"
            return replace(found, setting=told)
        setting = f"{precise.setting}: without it {found.different:,} elements differ"
        found = replace(found_by(precise), setting=setting)
    if imported.kernels == "half_up":
        return replace(found, unforeseen=[])
    if imported.content is None or not found.different:
        return found
    return explained(imported, imported.content, found, images[: found.images])


def images_of(imported: Imported, ends: Any) -> NDArray[Any]:
    """Return the images that are judged, as the file reads them: NHWC."""
    if imported.made is not None:
        images = imported.made.images[:IMAGES]
        return images / np.float32(255) if images.dtype == np.uint8 else images.astype(np.float32)
    image, chance = imported.network.graph.input, np.random.default_rng(SEED)
    shape = (IMAGES, *image.shape)
    drawn = chance.integers(0, 1 << image.bits, shape, dtype=image.dtype)
    return ends.drawn(drawn)  # type: ignore[no-any-return]


def float_file(imported: Imported) -> Any:
    """Return the file of the user as it answers: whole, or a step of a decoder call by call."""
    from hwgen.importers.onnx.as_given import as_given
    from hwgen.importers.onnx.external import read_whole_model
    from hwgen.importers.onnx.step_file import StepFile
    from hwgen.importers.onnx.token_ids import with_rows_given

    if imported.step:
        return StepFile(imported.file, imported.network.graph.positions)
    whole = read_whole_model(imported.file)
    rows = with_rows_given(whole)
    return as_given(imported.file if rows is whole else rows, states=imported.states)


def explained(
    imported: Imported, content: ImportInfo, found: Verdict, images: NDArray[Any]
) -> Verdict:
    """Return what was found with the node at which it begins, and what no line names."""
    made, default = imported.made, imported.kernels != "reference"
    with TemporaryDirectory() as folder:
        file, graph, network = imported.file, imported.graph, imported.network
        if made is not None:
            file = Path(folder) / "quantized.onnx"
            file.write_bytes(made.model.SerializeToString())
        try:
            if made is not None:
                graph, network = made.whole, lower(made.whole, kernels=imported.kernels).network
            graph = graph.read_by(imported.kernels)
            kind, names = KINDS[graph.format], [each.source for each in network.layers]
            ends = kind.ends(file, graph, {})
            integers = np.concatenate([ends.integers(feeds) for feeds in ends.feeds(images)])
            runtime = kind.runtime_of(file, graph, answers=names, default=default)
            counters = counters_of(network, runtime, integers, names)
        except HwgenError as error:
            told = f"where it begins is not known: {str(error).removesuffix(f' ({file})')}"
            return replace(found, unforeseen=[*found.unforeseen, told])
    sentences, first = [], ""
    named = steps_named(content, network, graph, counters)
    for layer in network.layers:
        if layer.name not in counters.same_inputs:
            continue
        largest = counters.same_inputs[layer.name].largest
        node = graph.writers.get(layer.source)
        first = first or (node.name if node is not None and largest else "")
        if largest > named[layer.name]:
            sentences.append(said_of_layer(node, layer.source, largest, named[layer.name]))
    if not first:
        # A function behind the answer, by numpy here and there by the runtime.
        heads = [node for nodes in heads_left_out(graph).values() for node in nodes]
        most = max([1, *(step for node in heads for step in steps_of(node, content))])
        if set(found.outputs) & ends.plain or found.steps > most:
            sentences.append("no layer differs on the runtime's own inputs, and the answer does")
        else:
            first = next((node.name for node in heads), "")
    return replace(found, first=first, unforeseen=[*found.unforeseen, *sentences])


def counters_of(
    network: QuantizedNetwork,
    runtime: Runtime,
    images: NDArray[Any],
    names: list[str],
) -> Counters:
    """Return how layers differ from maps of a file, which `names` names; images: integers."""
    counters = Counters()
    for first in range(0, len(images), IMAGES_AT_ONCE):
        part = images[first : first + IMAGES_AT_ONCE]
        counters.add(network, runtime.run(part, names))
    return counters


def steps_named(
    content: ImportInfo, network: QuantizedNetwork, graph: IntegerGraph, counters: Counters
) -> dict[str, int]:
    """Return by layer the most steps that a line names for it, or for those hidden before it.

    A step of a hidden map is as many of a later one as fit in it.
    """
    steps: dict[str, int] = {}
    sizes = {each.name: each.output.quantization[0].scale for each in network.layers}
    for layer in network.layers:
        node = graph.writers.get(layer.source)
        own = 0 if node is None else max(steps_of(node, content), default=0)
        hidden = [
            max(steps[name], math.ceil(steps[name] * sizes[name] / sizes[layer.name]))
            for name in layer.inputs
            if name in steps and name not in counters.same_inputs
        ]
        steps[layer.name] = max([own, *hidden])
    return steps


def steps_of(node: Node, content: ImportInfo) -> Iterator[int]:
    """Yield the steps of each line that names a node."""
    for note in content.notes:
        if note.node == node.name:
            yield 1 + int(note.steps)
    for each in content.differences:
        # A line that begins with no node holds for all nodes of its operator.
        every = each.operator == node.operator and not each.what.startswith("node ")
        if every or each.what.partition(",")[0] == f"node {node.name}":
            yield each.steps


def said_of_layer(node: Node | None, source: str, steps: int, named: int) -> str:
    """Return the sentence on a layer that differs by more than a line names."""
    where = f"map {source}" if node is None else f"node {node.name} ({node.operator})"
    known = f"lines name {named}" if named else "no line names it"
    plural = "s" if steps > 1 else ""
    return f"{where} differs by up to {steps} step{plural} on the runtime's own inputs; {known}"
