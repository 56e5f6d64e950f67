"""The walk through a graph: what each node means for the layers of a crossbar accelerator.

A node is a step, which says what it reads and how it complains. Convolutions and poolings slide
windows. Nodes that move or rename values are no layers: their readers see through them.

Reshape, transpose and flatten move no work to a crossbar, but they decide what the next layer
sees. So every dimension of a tensor carries a meaning: a channel shuffle (reshape, transpose,
reshape) leaves channels, rows and columns where they were, and a flatten leaves one mixed
dimension.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Literal, cast

from hwgen.errors import FormatError
from hwgen.network import operations as graph
from hwgen.network import operations as ops

Axis = Literal["batch", "channel", "row", "column", "mixed", "one"]
"""one: a dimension of size 1, which may mean anything. mixed: several of the others in one."""

LAYOUT: tuple[Axis, ...] = ("batch", "channel", "row", "column")
"""What a convolution or a pooling reads."""


@dataclass(frozen=True, kw_only=True)
class Map:
    """A tensor behind the image.

    providers: places of the layers that wrote it, in the order of concatenation; empty: the image
    shape: the batch included
    axes: the meaning of each dimension
    padding: rows at the top and columns at the left that Pad nodes have put there; shape includes
        them, and those behind
    added: rows and columns of `shape` that Pad nodes have put there, on both sides
    activated: whether a function of each element stands between the providers and this map
    channels: the first channel of each part that a Slice or a Split has cut out, and a mark where
        channels were put into another order; empty: all channels of the providers, in their order
    """

    providers: tuple[int, ...]
    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    padding: tuple[int, int] = (0, 0)
    added: tuple[int, int] = (0, 0)
    activated: bool = False
    channels: tuple[int, ...] = ()

    def size(self, *meanings: Axis) -> int:
        """Return how many values the dimensions of these meanings make together."""
        return math.prod(
            size for size, axis in zip(self.shape, self.axes, strict=True) if axis in meanings
        )

    @property
    def values(self) -> int:
        """Values for one image."""
        return math.prod(self.shape) // self.size("batch")

    @property
    def is_layered(self) -> bool:
        """Whether it is batch, channels, rows, columns, as windows read it."""
        return len(self.axes) == len(LAYOUT) and all(
            axis in (wanted, "one") or (axis == "mixed" and wanted == "channel")
            for axis, wanted in zip(self.axes, LAYOUT, strict=True)
        )


def named(shape: tuple[int, ...], axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Return the axes, where a dimension of size 1 means anything."""
    return tuple("one" if size == 1 else axis for size, axis in zip(shape, axes, strict=True))


