"""A plan: the nodes of a network, from which float, quantized and exported network are built.

Tests: `tests/train/test_models.py`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hwgen.network import INPUT

Op = Literal["conv", "linear", "max_pool", "average_pool", "add", "multiply", "table", "shortcut"]
Clip = Literal["none", "relu", "relu6"]
Function = Literal["", "silu", "sigmoid"]

Shape = tuple[int, int, int]
"""Height, width, channels."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One layer.

    channels: of its output
    kernel, stride, padding: of its window; `linear` has a window over its whole input
    groups: of a convolution; equal to its channels, it is depthwise
    clip: its output is clipped at zero (relu), or at zero and six (relu6)
    norm: a layer with weights has batch norm instead of a bias
    function: of a `table`

    A `shortcut` takes every stride-th pixel and appends channels of zero (option A of ResNet). The
    second input of a `multiply` may have one pixel.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    channels: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1
    clip: Clip = "none"
    norm: bool = True
    function: Function = ""

    @property
    def weighted(self) -> bool:
        """Whether it has weights that are trained."""
        return self.op in ("conv", "linear")

    @property
    def sparse(self) -> bool:
        """Whether its weights are pruned and approximated by FTA; those of a group are int8."""
        return self.weighted and self.groups == 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A network for images of `shape` (height, width, channels); the last node is the head."""

    name: str
    shape: Shape
    nodes: tuple[Node, ...]

    @property
    def weighted(self) -> tuple[Node, ...]:
        """Nodes with weights, in order."""
        return tuple(node for node in self.nodes if node.weighted)

    @property
    def sparse(self) -> tuple[Node, ...]:
        """Nodes whose weights may be pruned, in order."""
        return tuple(node for node in self.nodes if node.sparse)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every map by name, the image under `input`."""
        shapes = {INPUT: self.shape}
        for node in self.nodes:
            height, width, _ = shapes[node.inputs[0]]
            shapes[node.name] = (output_side(height, node), output_side(width, node), node.channels)
        return shapes

    def channels(self, name: str) -> int:
        """Return the channels of a map: the image or a node's output."""
        return self.shapes[name][2]

    def weights(self, node: Node) -> int:
        """Return the number of weights of a node, without biases."""
        return node.channels * self.channels(node.inputs[0]) // node.groups * node.kernel**2

    def macs(self, node: Node) -> int:
        """Return the multiplications of a node with weights for one image."""
        height, width, _ = self.shapes[node.name]
        return height * width * self.weights(node)


def output_side(side: int, node: Node) -> int:
    """Return one side of a node's output from that of its first input; below 1 if none fits."""
    return (side + 2 * node.padding - node.kernel) // node.stride + 1
