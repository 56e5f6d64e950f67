"""Find the input of a graph that is the image, and its size.

Tests: `tests/importers/onnx/test_nodes.py`.
"""

from collections.abc import Iterable, Sequence

import onnx

from hwgen.errors import FormatError
from hwgen.importers.onnx.operators import ARITHMETIC, SHAPE_READERS

NO_NUMBERS = frozenset(
    {
        onnx.TensorProto.STRING,
        onnx.TensorProto.BOOL,
        onnx.TensorProto.COMPLEX64,
        onnx.TensorProto.COMPLEX128,
    }
)
"""Types of elements that no image has."""

MAP_RANK = 4
"""Batch, channels, rows, columns."""


def find_image(graph: onnx.GraphProto, parameters: set[str], source: str) -> onnx.ValueInfoProto:
    """Return the input that is the image: the one that nodes read as a map, not as a parameter.

    A graph without stored weights declares them as inputs, too. The image is the input of rank 4
    that is read as a map; else an input of another rank that is; else the first operand of an
    addition, multiplication or matrix product.
    """
    free: list[onnx.ValueInfoProto] = [
        tensor for tensor in graph.input if tensor.name not in parameters
    ]
    data = [tensor for tensor in free if reads_as_map(tensor, graph.node)]
    images = [tensor for tensor in data if rank(tensor) == MAP_RANK] or data
    if not images:
        summed = {n for node in graph.node if node.op_type in ARITHMETIC for n in node.input}
        images = [tensor for tensor in free if tensor.name in summed][:1]
    if len(images) != 1:
        names = ", ".join(tensor.name for tensor in images) or "none"
        raise FormatError(
            field="the images that the network reads", allowed="one", given=names, source=source
        )
    return images[0]


def reads_as_map(tensor: onnx.ValueInfoProto, nodes: Iterable[onnx.NodeProto]) -> bool:
    """Return whether some node reads a tensor as a map."""
    sides = [dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
    wide = len(sides) == MAP_RANK and max(sides[2:]) > 1
    return any(
        wide if node.op_type in ARITHMETIC else node.op_type == "Concat" or place == 0
        for node in nodes
        for place, name in enumerate(node.input)
        if name == tensor.name and node.op_type not in SHAPE_READERS
    )


def rank(tensor: onnx.ValueInfoProto) -> int:
    """Return the number of dimensions, known or not."""
    return len(tensor.type.tensor_type.shape.dim)


def fix_image(image: onnx.ValueInfoProto, source: str, given: Sequence[int] | None = None) -> None:
    """Set a batch of unknown size to 1, and unknown sides to those given; all must be known then.

    Refuses an image whose elements are no numbers.

    given: sides in the order of the file, without the batch
    """
    kind = image.type.tensor_type.elem_type
    if kind in NO_NUMBERS:
        raise FormatError(
            field=f"input {image.name}",
            allowed="of numbers",
            given=onnx.TensorProto.DataType.Name(kind),
            source=source,
        )
    sides = image.type.tensor_type.shape.dim
    known = " x ".join(str(side.dim_value or side.dim_param or "?") for side in sides[1:])
    if sides and sides[0].dim_value < 1:
        sides[0].dim_value = 1
    if given is not None:
        pairs = list(zip(sides[1:], given, strict=False))
        fits = all(side.dim_value in (0, size) for side, size in pairs)
        if len(given) != len(sides) - 1 or min(given, default=0) < 1 or not fits:
            raise FormatError(
                field=f"the given size of input {image.name}",
                allowed=f"as the file has it, {known or 'nothing'}",
                given=" x ".join(map(str, given)),
                source=source,
            )
        for side, size in pairs:
            side.dim_value = size
    if not sides or any(side.dim_value < 1 for side in sides):
        raise FormatError(
            field=f"input {image.name}",
            allowed="of known channels, rows and columns, or its size given (--image-size)",
            given=f"{sides[0].dim_value} x {known}" if sides else "nothing",
            source=source,
        )
