"""The nodes of an integer graph: what formats have in common, with everything implicit resolved.

A reader writes strides, paddings and groups as numbers, weights in the orders below, and a fused
activation as the range of the output map. It keeps nodes that it cannot read as `Unsupported`, so
that all of them are refused at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.constants import Operand
from hwgen.importers.integer.maps import QuantizedMap

Pair = tuple[int, int]
"""Vertical, horizontal."""
Sides = tuple[int, int, int, int]
"""Top, left, bottom, right."""

NO_PADDING: Sides = (0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Integers of a layer with weights, as the file stores them.

    integers: (out, kernel_height, kernel_width, in / groups) or (out, height * width * in)
    scales, zero_points: (out,), of each filter; real weight = scale * (integer - zero_point)
    bias: int64, (out,), in steps of (scale of the input) * (scale of the filter)
    rest: what a runtime of real numbers adds beside the bias, (out,), less than a step; None: zero
    bits: of the type in the file, or of the range that it names
    long_sums: whether LiteRT adds them in 64 bits where the map has 16
    """

    integers: NDArray[Any]
    scales: NDArray[np.float64]
    zero_points: NDArray[np.int64]
    bias: NDArray[np.int64]
    rest: NDArray[np.float64] | None = None
    bits: int = 8
    long_sums: bool = False

    @property
    def centred(self) -> NDArray[np.int64]:
        """Integers minus the zero point of their filter."""
        zero = self.zero_points.reshape(-1, *(1,) * (self.integers.ndim - 1))
        centred: NDArray[np.int64] = self.integers.astype(np.int64) - zero
        return centred

    def of_filters(self, places: Sequence[int]) -> "Weights":
        """Return the weights of some filters, in this order."""
        chosen = list(places)
        return replace(
            self,
            integers=self.integers[chosen],
            scales=self.scales[chosen],
            zero_points=self.zero_points[chosen],
            bias=self.bias[chosen],
            rest=None if self.rest is None else self.rest[chosen],
        )


def weights_of(
    integers: NDArray[Any], *, scales: Any, zero_points: Any = 0, bias: Any = 0, bits: int = 8
) -> Weights:
    """Return weights; scales, zero points and bias may have one entry for all filters."""
    outputs = len(integers)
    return Weights(
        integers=integers,
        scales=np.broadcast_to(np.asarray(scales, np.float64).reshape(-1), outputs),
        zero_points=np.broadcast_to(np.asarray(zero_points, np.int64).reshape(-1), outputs),
        bias=np.broadcast_to(np.asarray(bias, np.int64).reshape(-1), outputs),
        bits=bits,
    )


