"""Translate ONNX nodes to nodes of a graph; implicit defaults of ONNX become explicit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import onnx

from hwgen.errors import KNOWN_OPERATOR
from hwgen.importers.integer.refused import RefusedError
from hwgen.importers.onnx.check import has_graph, node_name
from hwgen.importers.onnx.operators import OPERATORS
from hwgen.importers.onnx.shapes import Shapes
from hwgen.network import operations as ops

BATCH_AND_CHANNELS = 2
"""Dimensions in front of those that a window slides over."""

AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")

LONGEST_STRIDE = 65_535

AXES_PLACE = 3
"""Input of Pad that names axes."""

WITH_WEIGHTS: frozenset[ops.Op] = frozenset({"conv", "fully_connected", "matrix_product"})

WITH_PARAMETERS: frozenset[ops.Op] = frozenset({"identity", "mean", "pad", "reshape", "slice"})
"""Inputs behind the first are shapes, axes, pads, scales: no maps, and no tensors of the graph."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An ONNX node with the shapes of its tensors."""

    proto: onnx.NodeProto
    shapes: Shapes

    @property
    def read(self) -> ops.Shape:
        """Shape of its first input."""
        return self.shape_of(self.proto.input[0])

    @property
    def written(self) -> ops.Shape:
        """Shape of its first output."""
        return self.shape_of(self.proto.output[0])

    def shape_of(self, name: str) -> ops.Shape:
        """Return the shape of one of its tensors."""
        if name not in self.shapes.known:
            obstacle = self.shapes.obstacle
            given = f"an unknown one: {obstacle}" if obstacle else "an unknown one"
            raise RefusedError(f"tensor {name}", "of a known shape", given)
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
            raise RefusedError(name, "stored in the file", "a computed one")
        return constant


def nodes_of(
    proto: onnx.NodeProto, shapes: Shapes, maps: set[str], lost: set[str]
) -> list[ops.Node]:
    """Return the nodes that an ONNX node becomes: one, or one for each output of a Split.

    maps: names of all tensors that depend on the image; lost: those of nodes that cannot be
    expressed, to which this node's are added if it cannot be, either
    """
    foreign = proto.op_type not in OPERATORS or proto.domain not in ("", "ai.onnx")
    try:
        if foreign or has_graph(proto):
            raise RefusedError("the operator", KNOWN_OPERATOR, proto.op_type)
        return well_formed(Reading(proto=proto, shapes=shapes), maps)
    except RefusedError as error:
        dependent = not foreign and not lost.isdisjoint(proto.input)
        lost.update(proto.output)
        why = ops.Refused(
            what=error.what, allowed=error.allowed, given=error.given, dependent=dependent
        )
        return [new_node(proto, "unknown", list(proto.input), list(proto.output), why)]


def well_formed(reading: Reading, maps: set[str]) -> list[ops.Node]:
    """Return the nodes of a known operator; attributes that contradict the standard are refused."""
    try:
        return expressed(reading, maps)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        given = " ".join(str(error).split())[:100] or type(error).__name__
        raise RefusedError("its attributes and inputs", "as ONNX defines them", given) from error


def expressed(reading: Reading, maps: set[str]) -> list[ops.Node]:
    """Return the nodes of a known operator."""
    proto, op = reading.proto, OPERATORS[reading.proto.op_type]
    inputs = list(proto.input)
    if op in WITH_WEIGHTS:
        check_operands(reading, op)
    if op in WITH_PARAMETERS:
        if not maps.isdisjoint(inputs[1:]):
            raise RefusedError("inputs", "one map, then constants", "others")
        inputs = inputs[:1]
    if proto.op_type == "Gather":
        return [gathered(reading, inputs)]
    if op == "slice":
        parts = zip(slices_of(reading), proto.output, strict=True)
        return [new_node(proto, op, inputs, [name], part) for part, name in parts if name]
    attributes = ATTRIBUTES.get(op, no_attributes)(reading)
    _ = reading.written
    return [new_node(proto, op, inputs, list(proto.output), attributes)]


