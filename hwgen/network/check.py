"""Check a network for consistency: names, shapes, modes, ranges. Every error is one sentence.

Rules of one kind of layer stand in the module of that kind.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.network.append import Append, pixels_of
from hwgen.network.graph import (
    ANSWER_PLACES,
    INPUT,
    Graph,
    Layer,
    QuantizedNetwork,
    version_of,
)
from hwgen.network.host import raw_image_complaints
from hwgen.network.layer import Surroundings
from hwgen.network.maps import Complaint, FeatureMap, map_complaints
from hwgen.network.state import State, next_complaints
from hwgen.network.tokens import token_complaints
from hwgen.network.vocabulary import vocabulary_complaints

LAYER_NAME = re.compile(r"[A-Za-z0-9_.-]+")
NAME_RULE = "new, of letters, digits, _ . and -, and not `input`"


def check_network(network: QuantizedNetwork, *, source: str) -> None:
    """Raise FormatError for the first inconsistency of graph and integers."""
    for complaint in complaints(network):
        field, allowed, given = complaint
        raise FormatError(field=field, allowed=allowed, given=given, source=source)


def complaints(network: QuantizedNetwork) -> Iterator[Complaint]:
    """Yield every contradiction; each check relies on those before it."""
    graph = network.graph
    oldest = version_of(graph.layers)
    if graph.version != oldest:
        yield "version", f"{oldest}, the oldest that has all kinds of layers", graph.version
    if len(set(graph.modes)) < len(graph.modes):
        yield "modes", "names of their own", list(graph.modes)
    yield from input_complaints(graph)
    maps: dict[str, FeatureMap] = {INPUT: graph.input}
    for layer in network.layers:
        yield from name_complaints(layer, maps)
        yield from array_complaints(network, layer)
        yield from layer_complaints(network, layer, maps)
        maps[layer.name] = layer.output
    for name in sorted({*network.parameters, *network.tables, *network.held} - set(maps)):
        yield "every array", "of a layer", f"{name}.{min(network.arrays_of(name))}"
    yield from call_complaints(graph, maps)
    yield from output_complaints(graph, maps)
    yield from host_complaints(network, maps)


def host_complaints(network: QuantizedNetwork, maps: dict[str, FeatureMap]) -> Iterator[Complaint]:
    """Check what the host does, and that there is a name for each class."""
    answer = maps[network.answer]
    classes, places = answer.channels, network.answer_places
    if network.raw_image is not None:
        yield from raw_image_complaints(network.raw_image, network.graph.input)
    if network.token_rows is not None:
        positions = network.graph.positions
        yield from token_complaints(network.token_rows, network.graph.input, positions=positions)
    yield from vocabulary_complaints(network)
    if places is not None:
        outputs = [maps[name] for name in network.graph.outputs]
        yield from places_complaints(places, outputs)
        if len(parts := network.answer_parts) > 1:
            yield from list_complaints(places, [maps[name] for name in parts])
        classes = places.size if answer.shape[:2] == (1, 1) else classes
    names = network.graph.class_names
    if names and len(names) != classes:
        yield "class_names", f"empty or {classes} names", f"{len(names)} names"


def places_complaints(places: NDArray[Any], outputs: list[FeatureMap]) -> Iterator[Complaint]:
    """Check that an order of the answer names elements of the outputs."""
    size = sum(math.prod(each.shape) for each in outputs)
    if places.dtype != np.int64 or not places.size:
        yield ANSWER_PLACES, "int64, of at least one element", f"{places.dtype}, {places.size}"
    elif places.min() < -1 or places.max() >= size:
        yield ANSWER_PLACES, f"from -1 to {size - 1}", [int(places.min()), int(places.max())]


def list_complaints(places: NDArray[Any], parts: list[FeatureMap]) -> Iterator[Complaint]:
    """Check that a real zero of a list is one integer: its maps have the same numbers then."""
    numbers = [(each.bits, each.quantization[0]) for each in parts]
    unlike = len({(bits, each.scale, each.zero_point) for bits, each in numbers}) > 1
    if unlike and (places < 0).any():
        allowed = "of the same bits, scale and zero point where it has real zeros"
        yield f"maps of {ANSWER_PLACES}", allowed, "others"


def input_complaints(graph: Graph) -> Iterator[Complaint]:
    """Check that the image is not raw and has one quantization in all modes."""
    yield from map_complaints(INPUT, graph.input, len(graph.modes))
    if graph.input.raw:
        yield "input.bits", "from 1 to 16", graph.input.bits
    if len(set(graph.input.quantization)) > 1:
        yield "input.quantization", "equal in all modes", "several"


def array_complaints(network: QuantizedNetwork, layer: Layer) -> Iterator[Complaint]:
    """Check that a layer has exactly the arrays of its kind."""
    wanted, given = set(layer.ARRAY_TYPES), set(network.arrays_of(layer.name))
    for key in sorted(wanted - given):
        yield f"{layer.name}.{key}", "present", "nothing"
    for key in sorted(given - wanted):
        yield f"{layer.name}.{key}", f"absent from a layer of kind {layer.op}", "an array"


def name_complaints(layer: Layer, maps: dict[str, FeatureMap]) -> Iterator[Complaint]:
    """Check that a name is new and valid, and inputs are known and as many as the kind reads."""
    if layer.name in maps or not LAYER_NAME.fullmatch(layer.name):
        yield "layer name", NAME_RULE, layer.name
    least, most = layer.INPUT_COUNT
    if not least <= len(layer.inputs) <= most:
        allowed = f"{least}" if least == most else f"at least {least}"
        yield f"{layer.name}.inputs", f"{allowed} of them", list(layer.inputs)
    for name in layer.inputs:
        if name not in maps:
            yield f"{layer.name}.inputs", f"among {', '.join(maps)}", name
        elif maps[name].raw:
            yield f"{layer.name}.inputs", "requantized maps", f"the raw sums of {name}"


def layer_complaints(
    network: QuantizedNetwork, layer: Layer, maps: dict[str, FeatureMap]
) -> Iterator[Complaint]:
    """Check the shape of the output against the inputs, and the rules of the kind."""
    modes = len(network.graph.modes)
    yield from map_complaints(f"{layer.name}.output", layer.output, modes)
    if layer.output.raw and not layer.WRITES_RAW:
        yield f"{layer.name}.output.bits", "from 1 to 16", layer.output.bits
    sources = [maps[name] for name in layer.inputs]
    shape = layer.output_shape(sources)
    if shape is None:
        yield f"{layer.name} window", f"inside its input {sources[0].shape}", "a larger one"
    elif layer.output.shape != shape:
        yield f"{layer.name}.output", shape, layer.output.shape
    arrays = network.arrays_of(layer.name)
    yield from layer.complaints(Surroundings(sources=sources, modes=modes, arrays=arrays))


def call_complaints(graph: Graph, maps: dict[str, FeatureMap]) -> Iterator[Complaint]:
    """Check what states become, that appends belong to one, and the number of positions."""
    states = {layer.name: layer for layer in graph.layers if isinstance(layer, State)}
    for state in states.values():
        yield from next_complaints(state, maps, set(states))
    appends = [layer for layer in graph.layers if isinstance(layer, Append)]
    for append in appends:
        cache = append.inputs[0]
        if cache not in states or states[cache].next != append.name:
            yield f"{append.name}.inputs", "first a state whose `next` it is", cache
        if graph.positions > pixels_of(append.output):
            where = f"the pixels of {append.name}"
            yield where, f"at least the {graph.positions} positions", pixels_of(append.output)
    by_position = [each for each in graph.layers if getattr(each, "keys", "") == "position"]
    if bool(appends or by_position) != bool(graph.positions):
        allowed = "at least 1 where a layer needs the position, else 0"
        yield "positions", allowed, graph.positions


def output_complaints(graph: Graph, maps: dict[str, FeatureMap]) -> Iterator[Complaint]:
    """Check that outputs are distinct layers."""
    for name in graph.outputs:
        if name not in maps or name == INPUT:
            yield "outputs", "names of layers", name
    if len(set(graph.outputs)) < len(graph.outputs):
        yield "outputs", "each once", list(graph.outputs)
