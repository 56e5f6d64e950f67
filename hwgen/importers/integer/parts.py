"""Several nodes in place of one that the network file has no layer for.

Tests: `tests/importers/tflite/test_operators.py`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import ConstantMap, Lookup, Node

MOST_PADDED = 2
"""Rows or columns of zeros on a side at once: 25 taps of a depthwise convolution."""


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

    def constant(self, what: str, output: QuantizedMap, integers: NDArray[np.int64]) -> str:
        """Append a constant map, and return its name."""
        return self.add(ConstantMap, what, output, integers=integers)

    def reversed(self, name: str) -> str:
        """Append the map whose real values are those of another, negated: top - integer."""
        values = self.maps[name].unsigned
        top = (1 << values.bits) - 1
        other = replace(
            values, zero_point=top - values.zero_point, low=top - values.high, high=top - values.low
        )
        return self.add(Lookup, "reversed", other, name, function=np.negative)
