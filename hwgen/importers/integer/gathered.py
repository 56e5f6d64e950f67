"""Inputs of fully connected layers that lie apart in a map: gathered once, for all that read them.

The steps of a sequence are the channels of its image, so that the inputs of one step lie in every
pixel. A layer that reads them there has filters over the whole map, and no two steps have the same.
Behind a layer that moves the inputs of a step into one pixel, the gates of all steps have the
filters of the file, which are stored once.

Tests: `tests/importers/integer/test_gathered.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.nodes import FullyConnected, Node, weights_of
from hwgen.network.shared import LEAST_BYTES

Inputs = tuple[int, ...]
"""Numbers of elements of a map, in its order."""


def with_inputs_gathered(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with a layer in front of fully connected ones that read the same inputs.

    Only where these lie apart, are fewer than the filters that read them, and a layer has as many
    weights as are stored once: a small cell takes more cycles with a further layer.
    """
    maps = dict(graph.maps)
    waiting: dict[str, Node] = {}
    changed: dict[str, Node] = {}
    matrices = [node for node in graph.nodes if isinstance(node, FullyConnected)]
    for source in dict.fromkeys(node.inputs[0] for node in matrices):
        readers = {node.output: node for node in matrices if node.inputs[0] == source}
        for number, (inputs, outputs) in enumerate(same_inputs(readers).items()):
            chosen = [readers[output] for output in outputs]
            filters = [len(node.weights.integers) for node in chosen]
            if len(inputs) >= sum(filters) or len(inputs) * max(filters) < LEAST_BYTES:
                continue
            front = gathering(chosen[0], inputs, f"{source}/inputs{number}")
            maps[front.output] = replace(maps[source], shape=(1, 1, len(inputs)))
            waiting[front.output] = front
            for node in chosen:
                own = replace(node.weights, integers=node.weights.integers[:, list(inputs)])
                changed[node.output] = replace(node, inputs=(front.output,), weights=own)
    return replace(graph, nodes=tuple(in_time(graph, changed, waiting)), maps=maps)


def in_time(
    graph: IntegerGraph, changed: Mapping[str, Node], fronts: Mapping[str, Node]
) -> Iterator[Node]:
    """Yield the nodes with `changed` ones and those in front of them right before their readers.

    All steps of a sequence can be gathered at its begin; their maps would wait in the buffers.
    changed, fronts: by the map that they write
    """
    left = {**changed, **fronts}

    def needed(name: str) -> Iterator[Node]:
        if node := left.pop(name, None):
            for source in node.inputs:
                yield from needed(source)
            yield node

    for node in graph.nodes:
        if node.output not in changed:
            for name in node.inputs:
                yield from needed(name)
            yield node
    for name in changed:
        yield from needed(name)


def same_inputs(nodes: Mapping[str, FullyConnected]) -> dict[Inputs, list[str]]:
    """Return the outputs of nodes by the inputs that they read, where these lie apart.

    A node whose weights happen to be zero for some of the inputs of others reads theirs.
    """
    read = {
        name: tuple(np.flatnonzero(node.weights.centred.any(axis=0)).tolist())
        for name, node in nodes.items()
    }
    found: dict[Inputs, list[str]] = {}
    for name, inputs in sorted(read.items(), key=lambda each: -len(each[1])):
        if not inputs or inputs[-1] - inputs[0] + 1 == len(inputs):
            continue
        more = next((each for each in found if set(inputs) <= set(each)), inputs)
        found.setdefault(more, []).append(name)
    return {inputs: [name for name in read if name in names] for inputs, names in found.items()}


def gathering(reader: FullyConnected, inputs: Inputs, output: str) -> FullyConnected:
    """Return a layer that writes elements of a map as the channels of one pixel."""
    moved = np.zeros((len(inputs), reader.weights.integers.shape[1]), np.int64)
    moved[np.arange(len(inputs)), list(inputs)] = 1
    return FullyConnected(
        name=f"{reader.name}/gathered",
        operator=reader.operator,
        inputs=reader.inputs,
        output=output,
        weights=weights_of(moved, scales=1.0),
    )
