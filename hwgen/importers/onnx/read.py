"""Read an ONNX file as a graph: the nodes that the image reaches, and the shape of every tensor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from hwgen.errors import FormatError
from hwgen.files.given import read_given
from hwgen.importers.onnx.check import check_names, check_order, nodes_behind
from hwgen.importers.onnx.image import find_image, fix_image
from hwgen.importers.onnx.nodes import nodes_of
from hwgen.importers.onnx.shapes import Shapes, shapes_of, without_weights
from hwgen.network.operations import Graph, Node, Tensor

MOST_BYTES = (1 << 31) - 1
"""Of a file; protobuf has no larger messages."""

MOST_ELEMENTS = 1 << 32
"""Of a tensor that a network for synthesis names; its cycles are 64-bit integers."""

Sizes = Sequence[int] | None
"""Sides of the image in the order of the file, without the batch; None: the file knows them."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model whose names and order are sound, and whose image has a known size.

    slim: a copy without its weights, in which the image has that size
    image: the input that is the image
    """

    slim: onnx.ModelProto
    image: onnx.ValueInfoProto

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the image, the batch included."""
        return tuple(side.dim_value for side in self.image.type.tensor_type.shape.dim)


def opened(model: onnx.ModelProto, source: str, size: Sizes = None) -> Opened:
    """Return a model that came from `source`, checked for every reader; it is not changed.

    Raises FormatError for a model without nodes, with names that nobody can print, with a cycle,
    and for an image that is not one or has unknown sides.
    """
    if not model.graph.node:
        raise FormatError(
            field="the network", allowed="an ONNX model with nodes", given="none", source=source
        )
    check_names(model.graph, source)
    check_order(model.graph, source)
    slim, parameters = without_weights(model)
    image = find_image(slim.graph, parameters, source)
    fix_image(image, source, size)
    return Opened(slim=slim, image=image)


def read_graph(path: Path, size: Sizes = None) -> Graph:
    """Return the graph of an ONNX file, with the name of the file; size: see `Sizes`."""
    return graph_of(read_model(path), name=path.stem, source=str(path), size=size)


def read_model(path: Path) -> onnx.ModelProto:
    """Return the model of a file, weights included; nothing outside the file is opened."""
    allowed = "a readable ONNX file"
    content = read_given(path, what="the network", allowed=allowed, most_bytes=MOST_BYTES)
    try:
        return onnx.load_model_from_string(content)
    except DecodeError:
        raise FormatError(
            field="the network",
            allowed=allowed,
            given="something else, or a part of one",
            source=str(path),
        ) from None


def graph_of(model: onnx.ModelProto, *, name: str, source: str, size: Sizes = None) -> Graph:
    """Return the graph of a model that came from `source`; the model is not changed."""
    ready = opened(model, source, size)
    image = ready.image.name
    protos = nodes_behind(image, ready.slim.graph)
    shapes = shapes_of(ready.slim, source)
    maps = {image, *(name for proto in protos for name in proto.output)}
    lost: set[str] = set()
    nodes = tuple(node for proto in protos for node in nodes_of(proto, shapes, maps, lost))
    return Graph(
        name=name,
        source=source,
        image=image,
        tensors=tensors_of(image, nodes, shapes, source),
        nodes=nodes,
        notes={
            entry.key: entry.value
            for entry in model.metadata_props
            if isinstance(entry.key, str) and isinstance(entry.value, str)
        },
    )


def tensors_of(
    image: str, nodes: tuple[Node, ...], shapes: Shapes, source: str
) -> dict[str, Tensor]:
    """Return the tensors that nodes name and whose shape is known, the image first."""
    names = [image]
    for node in nodes:
        names += [*node.inputs, *node.outputs]
    for name in names:
        sides = shapes.known.get(name, ())
        if math.prod(sides) > MOST_ELEMENTS:
            raise FormatError(
                field=f"tensor {name}",
                allowed=f"of at most {MOST_ELEMENTS} elements",
                given=" x ".join(map(str, sides)),
                source=source,
            )
    return {name: Tensor(shape=shapes.known[name]) for name in names if name in shapes.known}
