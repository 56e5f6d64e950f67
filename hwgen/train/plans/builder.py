"""Builds a plan node by node; each method appends one node and returns its name.

Tests: `tests/train/adaptive/test_export.py`.
"""

from typing import Any

from hwgen.errors import ConfigError
from hwgen.network import INPUT
from hwgen.train.plans.plan import Clip, Function, Node, Plan, Shape, output_side

CHANNEL_STEP = 8
"""Channels of a narrower network are multiples of this."""


class Builder:
    """Appends nodes to a plan for images of `shape`; every node reads the last one by default.

    width: factor of the channels, 1.0 for the network as published
    """

    def __init__(self, name: str, shape: Shape, *, width: float) -> None:
        self.name, self.shape, self.width = name, shape, width
        self.nodes: list[Node] = []
        self.shapes = {INPUT: shape}

    @property
    def last(self) -> str:
        """Name of the last map."""
        return self.nodes[-1].name if self.nodes else INPUT

    def plan(self) -> Plan:
        """Return the plan of the nodes so far."""
        return Plan(name=self.name, shape=self.shape, nodes=tuple(self.nodes))

    def channels(self, name: str | None = None) -> int:
        """Return the channels of a map, of the last one by default."""
        return self.shapes[name or self.last][2]

    def side(self, name: str | None = None) -> int:
        """Return the height of a map, of the last one by default."""
        return self.shapes[name or self.last][0]

    def scaled(self, channels: int) -> int:
        """Return a published number of channels times `width`, in steps of 8."""
        if self.width == 1:
            return channels
        return max(1, round(channels * self.width / CHANNEL_STEP)) * CHANNEL_STEP

    def append(self, node: Node) -> str:
        """Append any node."""
        height, width, _ = self.shapes[node.inputs[0]]
        rows, columns = output_side(height, node), output_side(width, node)
        if min(rows, columns) < 1:
            raise ConfigError(
                field="images",
                allowed=f"so large that a window of {node.kernel} fits at {node.name} "
                f"of {self.name}",
                given=f"{self.shape[0]} x {self.shape[1]}",
                source="dataset",
            )
        self.nodes.append(node)
        self.shapes[node.name] = (rows, columns, node.channels)
        return node.name

    def conv(
        self,
        name: str,
        channels: int,
        *,
        kernel: int = 3,
        source: str | None = None,
        clip: Clip = "none",
        **more: Any,
    ) -> str:
        """Append a convolution that keeps the size of its map at stride 1."""
        inputs = (source or self.last,)
        more = {"padding": kernel // 2, **more}
        return self.append(
            Node(
                name=name,
                op="conv",
                inputs=inputs,
                channels=channels,
                kernel=kernel,
                clip=clip,
                **more,
            )
        )

    def depthwise(self, name: str, *, kernel: int, stride: int, clip: Clip = "none") -> str:
        """Append a convolution of each channel alone."""
        channels = self.channels()
        return self.conv(name, channels, kernel=kernel, stride=stride, groups=channels, clip=clip)

    def linear(self, name: str, channels: int, *, clip: Clip = "none", norm: bool = True) -> str:
        """Append a fully connected layer over the whole last map."""
        return self.append(
            Node(
                name=name,
                op="linear",
                inputs=(self.last,),
                channels=channels,
                kernel=self.side(),
                clip=clip,
                norm=norm,
            )
        )

    def head(self, classes: int) -> str:
        """Append the layer of the logits."""
        return self.linear("head", classes, norm=False)

    def max_pool(self, name: str, *, kernel: int = 2, stride: int = 2) -> str:
        """Append a maximum over windows."""
        return self.append(
            Node(
                name=name,
                op="max_pool",
                inputs=(self.last,),
                channels=self.channels(),
                kernel=kernel,
                stride=stride,
            )
        )

    def global_pool(self, name: str) -> str:
        """Append the mean over the last map."""
        side = self.side()
        return self.append(
            Node(
                name=name,
                op="average_pool",
                inputs=(self.last,),
                channels=self.channels(),
                kernel=side,
                stride=side,
            )
        )

    def add(self, name: str, a: str, b: str, *, clip: Clip = "none") -> str:
        """Append the sum of two maps."""
        return self.append(
            Node(name=name, op="add", inputs=(a, b), channels=self.channels(a), clip=clip)
        )

    def multiply(self, name: str, a: str, b: str) -> str:
        """Append the product of a map and a map of one pixel or the same shape."""
        return self.append(Node(name=name, op="multiply", inputs=(a, b), channels=self.channels(a)))

    def table(self, name: str, function: Function) -> str:
        """Append a function of each element."""
        return self.append(
            Node(
                name=name,
                op="table",
                inputs=(self.last,),
                channels=self.channels(),
                function=function,
            )
        )

    def shortcut(self, name: str, source: str, channels: int, *, stride: int) -> str:
        """Append a shortcut without weights."""
        return self.append(
            Node(name=name, op="shortcut", inputs=(source,), channels=channels, stride=stride)
        )