def reshaped(old: Map, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return the meaning of each dimension after the values were cut into another shape.

    Old and new dimensions are walked together; the shortest runs of equal products belong to each
    other. A run of one meaning keeps it, however it is cut; a run of several is mixed.
    """
    before = [pair for pair in zip(old.shape, old.axes, strict=True) if pair[0] > 1]
    axes: list[Axis] = ["one"] * len(shape)
    after = [place for place, size in enumerate(shape) if size > 1]
    while after:
        run = [after.pop(0)]
        left, right = 1, shape[run[0]]
        meanings: set[Axis] = set()
        while left != right:
            if left < right:
                size, axis = before.pop(0)
                left *= size
                meanings.add(axis)
            else:
                run.append(after.pop(0))
                right *= shape[run[-1]]
        for place in run:
            axes[place] = next(iter(meanings)) if len(meanings) == 1 else "mixed"
    return tuple(axes)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A node, the graph around it, and the maps that are known so far."""

    node: ops.Node
    graph: ops.Graph
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
    def shape(self) -> ops.Shape:
        """Shape of its result."""
        return self.shape_of(self.node.outputs[0])

    def shape_of(self, name: str) -> ops.Shape:
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


Ops = frozenset[ops.Op]

GLOBAL_POOLS: Ops = frozenset({"global_average_pool", "global_max_pool", "mean"})
WINDOWS: Ops = frozenset({"average_pool", "conv", "max_pool"})
"""They slide a window over a map, and so may read a padded one."""

AVERAGES: Ops = frozenset({"average_pool", "global_average_pool", "mean"})
"""Poolings that take the mean; the others take the maximum."""

FULLY_CONNECTED: Ops = frozenset({"fully_connected", "matrix_product"})

RELUS: Ops = frozenset({"clip", "leaky_relu", "prelu", "relu"})
SIGMOIDS: Ops = frozenset({"function", "hard_sigmoid", "sigmoid", "tanh"})
"""Functions of one element; the unit of the sigmoid is a table, which holds any of them."""

SUMS: Ops = frozenset({"add"})
PRODUCTS: Ops = frozenset({"multiply"})
"""Element-wise, of maps; with one map and constants a bias or a normalization."""

UNMOVED: Ops = frozenset(
    {
        "batch_normalization",
        "cast",
        "divide",
        "dropout",
        "identity",
        "log_softmax",
        "lrn",
        "softmax",
        "subtract",
    }
)
"""They leave every value where it is. Arithmetic with constants alone is a normalization, which is
folded into the layer before it."""

MOVES: Ops = frozenset({"concatenate", "pad", "reshape", "slice", "transpose"})
"""They move or rename values and compute nothing."""

UNREAD: Ops = frozenset({"unknown"})
"""Refused by the reader of the file."""

MEANINGS: Mapping[str, Ops] = MappingProxyType(
    {
        "a layer: a window over a map, of any sides and dilation": WINDOWS,
        "a layer: a pooling over all rows and columns": GLOBAL_POOLS,
        "a fully connected layer; of each pixel, a convolution of 1 x 1": FULLY_CONNECTED,
        "a layer of two maps or more; of one map and constants folded": SUMS,
        "a layer of two maps, one of which may have a single pixel; functions of one map are one"
        " function; of one map and constants folded": PRODUCTS,
        "the ReLU of the layers before it": RELUS,
        "a function of the layers before it, in the table of the sigmoid": SIGMOIDS,
        "nothing: it leaves values where they are, and is folded": UNMOVED,
        "nothing: it moves values; slices of channels alone, zeros before windows": MOVES,
    }
)
"""What an operation becomes in a synthesis, for people."""


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


def image_map(graph: ops.Graph) -> Map:
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


def reads_by_rows(graph: ops.Graph) -> bool:
    """Whether every reader of the image turns rows x columns x channels around first."""
    readers = [node.attributes for node in graph.nodes if graph.image in node.inputs]
    turned = ops.Transposition(order=(0, 3, 1, 2))
    return bool(readers) and readers == [turned] * len(readers)


PLANE = 2
"""Rows and columns."""

Pair = tuple[int, int]
"""Of rows, of columns."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sides in pixels; padding is that at the top and at the left, Pad nodes included."""

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    in_sides: Pair = (1, 1)
    out_sides: Pair = (1, 1)


def sliding_window(step: Step) -> Window:
    """Return the window of a convolution or of a pooling."""
    given = cast(graph.Window, step.node.attributes)
    read = layered(step)
    kernel = pair(step, "kernel", given.kernel)
    dilation = pair(step, "dilations", given.dilations)
    before = pair(step, "padding at the top and at the left", given.pads[: len(given.pads) // 2])
    return Window(
        kernel=kernel,
        stride=pair(step, "strides", given.strides),
        padding=(before[0] + read.padding[0], before[1] + read.padding[1]),
        # Of a single pixel it means nothing.
        dilation=(dilation[0] if kernel[0] > 1 else 1, dilation[1] if kernel[1] > 1 else 1),
        in_sides=(read.shape[2] - read.added[0], read.shape[3] - read.added[1]),
        out_sides=pair(step, "output map", step.shape[2:]),
    )


def global_window(step: Step) -> Window:
    """Return the window of a pooling over all rows and columns."""
    read = step.map
    if step.node.op == "mean":
        check_reduced(step, read)
    else:
        read = layered(step)
    sides = read.size("row"), read.size("column")
    return Window(kernel=sides, in_sides=sides)


def check_reduced(step: Step, read: Map) -> None:
    """A mean is a pooling when it runs over all rows and columns, and over nothing else."""
    places = cast(graph.Mean, step.node.attributes).axes
    reduced = {read.axes[place] for place in places} - {"one"}
    pixels = {"row", "column"} & set(read.axes)
    if reduced != pixels:
        raise step.error("axes", "rows and columns", ", ".join(sorted(reduced)) or "others")


def layered(step: Step) -> Map:
    """Return the map that a window slides over: batch, channels, rows, columns."""
    read = step.map
    if not read.is_layered:
        given = " x ".join(
            f"{axis} {size}" for axis, size in zip(read.axes, read.shape, strict=True)
        )
        raise step.error("map", "batch x channels x rows x columns", given)
    return read


def pair(step: Step, what: str, sides: tuple[int, ...]) -> Pair:
    """Return what is given for rows and for columns."""
    if len(sides) != PLANE:
        given = " x ".join(str(side) for side in sides)
        raise step.error(what, "of two dimensions", given)
    return sides[0], sides[1]


def reduced_axes(step: Step) -> tuple[Axis, ...]:
    """Return the axes behind a mean over rows and columns, which are kept with size 1 or gone."""
    axes = step.map.axes
    if len(step.shape) == len(axes):
        return axes
    reduced = cast(graph.Mean, step.node.attributes).axes
    return tuple(axis for place, axis in enumerate(axes) if place not in reduced)


SHUFFLED = -1
"""Among the channels of a map: they are in another order than those of its providers."""


def moved(step: Step) -> Map:
    """Return what a node of `MOVES` makes of the maps that it reads."""
    match step.node.op:
        case "concatenate":
            return joined(step)
        case "pad":
            return padded(step)
        case "slice":
            return sliced(step)
        case "transpose":
            return transposed(step)
        case _:
            return cut(step)


def unmoved(step: Step) -> Map:
    """Values stay where they are; constants may be read beside them."""
    divisor = step.node.op == "divide" and step.node.inputs[0] not in step.maps
    if len(step.read) > 1 or divisor:
        given = "a map to divide by" if divisor else f"{len(step.read)} maps"
        raise step.error("inputs", "one map and constants", given)
    read = step.read[0]
    if step.shape != read.shape:
        raise step.error("output", f"of shape {read.shape} as its map", step.shape)
    return read


def cut(step: Step) -> Map:
    """Reshape, flatten, squeeze, unsqueeze."""
    read = step.map
    if math.prod(step.shape) != math.prod(read.shape):
        raise step.error("output", f"as many values as {read.shape}", step.shape)
    return replace(read, shape=step.shape, axes=reshaped(read, step.shape))


def transposed(step: Step) -> Map:
    """Dimensions change places and keep their meanings; channels may be shuffled."""
    read = step.map
    order = cast(ops.Transposition, step.node.attributes).order
    shuffled = any(
        read.axes[one] == read.axes[other] != "one"
        for one, other in combinations(order, 2)
        if one > other
    )
    return replace(
        read,
        shape=step.shape,
        axes=tuple(read.axes[place] for place in order),
        channels=(*read.channels, SHUFFLED) if shuffled else read.channels,
    )


def joined(step: Step) -> Map:
    """Maps behind each other along the channels (or along the values of flattened maps)."""
    reads = step.read
    if len(reads) < len([name for name in step.node.inputs if name]):
        raise step.error("inputs", "maps alone", "a constant among them")
    axis = cast(ops.Concatenation, step.node.attributes).axis
    across: set[Axis] = {read.axes[axis] for read in reads} - {"one"}
    if not across <= {"channel", "mixed"} or (not across and is_plane(step, axis)):
        raise step.error("axis", "that of the channels", ", ".join(sorted(across)) or axis)
    axes: list[Axis] = list(reads[0].axes)
    for place in range(len(axes)):
        known = {read.axes[place] for read in reads} - {"one"}
        axes[place] = known.pop() if len(known) == 1 else "mixed" if known else "one"
    axes[axis] = "mixed" if "mixed" in across else "channel"
    parts = tuple(channel for read in reads for channel in read.channels)
    return Map(
        providers=providers_of(reads),
        shape=step.shape,
        axes=named(step.shape, tuple(axes)),
        activated=any(read.activated for read in reads),
        channels=(*parts, SHUFFLED) if parts else (),
    )


def is_plane(step: Step, axis: int) -> bool:
    """Whether a dimension of size 1 everywhere stands where rows and columns do."""
    return len(step.shape) == len(LAYOUT) and axis in (2, 3)


def providers_of(reads: list[Map]) -> tuple[int, ...]:
    """Return the layers behind several maps, each once, in order; the image is not named."""
    return tuple(dict.fromkeys(provider for read in reads for provider in read.providers))


def padded(step: Step) -> Map:
    """Zeros around rows and columns; the convolution or pooling behind adds them to its own."""
    read, padding = step.map, cast(ops.Padding, step.node.attributes)
    if padding.mode != "constant":
        raise step.error("mode", "constant", padding.mode)
    pads = padding.pads
    if not any(pads):
        return unmoved(step)
    if not read.is_layered or any(pads[:2]) or any(pads[4:6]):
        raise step.error("pads", "for rows and columns alone", list(pads))
    if min(pads) < 0:
        raise step.error("pads", "not negative", list(pads))
    return replace(
        read,
        shape=step.shape,
        axes=named(step.shape, LAYOUT),
        padding=(read.padding[0] + pads[2], read.padding[1] + pads[3]),
        added=(read.added[0] + pads[2] + pads[6], read.added[1] + pads[3] + pads[7]),
    )


def sliced(step: Step) -> Map:
    """Some of the channels; their readers wait for the whole map, and read what they need of it."""
    read, ranges = step.map, cast(ops.Slice, step.node.attributes).ranges
    for axis, (first, end, by), size in zip(read.axes, ranges, read.shape, strict=True):
        whole = (first, end, by) == (0, size, 1)
        if not whole and axis not in ("channel", "one"):
            given = f"{axis} {first} to {end}" + (f" by {by}" if by != 1 else "")
            raise step.error("places", "of channels alone", given)
    if step.shape == read.shape:
        return read
    part = next(
        first
        for (first, end, by), size in zip(ranges, read.shape, strict=True)
        if (first, end, by) != (0, size, 1)
    )
    return replace(
        read, shape=step.shape, axes=named(step.shape, read.axes), channels=(*read.channels, part)
    )
