"""How the maps of a node belong together, and how the image is laid out."""

from hwgen.crossbar.compiler.maps import LAYOUT, Axis, Map, named
from hwgen.errors import FormatError
from hwgen.network.operations import Graph, Transposition

BY_ROWS: tuple[Axis, ...] = ("batch", "row", "column", "channel")
"""How some tools lay an image out, with a transpose behind it."""

MATRIX = 2


def one_source(read: Map, other: Map) -> bool:
    """Whether two maps are functions of the same elements."""
    return (read.providers, read.shape, read.axes, read.channels) == (
        other.providers,
        other.shape,
        other.axes,
        other.channels,
    )


def fits(read: Map, other: Map) -> bool:
    """Whether two maps have one shape and layout."""
    return (read.shape, read.axes) == (other.shape, other.axes)


def scales(read: Map, other: Map) -> bool:
    """Whether a map is a factor for each channel of another one."""
    pairs = zip(read.shape, other.shape, other.axes, strict=False)
    return len(read.shape) == len(other.shape) and all(
        size == (1 if axis in ("row", "column") else whole) for size, whole, axis in pairs
    )


def image_map(graph: Graph) -> Map:
    """Return the image: batch x channels x rows x columns, by rows, or a batch of vectors."""
    shape = graph.tensors[graph.image].shape
    axes: tuple[Axis, ...] = LAYOUT
    if len(shape) == MATRIX:
        axes = ("batch", "channel")
    elif reads_by_rows(graph):
        axes = BY_ROWS
    if len(shape) != len(axes):
        raise FormatError(
            field=f"input {graph.image}",
            allowed="an image or a vector, of 4 or 2 dimensions with the batch",
            given=" x ".join(str(side) for side in shape),
            source=graph.source,
        )
    return Map(providers=(), shape=shape, axes=named(shape, axes))


def reads_by_rows(graph: Graph) -> bool:
    """Whether every reader of the image turns rows x columns x channels around first."""
    readers = [node.attributes for node in graph.nodes if graph.image in node.inputs]
    turned = Transposition(order=(0, 3, 1, 2))
    return bool(readers) and readers == [turned] * len(readers)
