"""One node on the walk through a graph: what it reads, and how it complains."""

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.crossbar.compiler.maps import Map
from hwgen.errors import FormatError
from hwgen.network.operations import Graph, Node, Shape


@dataclass(frozen=True, kw_only=True)
class Step:
    """A node, the graph around it, and the maps that are known so far."""

    node: Node
    graph: Graph
    maps: Mapping[str, Map]

    @property
    def read(self) -> list[Map]:
        """The maps among its inputs, in their order."""
        return [self.maps[name] for name in self.node.inputs if name in self.maps]

    @property
    def map(self) -> Map:
        """The map at its first input; weights and parameters may only stand behind it."""
        if self.node.inputs[0] not in self.maps or len(self.read) > 1:
            raise self.error("inputs", "one map, then constants", "others")
        return self.read[0]

    @property
    def shape(self) -> Shape:
        """Shape of its result."""
        return self.shape_of(self.node.outputs[0])

    def shape_of(self, name: str) -> Shape:
        """Return the shape of its result, or of its weights."""
        return self.graph.tensors[name].shape

    def error(self, field: str, allowed: object, given: object) -> FormatError:
        """Return the complaint about a property of this node."""
        return FormatError(
            field=f"{field} of {self.node.label}",
            allowed=allowed,
            given=given,
            source=self.graph.source,
        )
