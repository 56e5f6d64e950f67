"""Read an ONNX file as a graph: the nodes that the image reaches, and the shape of every tensor."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from hwgen.errors import FormatError
from hwgen.importers.onnx.check import check_names, check_order, nodes_behind
from hwgen.importers.onnx.image import find_image, fix_image
from hwgen.importers.onnx.nodes import node_of
from hwgen.importers.onnx.shapes import Shapes, shapes_of, without_weights
from hwgen.spec.graph import Graph, Node, Tensor


def read_graph(path: Path) -> Graph:
    """Return the graph of an ONNX file, with the name of the file."""
    return graph_of(read_model(path), name=path.stem, source=str(path))


def read_model(path: Path) -> onnx.ModelProto:
    """Return the model of a file, weights included; nothing outside the file is opened."""
    source = str(path)
    try:
        return onnx.load_model_from_string(path.read_bytes())
    except FileNotFoundError:
        given = "no file"
    except OSError as error:
        given = error.strerror or type(error).__name__
    except DecodeError:
        given = "something else, or a part of one"
    raise FormatError(
        field="the network", allowed="a readable ONNX file", given=given, source=source
    )


def graph_of(model: onnx.ModelProto, *, name: str, source: str) -> Graph:
    """Return the graph of a model that came from `source`; the model is not changed."""
    if not model.graph.node:
        raise FormatError(
            field="the network", allowed="an ONNX model with nodes", given="none", source=source
        )
    check_names(model.graph, source)
    check_order(model.graph, source)
    slim, parameters = without_weights(model)
    image = find_image(slim.graph, parameters, source)
    fix_image(image, source)
    protos = nodes_behind(image.name, slim.graph, source)
    shapes = shapes_of(slim, source)
    maps = {image.name, *(name for proto in protos for name in proto.output)}
    nodes = tuple(node_of(proto, shapes, maps, source) for proto in protos)
    return Graph(
        name=name,
        source=source,
        image=image.name,
        tensors=tensors_of(image.name, nodes, shapes),
        nodes=nodes,
        notes={
            entry.key: entry.value
            for entry in model.metadata_props
            if isinstance(entry.key, str) and isinstance(entry.value, str)
        },
    )


def tensors_of(image: str, nodes: tuple[Node, ...], shapes: Shapes) -> dict[str, Tensor]:
    """Return the tensors that nodes name and whose shape is known, the image first."""
    names = [image]
    for node in nodes:
        names += [*node.inputs, *node.outputs]
    return {name: Tensor(shape=shapes.known[name]) for name in names if name in shapes.known}