def new_node(
    proto: onnx.NodeProto,
    op: ops.Op,
    inputs: list[str],
    outputs: list[str],
    attributes: ops.Attributes,
) -> ops.Node:
    """Return a node with the name and the operator that it has in the file."""
    foreign = proto.domain not in ("", "ai.onnx")
    return ops.Node(
        op=op,
        name=node_name(proto),
        operator=f"{proto.domain}.{proto.op_type}" if foreign else proto.op_type,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        attributes=attributes,
    )


def check_operands(reading: Reading, op: ops.Op) -> None:
    """Check that map and weights have known shapes, those of a convolution of equal rank."""
    one, other = (reading.shape_of(name) for name in reading.proto.input[:2])
    if op == "conv" and len(one) != len(other):
        raise RefusedError("weights", f"constant, of {len(one)} dimensions", len(other))


def no_attributes(_: Reading) -> ops.Plain:
    """Return the attributes of an operation that has none."""
    return ops.Plain()


def slope_of(reading: Reading) -> ops.Slope:
    """Return the slope of a LeakyRelu."""
    return ops.Slope(slope=float(reading.attribute("alpha", 0.01)))


def conv_window(reading: Reading) -> ops.Window:
    """Return the window of a convolution; its size is that of the weights."""
    return window_of(reading, reading.shape_of(reading.proto.input[1])[BATCH_AND_CHANNELS:])


def pool_window(reading: Reading) -> ops.Window:
    """Return the window of a pooling."""
    return window_of(reading, tuple(reading.attribute("kernel_shape", ())))


