"""Nodes that the network file has no layer for, as several nodes that give the same integers.

Tests: `tests/importers/tflite/test_operators.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hwgen.importers.integer.constants import unchanged
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import (
    Addition,
    Extremum,
    Lookup,
    Multiplication,
    Node,
    PerChannel,
    Requantization,
    Slopes,
)


@dataclass(kw_only=True)
class Parts:
    """The nodes that take the place of one; maps: those of the graph, then theirs, too."""

    node: Node
    maps: dict[str, QuantizedMap]
    nodes: list[Node] = field(default_factory=list)

    def add(self, kind: Any, what: str, output: QuantizedMap, *inputs: str, **keys: Any) -> str:
        """Append a node that writes a map of its own, and return the name of that map."""
        name = f"{self.node.output}/{what}_{len(self.nodes)}"
        self.maps[name] = output
        self.append(kind, name, *inputs, name=f"{self.node.name}_{what}", **keys)
        return name

    def last(self, kind: Any, *inputs: str, **keys: Any) -> None:
        """Append the node that writes the output."""
        self.append(kind, self.node.output, *inputs, name=self.node.name, **keys)

    def append(self, kind: Any, output: str, *inputs: str, name: str, **keys: Any) -> None:
        """Append a node."""
        operator = self.node.operator
        self.nodes.append(kind(name=name, operator=operator, inputs=inputs, output=output, **keys))

    def reversed(self, name: str) -> str:
        """Append the map whose real values are those of another, negated: top - integer."""
        values = self.maps[name].unsigned
        top = (1 << values.bits) - 1
        other = replace(
            values, zero_point=top - values.zero_point, low=top - values.high, high=top - values.low
        )
        return self.add(Lookup, "reversed", other, name, function=np.negative)


def expanded(graph: IntegerGraph) -> IntegerGraph:
    """Return the graph with several nodes in place of one where the file of networks has none.

    A node that cannot be expanded stays, and is refused.
    """
    maps, nodes = dict(graph.maps), []
    for node in graph.nodes:
        known = all(name in maps and not maps[name].raw for name in (*node.inputs, node.output))
        expand = expansion(node) if known else None
        parts = Parts(node=node, maps=maps)
        if expand is not None:
            expand(parts, node)
        nodes += parts.nodes or [node]
    return replace(graph, maps=maps, nodes=tuple(nodes))


def expansion(node: Node) -> Callable[[Parts, Any], None] | None:
    """Return what expands a node; None for one that is a layer by itself."""
    if isinstance(node, Addition) and min(node.gains) < 0:
        return expand_difference
    if isinstance(node, Multiplication) and node.gain < 0:
        return expand_negative
    return EXPANSIONS.get(type(node))


def expand_difference(parts: Parts, node: Addition) -> None:
    """Expand a sum with a negative factor: the sum with the reversed map."""
    names = [
        parts.reversed(name) if gain < 0 else name
        for name, gain in zip(node.inputs, node.gains, strict=True)
    ]
    one, other = node.gains
    parts.last(Addition, *names, gains=(abs(one), abs(other)))


def expand_negative(parts: Parts, node: Multiplication) -> None:
    """Expand a product with a negative factor: the product with the reversed map."""
    first, second = node.inputs
    parts.last(Multiplication, parts.reversed(first), second, gain=-node.gain)


def expand_slopes(parts: Parts, node: Slopes) -> None:
    """Expand a slope a channel: what is above zero, plus what is below it times the slope.

    One of both is zero, so that each element is rounded once.
    """
    source, output = parts.maps[node.inputs[0]], parts.maps[node.output]
    channels = source.shape[2]
    if node.slopes.size not in (1, channels) or source.shape != output.shape:
        return
    above = replace(output, low=max(output.low, output.zero_point))
    below = replace(source, high=min(source.high, source.zero_point))
    factor = np.broadcast_to(node.slopes.reshape(-1), channels)
    kept = None if node.operand is None else replace(node.operand, results=unchanged)
    positive = parts.add(Requantization, "above", above, *node.inputs, operand=kept)
    negative = parts.add(Requantization, "below", below, *node.inputs)
    constants = {"factor": factor, "offset": np.zeros(channels), "operand": node.operand}
    bent = parts.add(PerChannel, "slope", output, negative, **constants)
    parts.last(Addition, positive, bent)


def expand_extremum(parts: Parts, node: Extremum) -> None:
    """Expand a maximum: a + max(b - a, 0); a minimum: a - max(a - b, 0); both are exact."""
    output = parts.maps[node.output]
    if any(parts.maps[name].shape != output.shape for name in node.inputs):
        return
    whole = replace(output.unsigned, low=0, high=(1 << output.bits) - 1)
    names = list(in_numbers_of(parts, whole, node.inputs))
    first, second = names if node.least else names[::-1]
    above = replace(whole, zero_point=0)
    more = parts.add(Addition, "more", above, first, parts.reversed(second))
    parts.last(Addition, names[0], parts.reversed(more) if node.least else more)


def in_numbers_of(parts: Parts, target: QuantizedMap, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of maps with one quantization."""
    for place, name in enumerate(names):
        same = parts.maps[name].same_numbers == target.same_numbers
        yield name if same else parts.add(Requantization, f"operand_{place}", target, name)


EXPANSIONS: Mapping[type[Any], Callable[[Parts, Any], None]] = {
    Slopes: expand_slopes,
    Extremum: expand_extremum,
}
