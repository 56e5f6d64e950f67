"""A network as a graph of operations: file readers create it, compilers read it.

The graph belongs to no family and to no file format. A reader resolves what its format leaves
implicit (padding modes, default strides, axes counted from the end) and refuses what is
invalid; a family's compiler refuses what its hardware does not run. A node that a reader cannot
express stands in the graph as `unknown` with the reason, so that all of them are refused at once.

Today a tensor has a shape and no values, which is all that synthesis needs. An import of weights
adds `values` (an array) and `quantization` (scale and zero point) to `Tensor`; further operations
add a line to `OPERATIONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Shape = tuple[int, ...]

Op = Literal[
    "add",
    "average_pool",
    "batch_normalization",
    "cast",
    "clip",
    "concatenate",
    "conv",
    "divide",
    "dropout",
    "fully_connected",
    "function",
    "global_average_pool",
    "global_max_pool",
    "hard_sigmoid",
    "identity",
    "leaky_relu",
    "log_softmax",
    "lrn",
    "matrix_product",
    "max_pool",
    "mean",
    "multiply",
    "pad",
    "prelu",
    "relu",
    "reshape",
    "sigmoid",
    "slice",
    "softmax",
    "subtract",
    "tanh",
    "transpose",
    "unknown",
]


@dataclass(frozen=True, kw_only=True)
class Plain:
    """No attributes: inputs and shapes define the operation."""


@dataclass(frozen=True, kw_only=True)
class Slope(Plain):
    """The factor of values below 0."""

    slope: float


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window that slides over all dimensions behind batch and channels (rows, columns).

    kernel, strides, dilations: one entry a dimension, in positions
    pads: positions before each dimension, then positions behind each (top, left, bottom, right);
        an output larger than these give is rounded up
    groups: of a convolution: each output channel reads channels / groups; 1 for poolings
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    groups: int = 1


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """Which of the two matrices of a product are transposed before it."""

    first_transposed: bool
    second_transposed: bool


@dataclass(frozen=True, kw_only=True)
class Concatenation:
    """The dimension along which maps are concatenated, counted from 0."""

    axis: int


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The dimensions that a mean runs over, counted from 0."""

    axes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Transposition:
    """The dimension of the input that each dimension of a transposed map comes from."""

    order: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Padding:
    """Positions around a map.

    pads: before each dimension (batch included), then behind each; negative: cut off
    mode: what they hold, as ONNX calls it: `constant`, `edge`, `reflect`, `wrap`
    """

    pads: tuple[int, ...]
    mode: str


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The positions of each dimension that are left: first, end (behind the last), step."""

    ranges: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why a reader cannot express a node: what must be `allowed`, and is `given`.

    dependent: only because of another node that cannot be expressed
    """

    what: str
    allowed: str
    given: str
    dependent: bool = False


Attributes = (
    Plain | Window | Matrices | Concatenation | Mean | Transposition | Padding | Slice | Refused
)

OPERATIONS: Mapping[Op, type[Attributes]] = MappingProxyType(
    {
        # Convolutions and poolings: (map, weights, bias) and (map).
        "conv": Window,
        "average_pool": Window,
        "max_pool": Window,
        "global_average_pool": Plain,
        "global_max_pool": Plain,
        "mean": Mean,
        # Matrix products: (map, weights, bias), and two tensors of which either is the map.
        "fully_connected": Matrices,
        "matrix_product": Matrices,
        # Element by element, of two tensors or more; a tensor that no node writes is a constant.
        "add": Plain,
        "divide": Plain,
        "multiply": Plain,
        "subtract": Plain,
        # Functions of one element (map, parameters).
        "clip": Plain,
        "function": Plain,
        "hard_sigmoid": Plain,
        "leaky_relu": Slope,
        "prelu": Plain,
        "relu": Plain,
        "sigmoid": Plain,
        "tanh": Plain,
        # The order of values stays (map, parameters).
        "batch_normalization": Plain,
        "cast": Plain,
        "dropout": Plain,
        "identity": Plain,
        "log_softmax": Plain,
        "lrn": Plain,
        "softmax": Plain,
        # Values move; a reshape (flatten, squeeze) does not change their order.
        "concatenate": Concatenation,
        "pad": Padding,
        "reshape": Plain,
        "slice": Slice,
        "transpose": Transposition,
        # What a reader cannot express.
        "unknown": Refused,
    }
)
"""Every operation, and what its attributes are."""


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An image, a map, or a constant.

    shape: every side at least 1; an image has batch x channels x rows x columns, weights of a
        convolution have outputs x inputs / groups x rows x columns
    """

    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation.

    op: what it computes
    name: in the file that it comes from, which need not be unique; never empty
    operator: name of the operation in that file, for messages
    inputs: names of tensors, in the order that stands in `OPERATIONS`; an empty name is an operand
        that is left out
    outputs: names of tensors; the first is the result, others are masks or positions
    """

    op: Op
    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Attributes = Plain()

    def __post_init__(self) -> None:
        wanted = OPERATIONS[self.op]
        if not isinstance(self.attributes, wanted):
            given = type(self.attributes).__name__
            raise TypeError(f"the attributes of {self.op} must be {wanted.__name__}, got {given}")

    @property
    def label(self) -> str:
        """Name and operator, for messages."""
        return f"node {self.name} ({self.operator})"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A network with one image as its input.

    name: for people and for the names of files
    source: the file that it comes from, for messages
    image: name of the tensor that is the image
    tensors: by name: the image, the result of each node, and constants that nodes read. The shape
        of a constant may be unknown, and then it is absent; weights of convolutions and of matrix
        products are always here
    nodes: those that compute with the image; each stands behind all that it reads
    notes: metadata of the file, by key
    """

    name: str
    source: str
    image: str
    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    notes: Mapping[str, str]
