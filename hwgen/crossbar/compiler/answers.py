"""Answers that leave a chip: a chip sends what a layer wrote to its readers or to the memory.

An output that layers read as well, or that no layer writes alone, such as a concatenation, gets a
layer of its own: a pooling over windows of one pixel, which changes nothing, reads it.
"""

from collections.abc import Iterable
from dataclasses import replace

from hwgen import network as net

THROUGH = net.Concatenate | net.Rescale | net.Table
"""Layers of a network that are no layers of a chip: their readers read through them."""


def with_answers(network: net.QuantizedNetwork) -> net.QuantizedNetwork:
    """Return a network that computes the same, each output of which is a layer that nothing reads.

    Outputs stay in their order, those that have a layer of their own under their names.
    """
    graph = network.graph
    behind = layers_behind(network)
    computed = [layer for layer in graph.layers if not isinstance(layer, THROUGH)]
    joined = [name for name in graph.outputs if len(behind[name]) > 1]
    given = [name for layer in computed for name in layer.inputs]
    read = {name for each in (*given, *joined) for name in behind[each]}
    taken = {layer.name for layer in graph.layers}
    layers, outputs = list(graph.layers), []
    for name in graph.outputs:
        if read.intersection(behind[name]):
            layers.append(copy_of(network, name, taken))
            taken.add(layers[-1].name)
            outputs.append(layers[-1].name)
        else:
            outputs.append(name)
    made: net.Graph = replace(graph, layers=layers, outputs=tuple(outputs))
    return replace(network, graph=made)


def layers_behind(network: net.QuantizedNetwork) -> dict[str, list[str]]:
    """Return by map the layers of a chip that write it, in their order; none: the image."""
    behind: dict[str, list[str]] = {net.INPUT: []}
    for layer in network.graph.layers:
        behind[layer.name] = [layer.name]
        if isinstance(layer, THROUGH):
            behind[layer.name] = [name for read in layer.inputs for name in behind[read]]
    return behind


def copy_of(network: net.QuantizedNetwork, name: str, taken: Iterable[str]) -> net.MaxPool:
    """Return a layer that writes a map once more, under a name that is not taken."""
    new = f"{name}.answer"
    while new in taken:
        new += "_"
    return net.MaxPool(
        name=new,
        op="max_pool",
        inputs=(name,),
        output=network.map_of(name),
        source="",
        kernel=(1, 1),
        stride=(1, 1),
        padding=(0, 0, 0, 0),
    )
