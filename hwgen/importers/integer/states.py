"""States of a file that are inputs and outputs: what one call leaves for the next.

Tests: `tests/importers/onnx/test_states.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hwgen.errors import FormatError
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.check import refusals_of
from hwgen.importers.integer.endings import Ending
from hwgen.importers.integer.fold import folded
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.network import QuantizedNetwork

ONE_PIXEL = (1, 1)
Parts = Mapping[str, tuple[int, int]]
"""First and last channel (exclusive) of the image that each input of a file has."""


def with_states(graph: IntegerGraph, parts: Parts, pairs: Mapping[str, str]) -> IntegerGraph:
    """Return a graph in which inputs of the file are states, and the others the image.

    parts: of the image; pairs: by input the output that it becomes
    A state whose two ends have unlike numbers gets a requantization in front of the next call.
    A graph with refused nodes is returned as it is: what is said of those comes first.
    Raises FormatError for names that the file does not have, and for shapes that do not fit.
    """
    session = graph.in_session
    changed = in_calls(graph, parts, pairs)
    return replace(changed, in_session=session and in_calls(session, parts, pairs))


def in_calls(graph: IntegerGraph, parts: Parts, pairs: Mapping[str, str]) -> IntegerGraph:
    """Return one graph with states."""
    if refusals_of(folded(graph)):
        return graph
    check_names(graph, parts, pairs)
    graph, taken = taken_apart(graph, parts)
    maps = dict(graph.maps)
    states: dict[str, ir.StateMap] = {}
    more: list[ir.Node] = []
    for name, nodes_of in taken.items():
        if name not in pairs:
            continue
        given, end = nodes_of[-1].output, graph.ends[pairs[name]]
        after, nodes = next_call(given, maps, end)
        if maps[after].shape != maps[given].shape:
            raise FormatError(
                field=f"state {name}",
                allowed=f"of the shape of the output {pairs[name]}, {maps[after].shape}",
                given=maps[given].shape,
                source=graph.source,
            )
        more += nodes
        states[given] = ir.StateMap(
            name=name, operator=nodes_of[-1].operator, inputs=(), output=given, next=after
        )
    kept = [name for name in parts if name not in pairs]
    image = graph.input
    gone = {each.output for name in pairs for each in taken[name]}
    moved: dict[int, int] = {}
    if len(kept) == 1:
        # The image is that input alone, in its own numbers.
        image = taken[kept[0]][-1].output
        gone |= {each.output for each in taken[kept[0]]}
    else:
        order = [channel for name in kept for channel in range(*parts[name])]
        maps[image] = replace(maps[image], shape=(*maps[image].shape[:2], len(order)))
        moved = {channel: place for place, channel in enumerate(order)}
    nodes = [
        replace(node, channels=tuple(moved[each] for each in node.channels))
        if moved and isinstance(node, ir.Selection) and node.inputs == (image,)
        else node
        for node in graph.nodes
        if node.output not in gone
    ]
    ends = {name: end for name, end in graph.ends.items() if name not in pairs.values()}
    answers = ends or graph.ends
    outputs = tuple(dict.fromkeys(name for end in answers.values() for name in end.maps))
    return replace(
        graph,
        input=image,
        outputs=outputs,
        maps=maps,
        nodes=(*states.values(), *nodes, *more),
        ends=answers,
        raw_image=None,
        answer_places=graph.answer_places if ends else None,
        behind=tuple(each for each in graph.behind if not each.startswith("the image holds")),
    )


class Added:
    """Nodes and maps that are added for states; numbers: of all these maps."""

    def __init__(self, maps: dict[str, QuantizedMap], numbers: QuantizedMap) -> None:
        self.maps, self.numbers, self.nodes = maps, numbers, list[ir.Node]()

    def node(self, kind: Any, output: str, inputs: tuple[str, ...], size: int, **keys: Any) -> str:
        """Add a node, whose output is a pixel of some channels; return its name."""
        self.maps[output] = replace(self.numbers, shape=(1, 1, size))
        self.nodes.append(kind(name=output, operator="state", inputs=inputs, output=output, **keys))
        return output


def next_call(given: str, maps: dict[str, QuantizedMap], end: Ending) -> tuple[str, list[ir.Node]]:
    """Return the map that a state becomes, in the state's numbers, and the nodes that make it.

    given: map of the state; maps: of the graph, to which those between are added
    end: the output: elements of a map of one pixel
    """
    added, (name,) = Added(maps, maps[given]), end.maps
    if maps[name].shape[:2] == ONE_PIXEL and not maps[given].holds(maps[name]):
        name = added.node(ir.Requantization, f"{given}/next", (name,), maps[name].shape[2])
    places = () if end.order is None else tuple(end.order.reshape(-1).tolist())
    if places and places != tuple(range(maps[name].shape[2])):
        keys = {"channels": places}
        name = added.node(ir.Selection, f"{given}/chosen", (name,), len(places), **keys)
    return name, added.nodes


def taken_apart(graph: IntegerGraph, parts: Parts) -> tuple[IntegerGraph, dict[str, list[ir.Node]]]:
    """Return a graph, and by input of the file the nodes that take it out of the image.

    Inputs of one quantization are no maps of their own in a file: they are taken out here.
    """
    found = {name: list(ends_of(graph, part)) for name, part in parts.items()}
    if all(found.values()):
        return graph, found
    if graph.raw_image is not None:
        raise FormatError(
            field=f"input {next(name for name in found if not found[name])}",
            allowed="quantized by itself",
            given="another",
            source=graph.source,
        )
    whole = f"{graph.input}/whole"
    added = Added({**graph.maps, whole: graph.maps[graph.input]}, graph.maps[graph.input])
    for name, (low, high) in parts.items():
        channels = {"channels": tuple(range(low, high))}
        added.node(ir.Selection, f"{name}/part", (whole,), high - low, **channels)
    inputs = tuple(node.output for node in added.nodes)
    found = dict(zip(parts, ([node] for node in added.nodes), strict=True))
    added.node(ir.Concatenation, graph.input, inputs, graph.maps[graph.input].shape[2])
    nodes = (*added.nodes, *graph.nodes)
    return replace(graph, input=whole, maps=added.maps, nodes=nodes), found


def ends_of(graph: IntegerGraph, part: tuple[int, int]) -> tuple[ir.Node, ...]:
    """Return the nodes that take an input out of the image; none: it has no numbers of its own."""
    for node in graph.nodes:
        if isinstance(node, ir.Selection) and node.inputs == (graph.input,):
            reader = next(iter(graph.readers(node.output)), None)
            if node.channels == tuple(range(*part)) and isinstance(reader, ir.Lookup):
                return node, reader
    return ()


def check_names(graph: IntegerGraph, parts: Parts, pairs: Mapping[str, str]) -> None:
    """Refuse names of no input, of no output, or of all inputs."""
    for name, output in pairs.items():
        if name not in parts:
            allowed = f"among the inputs {', '.join(parts) or '(one image)'}"
            raise FormatError(field="--state", allowed=allowed, given=name, source=graph.source)
        if output not in graph.ends:
            allowed = f"among the outputs {', '.join(graph.ends)}"
            raise FormatError(field="--state", allowed=allowed, given=output, source=graph.source)
    if len(pairs) == len(parts):
        raise FormatError(
            field="--state", allowed="fewer than all inputs", given="all", source=graph.source
        )


def states_of(graph: IntegerGraph, parts: Parts, network: QuantizedNetwork) -> dict[str, str]:
    """Return by input of a graph the output that it becomes, as a network has it.

    Raises FormatError for a graph that is not that of the network.
    """
    layers = {each.name: each for each in network.layers}
    outputs = {end.maps[0]: name for name, end in graph.ends.items()}
    inputs = {each[-1].output: name for name, each in taken_apart(graph, parts)[1].items()}
    left = [source for source in outputs if source not in {each.source for each in network.layers}]
    found = {}
    for state in network.states.values():
        # What a state becomes is an output in its own numbers, or in others a layer behind it.
        after = layers[state.next]
        near = [after, *(layers[name] for name in after.inputs if name in layers)]
        near += [each for each in network.layers if each.inputs == after.inputs]
        ends = [each.source for each in near if each.source in outputs]
        ends += [name for name in left if graph.maps[name].shape == state.output.shape]
        if state.source not in inputs or not ends:
            raise FormatError(
                field=f"state {state.name}",
                allowed="an input and an output of the file that import --qdq wrote",
                given="neither",
                source=graph.source,
            )
        found[inputs[state.source]] = outputs[ends[0]]
    return found