def window_of(reading: Reading, kernel: tuple[int, ...]) -> ops.Window:
    """Return the window of a convolution or of a pooling."""
    named = tuple(reading.attribute("kernel_shape", kernel))
    if named != kernel:
        raise RefusedError("kernel_shape", f"{list(kernel)}, as its weights are", list(named))
    ones = [1] * len(kernel)
    strides = tuple(reading.attribute("strides", ones))
    dilations = tuple(reading.attribute("dilations", ones))
    if max(strides, default=1) > LONGEST_STRIDE:
        raise RefusedError("strides", f"at most {LONGEST_STRIDE}", list(strides))
    return ops.Window(
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
    mode = reading.attribute("auto_pad", b"NOTSET").decode(errors="backslashreplace")
    if mode not in AUTO_PADS:
        raise RefusedError("auto_pad", f"one of {', '.join(AUTO_PADS)}", mode)
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


def padding_of(reading: Reading) -> ops.Padding:
    """Return the padding of a Pad node."""
    inputs = reading.proto.input
    if len(inputs) > AXES_PLACE and inputs[AXES_PLACE]:
        raise RefusedError("inputs", "map, pads and value", "axes too")
    return ops.Padding(
        pads=reading.integers("pads", 1) or (0,) * (2 * len(reading.read)),
        mode=reading.attribute("mode", b"constant").decode(),
    )


def matrices_of(reading: Reading) -> ops.Matrices:
    """Return which matrices of a Gemm are transposed; those of a MatMul never are."""
    return ops.Matrices(
        first_transposed=bool(reading.attribute("transA", 0)),
        second_transposed=bool(reading.attribute("transB", 0)),
    )


def concatenation_of(reading: Reading) -> ops.Concatenation:
    """Return the dimension of a Concat, counted from the first."""
    return ops.Concatenation(axis=int(reading.attribute("axis", 1)) % len(reading.written))


def mean_of(reading: Reading) -> ops.Mean:
    """Return the dimensions of a ReduceMean: those given, else all."""
    _ = reading.written  # known only where the axes exist
    rank = len(reading.read)
    named = reading.integers("axes", 1)
    return ops.Mean(axes=tuple(axis % rank for axis in (range(rank) if named is None else named)))


def transposition_of(reading: Reading) -> ops.Transposition:
    """Return the order of a Transpose: as given, else reversed."""
    rank = len(reading.read)
    order = tuple(reading.attribute("perm", range(rank)[::-1]))
    if sorted(order) != list(range(rank)):
        raise RefusedError("perm", f"every dimension from 0 to {rank - 1} once", list(order))
    return ops.Transposition(order=order)


def slices_of(reading: Reading) -> list[ops.Slice]:
    """Return what each output of a Slice or of a Split is."""
    read = reading.read
    if reading.proto.op_type == "Slice":
        return [slice_of(reading, read)]
    given = int(reading.attribute("axis", 0))
    if not -len(read) <= given < len(read):
        raise RefusedError("axis", f"from {-len(read)} to {len(read) - 1}", given)
    axis = given % len(read)
    outputs, sizes = reading.proto.output, reading.integers("split", 1)
    if sizes is not None and (
        len(sizes) != len(outputs) or min(sizes) < 1 or sum(sizes) != read[axis]
    ):
        allowed = f"{len(outputs)} sizes from 1 that add up to {read[axis]}"
        raise RefusedError("split", allowed, list(sizes))
    begin = 0
    found: list[ops.Slice] = []
    for name in outputs:
        # Parts that nobody reads have no name, and so no shape; a Split then says their sizes.
        size = reading.shape_of(name)[axis] if sizes is None else sizes[len(found)]
        ranges = [(0, side, 1) for side in read]
        ranges[axis] = (begin, begin + size, 1)
        found.append(ops.Slice(ranges=tuple(ranges)))
        begin += size
    return found


def gathered(reading: Reading, inputs: list[str]) -> ops.Node:
    """Return what a Gather is: a new shape where all places follow each other, else a slice."""
    proto = reading.proto
    axis = int(reading.attribute("axis", 0)) % len(reading.read)
    side = reading.read[axis]
    places = reading.shapes.constants.get(proto.input[1])
    if places is None:
        raise RefusedError("indices", "stored in the file", "computed ones")
    places = tuple(place % side for place in places)
    outputs = list(proto.output)
    if places == tuple(range(side)):
        return new_node(proto, "reshape", inputs, outputs, ops.Plain())
    flat = len(reading.shape_of(proto.input[1])) == 1 and len(places) > 0
    step = places[1] - places[0] if len(places) > 1 else 1
    end = places[-1] + 1
    if not flat or step < 1 or places != tuple(range(places[0], end, step)):
        raise RefusedError("indices", "in order, of one distance", "others")
    _ = reading.written
    ranges = [(0, size, 1) for size in reading.read]
    ranges[axis] = (places[0], end, step)
    return new_node(proto, "slice", inputs, outputs, ops.Slice(ranges=tuple(ranges)))


def slice_of(reading: Reading, read: ops.Shape) -> ops.Slice:
    """Return what a Slice leaves; its attributes became inputs in newer ONNX."""
    rank = len(read)
    starts, ends = reading.integers("starts", 1), reading.integers("ends", 2)
    if starts is None or ends is None:
        raise RefusedError("starts and ends", "given", "none")
    axes = reading.integers("axes", 3) or tuple(range(len(starts)))
    steps = reading.integers("steps", 4) or (1,) * len(starts)
    _ = reading.written  # known only where all of them fit
    ranges = [(0, side, 1) for side in read]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        side = read[axis % rank]
        ranges[axis % rank] = slice(start, end, step).indices(side)
    return ops.Slice(ranges=tuple(ranges))


ATTRIBUTES: Mapping[ops.Op, Callable[[Reading], ops.Attributes]] = MappingProxyType(
    {
        "average_pool": pool_window,
        "concatenate": concatenation_of,
        "conv": conv_window,
        "fully_connected": matrices_of,
        "leaky_relu": slope_of,
        "matrix_product": matrices_of,
        "max_pool": pool_window,
        "mean": mean_of,
        "pad": padding_of,
        "transpose": transposition_of,
    }
)
"""Reader of the attributes of each operation; other operations have none."""