@dataclass(frozen=True, kw_only=True)
class NodeBase:
    """A node of any kind.

    name: as the file calls it, for messages and for the name of the layer
    operator: as the format calls it, for messages
    inputs, output: names of maps; `output` becomes the `source` of the layer
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, kw_only=True)
class Convolution(NodeBase):
    """A convolution; outputs of group g read the inputs of group g; padding is a real zero."""

    weights: Weights
    stride: Pair
    padding: Sides
    dilation: Pair = (1, 1)
    groups: int = 1


@dataclass(frozen=True, kw_only=True)
class FullyConnected(NodeBase):
    """A fully connected layer; weights run over (row, column, channel) of the whole input map."""

    weights: Weights


@dataclass(frozen=True, kw_only=True)
class MaxPooling(NodeBase):
    """Maximum over a window; padding never wins."""

    kernel: Pair
    stride: Pair
    padding: Sides


@dataclass(frozen=True, kw_only=True)
class AveragePooling(NodeBase):
    """Mean over a window, times a gain; counts_padding: padding counts as zero or is left out."""

    kernel: Pair
    stride: Pair
    padding: Sides
    counts_padding: bool = False
    gain: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Addition(NodeBase):
    """Sum of two maps, sides of 1 repeated, each times a gain, which may be negative."""

    gains: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class SquaredDifference(NodeBase):
    """Square of the difference of two maps, sides of 1 repeated, as LiteRT computes it."""


@dataclass(frozen=True, kw_only=True)
class Extremum(NodeBase):
    """The larger of two elements; least: the smaller."""

    least: bool = False


@dataclass(frozen=True, kw_only=True)
class Multiplication(NodeBase):
    """Product of two maps, sides of 1 repeated, times a gain."""

    gain: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MatrixProduct(NodeBase):
    """Product of two maps in each group (head), times a gain; pixels are tokens.

    transposed: sums over the channels of a group of the second map, for each of its pixels; else
        over its pixels, for each of its channels
    """

    groups: int
    transposed: bool
    gain: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SoftmaxOfGroups(NodeBase):
    """Exponentials over their sum, of each group (head) of channels of a pixel.

    causal: of pixel k of the first k + 1 channels of each group alone; other shares are zero
    """

    groups: int
    causal: bool = False


@dataclass(frozen=True, kw_only=True)
class LayerNormalization(NodeBase):
    """(x - mean) / sqrt(variance + eps) * gamma + beta over the channels of a pixel, in float32.

    gamma, beta: float32, (channels,), or those of each head; centred: else the mean is taken for 0
    """

    eps: np.float32
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]
    centred: bool = True


@dataclass(frozen=True, kw_only=True)
class ConstantMap(NodeBase):
    """A map without inputs; integers: (height, width, channels), as the file stores them."""

    integers: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Choice(NodeBase):
    """Constants in some places of a map, its own elements times a gain in the others.

    chosen: where constants stand, values: these, real; both (height, width, channels)
    """

    chosen: NDArray[np.bool_]
    values: NDArray[np.float64]
    gain: float = 1.0


@dataclass(frozen=True, kw_only=True)
class StateMap(NodeBase):
    """What the map `next` was in the call before; at first its zero point."""

    next: str


@dataclass(frozen=True, kw_only=True)
class PerChannel(NodeBase):
    """factor * x + offset with constants; factor, offset: real, (channels,).

    operand: the constants as the runtime computes with them; None: it does in real numbers
    """

    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    operand: Operand | None = None


@dataclass(frozen=True, kw_only=True)
class Slopes(NodeBase):
    """x, below zero times the slope of its channel; slopes: real, (channels,).

    operand: the slopes as LiteRT computes with them; None: of another format
    """

    slopes: NDArray[np.float64]
    operand: Operand | None = None


@dataclass(frozen=True, kw_only=True)
class Lookup(NodeBase):
    """A function of each element; `function` takes and returns real values, any shape.

    slope: of a leaky ReLU, which LiteRT computes in fixed point; None: another function
    steps: what the runtime computes in integers, for each integer of the map; None: real numbers
    results: integers of the output for each integer of the map, of whatever runtime; None: computed
    """

    function: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    slope: float | None = None
    steps: Callable[[QuantizedMap, QuantizedMap], NDArray[np.int64]] | None = None
    results: NDArray[np.int64] | None = None


@dataclass(frozen=True, kw_only=True)
class Requantization(NodeBase):
    """The same real values with another quantization, times a gain, or clipped (a lone ReLU).

    operand: what LiteRT computes where it is no conversion; None: a conversion
    """

    gain: float = 1.0
    operand: Operand | None = None


@dataclass(frozen=True, kw_only=True)
class Concatenation(NodeBase):
    """Maps concatenated by channels."""


@dataclass(frozen=True, kw_only=True)
class Stacking(NodeBase):
    """The pixels of maps one behind the other: a class token before the others."""


@dataclass(frozen=True, kw_only=True)
class Selection(NodeBase):
    """Channels of the input in any order: a slice, a part of a split, a shuffle."""

    channels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Subsampling(NodeBase):
    """Every stride-th row and column, from the first."""

    stride: Pair


@dataclass(frozen=True, kw_only=True)
class Upsampling(NodeBase):
    """Every pixel at `factor` times its place: repeated, or with real zeros between pixels."""

    factor: Pair
    zeros: bool


@dataclass(frozen=True, kw_only=True)
class Transposition(NodeBase):
    """The axes (row, column, channel) in another order."""

    order: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Padding(NodeBase):
    """Real zeros around a map. sides: top, left, bottom, right; channels: in front, behind.

    lowest: not zeros, but what is below every element, around a map that max pools read
    """

    sides: Sides
    channels: Pair = (0, 0)
    lowest: bool = False


@dataclass(frozen=True, kw_only=True)
class Border(NodeBase):
    """Rows and columns of a map around it. sides: top, left, bottom, right.

    mirrored: those behind the outermost one, the nearest first; else the outermost one again
    """

    sides: Sides
    mirrored: bool


@dataclass(frozen=True, kw_only=True)
class View(NodeBase):
    """The same elements in the same (row, column, channel) order under another shape."""


@dataclass(frozen=True, kw_only=True)
class Head(NodeBase):
    """A function that keeps the order of the channels of the answer (Softmax); it is dropped."""


@dataclass(frozen=True, kw_only=True)
class Unsupported(NodeBase):
    """A node that the reader cannot express; what must be `allowed`, got `given`."""

    what: str
    allowed: str
    given: str
    dependent: bool = field(default=False)
    """Whether it is refused only because of another node that is."""


Node = (
    Convolution
    | FullyConnected
    | MaxPooling
    | AveragePooling
    | Addition
    | SquaredDifference
    | Extremum
    | Multiplication
    | MatrixProduct
    | SoftmaxOfGroups
    | LayerNormalization
    | ConstantMap
    | StateMap
    | Choice
    | PerChannel
    | Slopes
    | Lookup
    | Requantization
    | Concatenation
    | Stacking
    | Selection
    | Subsampling
    | Upsampling
    | Transposition
    | Padding
    | Border
    | View
    | Head
    | Unsupported
)

ONE_SHAPE = "of one shape, or with sides of 1 where the other has more"
"""Of the maps of a sum or a product."""
WINDOWS = Convolution | MaxPooling | AveragePooling
"""Nodes with kernel, stride and padding."""


def window_of(node: WINDOWS) -> Pair:
    """Return height and width of a window, with its dilation."""
    if not isinstance(node, Convolution):
        return node.kernel
    _, height, width, _ = node.weights.integers.shape
    return (height - 1) * node.dilation[0] + 1, (width - 1) * node.dilation[1] + 1
