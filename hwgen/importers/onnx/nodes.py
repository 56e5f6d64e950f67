"""Translate one ONNX node to one node of a graph; implicit defaults of ONNX become explicit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import onnx

from hwgen.errors import FormatError
from hwgen.importers.onnx.check import label, node_name
from hwgen.importers.onnx.operators import OPERATORS
from hwgen.importers.onnx.shapes import Shapes
from hwgen.spec.graph import (
    Attributes,
    Concatenation,
    Matrices,
    Mean,
    Node,
    Op,
    Padding,
    Plain,
    Shape,
    Transposition,
    Window,
)

BATCH_AND_CHANNELS = 2
"""Dimensions in front of those that a window slides over."""

AXES_PLACE = 3
"""Input of Pad that names axes."""

WITH_WEIGHTS: frozenset[Op] = frozenset({"conv", "fully_connected", "matrix_product"})

WITH_PARAMETERS: frozenset[Op] = frozenset({"identity", "mean", "pad", "reshape"})
"""Inputs behind the first are shapes, axes, pads, scales: no maps, and no tensors of the graph."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An ONNX node with the shapes of its tensors."""

    proto: onnx.NodeProto
    shapes: Shapes
    source: str

    @property
    def read(self) -> Shape:
        """Shape of its first input."""
        return self.shape_of(self.proto.input[0])

    @property
    def written(self) -> Shape:
        """Shape of its first output."""
        return self.shape_of(self.proto.output[0])

    def shape_of(self, name: str) -> Shape:
        """Return the shape of one of its tensors."""
        if name not in self.shapes.known:
            obstacle = self.shapes.obstacle
            given = f"an unknown one: {obstacle}" if obstacle else "an unknown one"
            raise self.error(f"tensor {name}", "of a known shape", given)
        return self.shapes.known[name]

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute, or ONNX's default."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                return onnx.helper.get_attribute_value(attribute)
        return default

    def integers(self, name: str, place: int) -> tuple[int, ...] | None:
        """Return integers of an attribute, or of an input in newer ONNX; None if absent."""
        given = self.attribute(name, None)
        if given is not None:
            return tuple(int(value) for value in given)
        if len(self.proto.input) <= place or not self.proto.input[place]:
            return None
        constant = self.shapes.constants.get(self.proto.input[place])
        if constant is None:
            raise self.error(name, "stored in the file", "a computed one")
        return constant

    def error(self, field: str, allowed: object, given: object) -> FormatError:
        """Return the error for a property of this node."""
        return FormatError(
            field=f"{field} of {label(self.proto)}",
            allowed=allowed,
            given=given,
            source=self.source,
        )


def node_of(proto: onnx.NodeProto, shapes: Shapes, maps: set[str], source: str) -> Node:
    """Return the node of a graph; maps: names of all tensors that depend on the image."""
    reading = Reading(proto=proto, shapes=shapes, source=source)
    op = OPERATORS[proto.op_type]
    inputs = list(proto.input)
    if op in WITH_WEIGHTS:
        check_operands(reading, op)
    if op in WITH_PARAMETERS:
        if not maps.isdisjoint(inputs[1:]):
            raise reading.error("inputs", "one map, then constants", "others")
        inputs = inputs[:1]
    attributes = ATTRIBUTES.get(op, no_attributes)(reading)
    _ = reading.written
    return Node(
        op=op,
        name=node_name(proto),
        operator=proto.op_type,
        inputs=tuple(inputs),
        outputs=tuple(proto.output),
        attributes=attributes,
    )


def check_operands(reading: Reading, op: Op) -> None:
    """Check that map and weights have known shapes, those of a convolution of equal rank."""
    one, other = (reading.shape_of(name) for name in reading.proto.input[:2])
    if op == "conv" and len(one) != len(other):
        raise reading.error("weights", f"constant, of {len(one)} dimensions", len(other))


def no_attributes(_: Reading) -> Plain:
    """Return the attributes of an operation that has none."""
    return Plain()


