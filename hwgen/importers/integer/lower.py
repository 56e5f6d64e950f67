"""From an integer graph to a quantized network."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hwgen.errors import FormatError, RefusedNetworkError
from hwgen.importers.integer import lower_tokens, lower_weights  # noqa: F401 (they mark what adds)
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.integer.check import refusals_of
from hwgen.importers.integer.fold import folded
from hwgen.importers.integer.graph import Difference, IntegerGraph, Note
from hwgen.importers.integer.joined import with_functions_joined
from hwgen.importers.integer.layers import ADDED, Layers
from hwgen.importers.integer.lower_maps import add_shortcut, is_prefix
from hwgen.network import INPUT, ONE_MODE, Graph, QuantizedNetwork, State, version_of
from hwgen.network.check import check_network


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A quantized network, what of the file it does not hold, where the runtime differs."""

    network: QuantizedNetwork
    notes: tuple[Note, ...]
    differences: tuple[Difference, ...] = ()

    @property
    def largest_effect(self) -> float:
        """Largest effect of a note on an element of one layer, in steps before rounding."""
        return max((note.steps for note in self.notes), default=0.0)


def lower(
    graph: IntegerGraph,
    *,
    kernels: Kernels = "half_up",
    dataset: str = "",
    class_names: tuple[str, ...] = (),
) -> Lowered:
    """Return the quantized network of a graph.

    Signed maps become unsigned by an offset, exactly; factors become multipliers and shifts, and
    sums round, as `kernels` compute.
    Raises RefusedNetworkError, which lists all nodes that stand in the way, before any computation,
    and FormatError for a graph that is refused as a whole, such as one whose sums overflow.
    """
    graph = graph.read_by(kernels)
    outputs = graph.outputs
    graph = folded(keeping_states(graph))
    refused = refusals_of(graph)
    if refused:
        raise RefusedNetworkError(source=graph.source, refusals=refused)
    if kernels == "onnxruntime":
        graph = with_functions_joined(graph)
    if not graph.nodes or graph.input not in graph.maps or graph.input in graph.outputs:
        raise FormatError(
            field="the network",
            allowed="one whose outputs are computed from a quantized image",
            given="another",
            source=graph.source,
        )
    layers = Layers(graph=graph, kernels=kernels, names={graph.input: INPUT})
    for node in graph.nodes:
        add(layers, node)
    network = QuantizedNetwork(
        graph=Graph(
            format="hwgen.network",
            version=version_of(layers.layers),
            name=graph.name,
            dataset=dataset,
            class_names=list(class_names),
            preprocessing=preprocessing(graph),
            input=graph.maps[graph.input].feature_map(),
            modes=ONE_MODE,
            layers=layers.layers,
            outputs=tuple(layers.names[name] for name in graph.outputs),
        ),
        parameters=layers.parameters,
        tables=layers.tables,
        held=layers.held,
        raw_image=graph.raw_image,
        answer_places=graph.answer_places,
        token_rows=graph.token_rows,
    )
    network = graph.finish(network)
    network = replace(network, graph=with_next(network.graph, layers.names, len(outputs)))
    check_network(network, source=graph.source)
    return Lowered(
        network=network,
        notes=(*graph.notes, *layers.notes),
        differences=tuple(layers.differences),
    )


def keeping_states(graph: IntegerGraph) -> IntegerGraph:
    """Return a graph whose outputs are what states become, too: nothing may do without them."""
    states = [node.next for node in graph.nodes if isinstance(node, ir.StateMap)]
    return replace(graph, outputs=tuple(dict.fromkeys((*graph.outputs, *states))))


def with_next(graph: Graph, names: Mapping[str, str], outputs: int) -> Graph:
    """Return a graph whose states name layers, with the outputs of the file alone.

    outputs: how many these are; what states become stands behind them
    """
    if not any(isinstance(layer, State) for layer in graph.layers):
        return graph
    layers = [
        replace(layer, next=names[layer.next]) if isinstance(layer, State) else layer
        for layer in graph.layers
    ]
    return replace(graph, layers=layers, outputs=graph.outputs[:outputs])


def add(layers: Layers, node: ir.Node) -> None:
    """Add the layers of one node."""
    if isinstance(node, ir.Selection | ir.Padding) and is_prefix(node):
        add_shortcut(layers, node)
        return
    if type(node) not in ADDED:
        raise TypeError(f"{type(node).__name__} must be folded or refused before")
    ADDED[type(node)](layers, node)


def preprocessing(graph: IntegerGraph) -> str:
    """Return how a real image, or the raw one, becomes the integers of the input."""
    image = graph.maps[graph.input]
    offset = f"; the file's signed integers + {image.offset}" if image.offset else ""
    zero_point = image.zero_point + image.offset
    raw = "" if graph.raw_image is None else f"; {graph.raw_image.sentence()}"
    return f"integer = real / {image.scale:.9g} + {zero_point}{offset}{raw}"
