"""States of a file that are inputs and outputs: what one call leaves for the next.

Tests: `tests/importers/onnx/test_states.py`.
"""

from collections.abc import Mapping
from dataclasses import replace

from hwgen.errors import FormatError
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.nodes import Lookup, Node, Requantization, Selection, StateMap
from hwgen.network import QuantizedNetwork

Parts = Mapping[str, tuple[int, int]]
"""First and last channel (exclusive) of the image that each input of a file has."""


def with_states(graph: IntegerGraph, parts: Parts, pairs: Mapping[str, str]) -> IntegerGraph:
    """Return a graph in which inputs of the file are states, and the others the image.

    parts: of the image; pairs: by input the output that it becomes
    A state whose two ends have unlike numbers gets a requantization in front of the next call.
    Raises FormatError for names that the file does not have, and for shapes that do not fit.
    """
    session = graph.in_session
    changed = in_calls(graph, parts, pairs)
    return replace(changed, in_session=session and in_calls(session, parts, pairs))


def in_calls(graph: IntegerGraph, parts: Parts, pairs: Mapping[str, str]) -> IntegerGraph:
    """Return one graph with states."""
    check_names(graph, parts, pairs)
    maps = dict(graph.maps)
    taken = {name: ends_of(graph, name, parts[name]) for name in parts}
    states: dict[str, StateMap] = {}
    nexts: dict[str, str] = {}
    for name, (_, lookup) in taken.items():
        if name not in pairs:
            continue
        after = graph.ends[pairs[name]].maps[0]
        before = maps[lookup.output]
        if maps[after].shape != before.shape:
            raise FormatError(
                field=f"state {name}",
                allowed=f"of the shape of the output {pairs[name]}, {maps[after].shape}",
                given=before.shape,
                source=graph.source,
            )
        if not before.holds(maps[after]):
            maps[f"{lookup.output}/next"] = before
            nexts[f"{lookup.output}/next"] = after
            after = f"{lookup.output}/next"
        states[lookup.output] = StateMap(
            name=name, operator=lookup.operator, inputs=(), output=lookup.output, next=after
        )
    kept = [name for name in parts if name not in pairs]
    image = graph.input
    gone = {each.output for name in pairs for each in taken[name]}
    moved: dict[int, int] = {}
    if len(kept) == 1:
        # The image is that input alone, in its own numbers.
        image = taken[kept[0]][1].output
        gone |= {each.output for each in taken[kept[0]]}
    else:
        order = [channel for name in kept for channel in range(*parts[name])]
        maps[image] = replace(maps[image], shape=(*maps[image].shape[:2], len(order)))
        moved = {channel: place for place, channel in enumerate(order)}
    nodes = [
        replace(node, channels=tuple(moved[each] for each in node.channels))
        if moved and isinstance(node, Selection) and node.inputs == (image,)
        else node
        for node in graph.nodes
        if node.output not in gone
    ]
    more: list[Node] = [
        Requantization(name=name, operator="state", inputs=(source,), output=name)
        for name, source in nexts.items()
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


def ends_of(graph: IntegerGraph, name: str, part: tuple[int, int]) -> tuple[Selection, Lookup]:
    """Return the nodes that take an input out of the image."""
    for node in graph.nodes:
        if isinstance(node, Selection) and node.inputs == (graph.input,):
            lookup = next(iter(graph.readers(node.output)), None)
            if node.channels == tuple(range(*part)) and isinstance(lookup, Lookup):
                return node, lookup
    raise FormatError(
        field=f"input {name}",
        allowed="quantized by itself, as --calibrate does",
        given="another",
        source=graph.source,
    )


def check_names(graph: IntegerGraph, parts: Parts, pairs: Mapping[str, str]) -> None:
    """Refuse names of no input, of no output, or of all inputs."""
    for name, output in pairs.items():
        if name not in parts:
            allowed = f"among the inputs {', '.join(parts) or '(one image)'}"
            raise FormatError(field="--state", allowed=allowed, given=name, source=graph.source)
        if output not in graph.ends or len(graph.ends[output].maps) != 1:
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
    inputs = {ends_of(graph, name, part)[1].output: name for name, part in parts.items()}
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
