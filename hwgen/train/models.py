"""Plans of networks: float, quantized and exported network are built from one list of nodes."""

from dataclasses import dataclass
from typing import Literal

from hwgen.errors import ConfigError
from hwgen.spec.network import INPUT

Op = Literal["conv", "linear", "max_pool", "average_pool", "add", "shortcut"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One layer.

    channels: of its output
    kernel, stride, padding: of its window; `linear` has a window over its whole input
    relu: its output is clipped at zero

    A `shortcut` takes every stride-th pixel and appends channels of zero (option A of ResNet).
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    channels: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    relu: bool = False

    @property
    def weighted(self) -> bool:
        """Whether it has weights that are trained."""
        return self.op in ("conv", "linear")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A network for images of `shape` (height, width, channels); the last node is the head."""

    name: str
    shape: tuple[int, int, int]
    nodes: tuple[Node, ...]

    @property
    def weighted(self) -> tuple[Node, ...]:
        """Nodes with weights, in order."""
        return tuple(node for node in self.nodes if node.weighted)

    def channels(self, name: str) -> int:
        """Return the channels of a map: the image or a node's output."""
        if name == INPUT:
            return self.shape[2]
        return next(node.channels for node in self.nodes if node.name == name)


def conv3x3(name: str, source: str, channels: int, *, stride: int = 1, relu: bool = True) -> Node:
    """Return a 3 x 3 convolution that keeps the size of its map at stride 1."""
    return Node(
        name=name,
        op="conv",
        inputs=(source,),
        channels=channels,
        kernel=3,
        stride=stride,
        padding=1,
        relu=relu,
    )


def small_cnn(shape: tuple[int, int, int], classes: int) -> Plan:
    """Return a network of 5 convolutions with a residual, both pools and a stride of 2.

    The channel counts leave tails: 20 and 28 are no multiples of 8, nor is 10.
    """
    size = shape[0] // 4
    nodes = (
        conv3x3("conv1", INPUT, 16),
        conv3x3("conv2", "conv1", 20),
        conv3x3("conv3", "conv2", 16, relu=False),
        Node(name="residual", op="add", inputs=("conv3", "conv1"), channels=16, relu=True),
        Node(name="max_pool", op="max_pool", inputs=("residual",), channels=16, kernel=2, stride=2),
        conv3x3("conv4", "max_pool", 24),
        conv3x3("conv5", "conv4", 28, stride=2),
        Node(
            name="average_pool",
            op="average_pool",
            inputs=("conv5",),
            channels=28,
            kernel=size,
            stride=size,
        ),
        Node(name="head", op="linear", inputs=("average_pool",), channels=classes),
    )
    return Plan(name="small_cnn", shape=shape, nodes=nodes)


def resnet20(shape: tuple[int, int, int], classes: int) -> Plan:
    """Return the ResNet20 of CIFAR: 3 stages of 3 blocks with 16, 32 and 64 channels.

    Option-A shortcuts append their zero channels at the end.
    """
    nodes = [conv3x3("conv1", INPUT, 16)]
    for stage, channels in enumerate((16, 32, 64), start=1):
        for block in (1, 2, 3):
            nodes += residual_block(
                f"stage{stage}_block{block}",
                nodes[-1],
                channels,
                stride=2 if stage > 1 and block == 1 else 1,
            )
    size = shape[0] // 4
    pool = Node(
        name="average_pool",
        op="average_pool",
        inputs=(nodes[-1].name,),
        channels=64,
        kernel=size,
        stride=size,
    )
    head = Node(name="head", op="linear", inputs=(pool.name,), channels=classes)
    return Plan(name="resnet20", shape=shape, nodes=(*nodes, pool, head))


def residual_block(name: str, source: Node, channels: int, *, stride: int) -> list[Node]:
    """Return two convolutions and the sum of their result with `source`."""
    nodes = [
        conv3x3(f"{name}_conv1", source.name, channels, stride=stride),
        conv3x3(f"{name}_conv2", f"{name}_conv1", channels, relu=False),
    ]
    other = source.name
    if stride > 1:
        other = f"{name}_shortcut"
        nodes.append(
            Node(name=other, op="shortcut", inputs=(source.name,), channels=channels, stride=stride)
        )
    inputs = (f"{name}_conv2", other)
    nodes.append(Node(name=f"{name}_add", op="add", inputs=inputs, channels=channels, relu=True))
    return nodes


MODELS = {"small_cnn": small_cnn, "resnet20": resnet20}


def plan_model(name: str, shape: tuple[int, int, int], classes: int) -> Plan:
    """Return the plan called `name` for images of `shape`."""
    if name not in MODELS:
        raise ConfigError(
            field="model", allowed=f"one of {', '.join(MODELS)}", given=name, source="recipe"
        )
    height, width, _ = shape
    if height != width or height % 4:
        raise ConfigError(
            field="images",
            allowed=f"square with a side that is a multiple of 4 for {name}",
            given=f"{height} x {width}",
            source="dataset",
        )
    return MODELS[name](shape, classes)
