"""Write a graph by hand, layer by layer, as an exporter would name it."""

import math
from dataclasses import dataclass, field

from hwgen.crossbar.compiler.layers import FUSED_NOTE
from hwgen.network.operations import (
    Attributes,
    Concatenation,
    Graph,
    Matrices,
    Node,
    Op,
    Plain,
    Shape,
    Tensor,
    Window,
)

IMAGE = "x"

OPERATORS: dict[Op, str] = {
    "add": "Add",
    "average_pool": "AveragePool",
    "concatenate": "Concat",
    "conv": "Conv",
    "fully_connected": "Gemm",
    "global_average_pool": "GlobalAveragePool",
    "max_pool": "MaxPool",
    "relu": "Relu",
    "reshape": "Flatten",
}
"""What common exporters call the operations that stand here; names of layers hold it."""


PLAIN = Plain()


@dataclass(frozen=True)
class Flow:
    """A tensor on its way: its name, and its shape without the batch."""

    name: str
    shape: Shape


@dataclass
class Draft:
    """A graph that grows node by node; every method returns what its node writes.

    A node at `path` is called `/<path>/<operator>_output_0` like its tensor, which is how common
    exporters call tensors and published files call layers; `called` says another name.
    """

    name: str
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def image(self, channels: int, side: int) -> Flow:
        """Declare the image."""
        return Flow(self.declare(IMAGE, (1, channels, side, side)), (channels, side, side))

    def conv(
        self, x: Flow, path: str, channels: int, kernel: int, *, stride: int = 1, padding: int = 0
    ) -> Flow:
        """Convolution with bias."""
        weights = self.declare(f"{path}.weight", (channels, x.shape[0], kernel, kernel))
        bias = self.declare(f"{path}.bias", (channels,))
        side = slid(x.shape[1], kernel, stride, padding)
        return self.node(
            "conv",
            [x.name, weights, bias],
            path,
            (channels, side, side),
            window(kernel, stride, padding),
        )

    def pool(
        self,
        x: Flow,
        path: str,
        kernel: int,
        *,
        stride: int,
        padding: int = 0,
        average: bool = False,
    ) -> Flow:
        """Pooling with a window: the maximum or the average."""
        side = slid(x.shape[1], kernel, stride, padding)
        shape = (x.shape[0], side, side)
        op: Op = "average_pool" if average else "max_pool"
        return self.node(op, [x.name], path, shape, window(kernel, stride, padding))

    def global_pool(self, x: Flow, path: str) -> Flow:
        """Average over all rows and columns."""
        return self.node("global_average_pool", [x.name], path, (x.shape[0], 1, 1))

    def relu(self, x: Flow, path: str) -> Flow:
        """ReLU."""
        return self.node("relu", [x.name], path, x.shape)

    def add(self, one: Flow, other: Flow, path: str) -> Flow:
        """Element-wise addition."""
        return self.node("add", [one.name, other.name], path, one.shape)

    def flatten(self, x: Flow, path: str) -> Flow:
        """Make a vector of a map."""
        return self.node("reshape", [x.name], path, (math.prod(x.shape),))

    def concat(self, flows: list[Flow], path: str) -> Flow:
        """Put vectors behind each other."""
        values = sum(flow.shape[0] for flow in flows)
        names = [flow.name for flow in flows]
        return self.node("concatenate", names, path, (values,), Concatenation(axis=1))

    def linear(self, x: Flow, path: str, outputs: int, *, called: str = "") -> Flow:
        """Fully connected layer with bias."""
        weights = self.declare(f"{path}.weight", (outputs, x.shape[0]))
        bias = self.declare(f"{path}.bias", (outputs,))
        attributes = Matrices(first_transposed=False, second_transposed=True)
        reads = [x.name, weights, bias]
        return self.node("fully_connected", reads, path, (outputs,), attributes, called=called)

    def declare(self, name: str, shape: Shape) -> str:
        """Add the image, or a constant of which only the shape is known."""
        self.tensors[name] = Tensor(shape=shape)
        return name

    def node(
        self,
        op: Op,
        reads: list[str],
        path: str,
        shape: Shape,
        attributes: Attributes = PLAIN,
        *,
        called: str = "",
    ) -> Flow:
        """Add a node."""
        operator = OPERATORS[op]
        name = called or f"/{path}/{operator}_output_0"
        self.nodes.append(
            Node(
                op=op,
                name=name,
                operator=operator,
                inputs=tuple(reads),
                outputs=(self.declare(name, (1, *shape)),),
                attributes=attributes,
            )
        )
        return Flow(name, shape)

    def finish(self, *, fused_activations: bool = False) -> Graph:
        """Return the graph; the node that was added last writes the answer."""
        return Graph(
            name=self.name,
            source=self.name,
            image=IMAGE,
            tensors=self.tensors,
            nodes=tuple(self.nodes),
            notes={FUSED_NOTE: "true"} if fused_activations else {},
        )


def window(kernel: int, stride: int, padding: int) -> Window:
    """Return a square window."""
    return Window(
        kernel=(kernel,) * 2, strides=(stride,) * 2, pads=(padding,) * 4, dilations=(1, 1)
    )


def slid(side: int, kernel: int, stride: int, padding: int) -> int:
    """Return the side of the map that a window writes."""
    return (side + 2 * padding - kernel) // stride + 1