def conv_window(reading: Reading) -> Window:
    """Return the window of a convolution; its size is that of the weights."""
    return window_of(reading, reading.shape_of(reading.proto.input[1])[BATCH_AND_CHANNELS:])


def pool_window(reading: Reading) -> Window:
    """Return the window of a pooling."""
    return window_of(reading, tuple(reading.attribute("kernel_shape", ())))


def window_of(reading: Reading, kernel: tuple[int, ...]) -> Window:
    """Return the window of a convolution or of a pooling."""
    ones = [1] * len(kernel)
    strides = tuple(reading.attribute("strides", ones))
    dilations = tuple(reading.attribute("dilations", ones))
    return Window(
        kernel=kernel,
        strides=strides,
        pads=pads_of(reading, kernel, strides, dilations),
        dilations=dilations,
        groups=int(reading.attribute("group", 1)),
    )


def pads_of(
    reading: Reading, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the pads before each dimension, then those behind; `auto_pad` is resolved."""
    mode = reading.attribute("auto_pad", b"NOTSET").decode()
    none = (0,) * (2 * len(kernel))
    if mode == "VALID":
        return none
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        return tuple(reading.attribute("pads", none))
    sizes = zip(
        reading.read[BATCH_AND_CHANNELS:],
        reading.written[BATCH_AND_CHANNELS:],
        kernel,
        strides,
        dilations,
        strict=True,
    )
    both = [
        max((after - 1) * stride + (side - 1) * dilation + 1 - before, 0)
        for before, after, side, stride, dilation in sizes
    ]
    smaller = tuple(total // 2 for total in both)
    larger = tuple(total - total // 2 for total in both)
    return (*smaller, *larger) if mode == "SAME_UPPER" else (*larger, *smaller)


def padding_of(reading: Reading) -> Padding:
    """Return the padding of a Pad node."""
    inputs = reading.proto.input
    if len(inputs) > AXES_PLACE and inputs[AXES_PLACE]:
        raise reading.error("inputs", "map, pads and value", "axes too")
    return Padding(
        pads=reading.integers("pads", 1) or (0,) * (2 * len(reading.read)),
        mode=reading.attribute("mode", b"constant").decode(),
    )


def matrices_of(reading: Reading) -> Matrices:
    """Return which matrices of a Gemm are transposed; those of a MatMul never are."""
    return Matrices(
        first_transposed=bool(reading.attribute("transA", 0)),
        second_transposed=bool(reading.attribute("transB", 0)),
    )


def concatenation_of(reading: Reading) -> Concatenation:
    """Return the dimension of a Concat, counted from the first."""
    return Concatenation(axis=int(reading.attribute("axis", 1)) % len(reading.written))


def mean_of(reading: Reading) -> Mean:
    """Return the dimensions of a ReduceMean: those given, else all."""
    _ = reading.written  # known only where the axes exist
    rank = len(reading.read)
    named = reading.integers("axes", 1)
    return Mean(axes=tuple(axis % rank for axis in (range(rank) if named is None else named)))


def transposition_of(reading: Reading) -> Transposition:
    """Return the order of a Transpose: as given, else reversed."""
    rank = len(reading.read)
    order = tuple(reading.attribute("perm", range(rank)[::-1]))
    if sorted(order) != list(range(rank)):
        raise reading.error("perm", f"every dimension from 0 to {rank - 1} once", list(order))
    return Transposition(order=order)


ATTRIBUTES: Mapping[Op, Callable[[Reading], Attributes]] = MappingProxyType(
    {
        "average_pool": pool_window,
        "concatenate": concatenation_of,
        "conv": conv_window,
        "fully_connected": matrices_of,
        "matrix_product": matrices_of,
        "max_pool": pool_window,
        "mean": mean_of,
        "pad": padding_of,
        "transpose": transposition_of,
    }
)
"""Reader of the attributes of each operation; other operations have none."""
