"""One node on the walk through a graph: what it reads, its attributes, and how it complains."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx

from hwgen.compiler.crossbar.maps import Map
from hwgen.compiler.crossbar.onnx_check import label
from hwgen.compiler.crossbar.onnx_file import OnnxGraph
from hwgen.errors import FormatError


@dataclass(frozen=True, kw_only=True)
class Step:
    """A node, the graph around it, and the maps that are known so far."""

    node: onnx.NodeProto
    graph: OnnxGraph
    maps: Mapping[str, Map]

    @property
    def read(self) -> list[Map]:
        """The maps among its inputs, in their order."""
        return [self.maps[name] for name in self.node.input if name in self.maps]

    @property
    def map(self) -> Map:
        """The map at its first input; weights and shapes may only stand behind it."""
        if self.node.input[0] not in self.maps or len(self.read) > 1:
            raise self.error("inputs", "one map, then constants", "others")
        return self.read[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of its first output."""
        return self.shape_of(self.node.output[0])

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of one of its tensors."""
        if name not in self.graph.shapes:
            obstacle = self.graph.obstacle
            given = f"an unknown one: {obstacle}" if obstacle else "an unknown one"
            raise self.error(f"tensor {name}", "of a known shape", given)
        return self.graph.shapes[name]

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute, or what ONNX assumes where it is missing."""
        for attribute in self.node.attribute:
            if attribute.name == name:
                return onnx.helper.get_attribute_value(attribute)
        return default

    def integers(self, name: str, place: int) -> list[int] | None:
        """Return what older ONNX has as an attribute and newer as an input; None: not given."""
        given = self.attribute(name, None)
        if given is not None:
            return [int(value) for value in given]
        if len(self.node.input) <= place or not self.node.input[place]:
            return None
        constant = self.graph.constants.get(self.node.input[place])
        if constant is None:
            raise self.error(name, "stored in the file", "a computed one")
        return list(constant)

    def error(self, field: str, allowed: object, given: object) -> FormatError:
        """Return the complaint about a property of this node."""
        return FormatError(
            field=f"{field} of {label(self.node)}",
            allowed=allowed,
            given=given,
            source=self.graph.source,
        )
