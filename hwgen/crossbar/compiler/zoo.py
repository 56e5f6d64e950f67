"""The networks that ship: small generators of graphs without weights.

A `Draft` writes a graph layer by layer, as an exporter would name it. Shapes follow torchvision
where it has the network, and layers are called as its exports call them. `fused_activations` is set
where the published tool's own model file had its activations fused (AlexNet and ResNet18 of
ImageNet).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hwgen.crossbar.compiler.layers import FUSED_NOTE, network_of
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.network import operations as ops

IMAGE = "x"

OPERATORS: dict[ops.Op, str] = {
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


PLAIN = ops.Plain()


@dataclass(frozen=True)
class Flow:
    """A tensor on its way: its name, and its shape without the batch."""

    name: str
    shape: ops.Shape


@dataclass
class Draft:
    """A graph that grows node by node; every method returns what its node writes.

    A node at `path` is called `/<path>/<operator>_output_0` like its tensor, which is how common
    exporters call tensors and published files call layers; `called` says another name.
    """

    name: str
    nodes: list[ops.Node] = field(default_factory=list)
    tensors: dict[str, ops.Tensor] = field(default_factory=dict)

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
        op: ops.Op = "average_pool" if average else "max_pool"
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
        return self.node("concatenate", names, path, (values,), ops.Concatenation(axis=1))

    def linear(self, x: Flow, path: str, outputs: int, *, called: str = "") -> Flow:
        """Fully connected layer with bias."""
        weights = self.declare(f"{path}.weight", (outputs, x.shape[0]))
        bias = self.declare(f"{path}.bias", (outputs,))
        attributes = ops.Matrices(first_transposed=False, second_transposed=True)
        reads = [x.name, weights, bias]
        return self.node("fully_connected", reads, path, (outputs,), attributes, called=called)

    def declare(self, name: str, shape: ops.Shape) -> str:
        """Add the image, or a constant of which only the shape is known."""
        self.tensors[name] = ops.Tensor(shape=shape)
        return name

    def node(
        self,
        op: ops.Op,
        reads: list[str],
        path: str,
        shape: ops.Shape,
        attributes: ops.Attributes = PLAIN,
        *,
        called: str = "",
    ) -> Flow:
        """Add a node."""
        operator = OPERATORS[op]
        name = called or f"/{path}/{operator}_output_0"
        self.nodes.append(
            ops.Node(
                op=op,
                name=name,
                operator=operator,
                inputs=tuple(reads),
                outputs=(self.declare(name, (1, *shape)),),
                attributes=attributes,
            )
        )
        return Flow(name, shape)

    def finish(self, *, fused_activations: bool = False) -> ops.Graph:
        """Return the graph; the node that was added last writes the answer."""
        return ops.Graph(
            name=self.name,
            source=self.name,
            image=IMAGE,
            tensors=self.tensors,
            nodes=tuple(self.nodes),
            notes={FUSED_NOTE: "true"} if fused_activations else {},
        )


def window(kernel: int, stride: int, padding: int) -> ops.Window:
    """Return a square window."""
    return ops.Window(
        kernel=(kernel,) * 2, strides=(stride,) * 2, pads=(padding,) * 4, dilations=(1, 1)
    )


def slid(side: int, kernel: int, stride: int, padding: int) -> int:
    """Return the side of the map that a window writes."""
    return (side + 2 * padding - kernel) // stride + 1


IMAGENET = (3, 224)
CIFAR = (3, 32)
"""Channels and side of the images."""

IMAGENET_CLASSES = 1000
CIFAR_CLASSES = 10

VGG13 = ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512))
VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the 3 x 3 convolutions of each stage; a pooling ends a stage."""

MSRA_PYRAMID = ((2, 2), (5, 4), (14, 14), (14, 14))
"""Kernel and stride of the four poolings over a 14 x 14 map: 7 x 7, 3 x 3, 1 and 1 positions."""


def alexnet() -> ops.Graph:
    """Return AlexNet in torchvision's shape (64, 192, 384, 256, 256 channels)."""
    draft = Draft("alexnet")
    x = draft.image(*IMAGENET)
    x = conv_relu(draft, x, 0, 64, 11, stride=4, padding=2)
    x = draft.pool(x, "features/features.2", 3, stride=2)
    x = conv_relu(draft, x, 3, 192, 5, padding=2)
    x = draft.pool(x, "features/features.5", 3, stride=2)
    x = conv_relu(draft, x, 6, 384, 3, padding=1)
    x = conv_relu(draft, x, 8, 256, 3, padding=1)
    x = conv_relu(draft, x, 10, 256, 3, padding=1)
    x = draft.pool(x, "features/features.12", 3, stride=2)
    x = draft.pool(x, "avgpool", 1, stride=1, average=True)
    x = classifier(draft, draft.flatten(x, "Flatten"), (1, 4), (4096, 4096))
    draft.linear(x, "classifier/classifier.6", IMAGENET_CLASSES, called="36")
    return draft.finish(fused_activations=True)


def vgg13() -> ops.Graph:
    """Return VGG13 (configuration B) in torchvision's shape."""
    return vgg("vgg13", VGG13, adaptive=True)


def vgg16() -> ops.Graph:
    """Return VGG16 (configuration D) in torchvision's shape, as the published tool's file has it.

    That file holds no adaptive pooling: nothing is between the last stage and the classifier.
    """
    return vgg("vgg16", VGG16, adaptive=False)


def vgg(name: str, stages: tuple[tuple[int, ...], ...], *, adaptive: bool) -> ops.Graph:
    """Return a VGG for ImageNet.

    adaptive: the average pooling to 7 x 7 stays a layer, with a window of one pixel: that is what
    an export of it at 224 x 224 holds.
    """
    draft = Draft(name)
    x = vgg_stages(draft, draft.image(*IMAGENET), stages)
    if adaptive:
        x = draft.pool(x, "avgpool", 1, stride=1, average=True)
    x = classifier(draft, draft.flatten(x, "Flatten"), (0, 3), (4096, 4096))
    draft.linear(x, "classifier/classifier.6", IMAGENET_CLASSES)
    return draft.finish()


def msra() -> ops.Graph:
    """Return model A of He et al. 2015: 19 layers with weights and a spatial pyramid.

    Of the published pyramid only its 30,720 values are kept, 60 positions of 512 channels: its
    own has 49 + 6 + 4 + 1, one of them on a map of 2 x 3, and maps are square here, so this one
    has 49 + 9 + 1 + 1.
    """
    draft = Draft("msra")
    x = draft.conv(draft.image(*IMAGENET), "conv1", 96, 7, stride=2, padding=3)
    x = draft.pool(draft.relu(x, "relu1"), "pool1", 2, stride=2)
    for stage, channels in ((2, 256), (3, 512), (4, 512)):
        for number in range(1, 6):
            x = draft.conv(x, f"conv{stage}_{number}", channels, 3, padding=1)
            x = draft.relu(x, f"relu{stage}_{number}")
        if stage < 4:
            x = draft.pool(x, f"pool{stage}", 2, stride=2)
    pools = [
        draft.pool(x, f"pyramid{number}", kernel, stride=stride)
        for number, (kernel, stride) in enumerate(MSRA_PYRAMID)
    ]
    flats = [draft.flatten(pool, f"flatten{number}") for number, pool in enumerate(pools)]
    x = draft.concat(flats, "pyramid")
    for number in (1, 2):
        x = draft.relu(draft.linear(x, f"fc{number}", 4096), f"relu_fc{number}")
    draft.linear(x, "fc3", IMAGENET_CLASSES)
    return draft.finish()


def resnet18() -> ops.Graph:
    """Return ResNet18 in torchvision's shape, batch norms folded."""
    draft = Draft("resnet18")
    x = draft.conv(draft.image(*IMAGENET), "conv1", 64, 7, stride=2, padding=3)
    x = draft.pool(draft.relu(x, "relu"), "maxpool", 3, stride=2, padding=1)
    x = residual_stages(draft, x)
    draft.linear(x, "fc", IMAGENET_CLASSES)
    return draft.finish(fused_activations=True)


def cifar_alexnet() -> ops.Graph:
    """Return the common AlexNet for 32 x 32 images: 3 x 3 windows, 256 x 2 x 2 before 4096, 4096.

    The files that Gibbon was measured on are not public, so this and the two others for CIFAR are
    the variants that are met most often.
    """
    draft = Draft("cifar_alexnet")
    x = conv_relu(draft, draft.image(*CIFAR), 0, 64, 3, stride=2, padding=1)
    x = draft.pool(x, "features/features.2", 2, stride=2)
    x = conv_relu(draft, x, 3, 192, 3, padding=1)
    x = draft.pool(x, "features/features.5", 2, stride=2)
    x = conv_relu(draft, x, 6, 384, 3, padding=1)
    x = conv_relu(draft, x, 8, 256, 3, padding=1)
    x = conv_relu(draft, x, 10, 256, 3, padding=1)
    x = draft.pool(x, "features/features.12", 2, stride=2)
    x = classifier(draft, draft.flatten(x, "Flatten"), (1, 4), (4096, 4096))
    draft.linear(x, "classifier/classifier.6", CIFAR_CLASSES)
    return draft.finish()


def cifar_vgg16() -> ops.Graph:
    """Return VGG16 for 32 x 32 images: 13 convolutions and one fully connected layer, 512 to 10."""
    draft = Draft("cifar_vgg16")
    x = draft.flatten(vgg_stages(draft, draft.image(*CIFAR), VGG16), "Flatten")
    draft.linear(x, "classifier", CIFAR_CLASSES)
    return draft.finish()


def cifar_resnet18() -> ops.Graph:
    """Return ResNet18 for 32 x 32 images: a stem of 3 x 3 without pooling, the same four stages."""
    draft = Draft("cifar_resnet18")
    x = draft.conv(draft.image(*CIFAR), "conv1", 64, 3, padding=1)
    x = residual_stages(draft, draft.relu(x, "relu"))
    draft.linear(x, "fc", CIFAR_CLASSES)
    return draft.finish()


def conv_relu(
    draft: Draft, x: Flow, number: int, channels: int, kernel: int, *, stride: int = 1, padding: int
) -> Flow:
    """Add convolution `number` of `features`, and the ReLU behind it."""
    x = draft.conv(
        x, f"features/features.{number}", channels, kernel, stride=stride, padding=padding
    )
    return draft.relu(x, f"features/features.{number + 1}")


def vgg_stages(draft: Draft, x: Flow, stages: tuple[tuple[int, ...], ...]) -> Flow:
    """Add the convolutions of a VGG, with a pooling behind each stage."""
    number = 0
    for stage in stages:
        for channels in stage:
            x = conv_relu(draft, x, number, channels, 3, padding=1)
            number += 2
        x = draft.pool(x, f"features/features.{number}", 2, stride=2)
        number += 1
    return x


def classifier(draft: Draft, x: Flow, numbers: tuple[int, ...], outputs: tuple[int, ...]) -> Flow:
    """Add fully connected layers of `classifier`, each with a ReLU behind it."""
    for number, width in zip(numbers, outputs, strict=True):
        x = draft.linear(x, f"classifier/classifier.{number}", width)
        x = draft.relu(x, f"classifier/classifier.{number + 1}")
    return x


def residual_stages(draft: Draft, x: Flow) -> Flow:
    """Add the four stages of ResNet18, two blocks each, and the average over what is left."""
    for stage, channels in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            stride = 2 if stage > 1 and block == 0 else 1
            x = residual_block(draft, x, f"layer{stage}/layer{stage}.{block}", channels, stride)
    return draft.flatten(draft.global_pool(x, "avgpool"), "Flatten")


def residual_block(draft: Draft, x: Flow, path: str, channels: int, stride: int) -> Flow:
    """Add two convolutions and what jumps over them."""
    inner = draft.conv(x, f"{path}/conv1", channels, 3, stride=stride, padding=1)
    inner = draft.conv(draft.relu(inner, f"{path}/relu"), f"{path}/conv2", channels, 3, padding=1)
    if stride > 1:
        x = draft.conv(x, f"{path}/downsample/downsample.0", channels, 1, stride=stride)
    return draft.relu(draft.add(inner, x, path), f"{path}/relu_1")


ZOO: Mapping[str, Callable[[], ops.Graph]] = MappingProxyType(
    {
        "alexnet": alexnet,
        "vgg13": vgg13,
        "vgg16": vgg16,
        "msra": msra,
        "resnet18": resnet18,
        "cifar_alexnet": cifar_alexnet,
        "cifar_vgg16": cifar_vgg16,
        "cifar_resnet18": cifar_resnet18,
    }
)
"""Makers of the networks, by name."""


def shipped_network(name: str) -> CrossbarNetwork:
    """Return the layers of one of the networks of `ZOO`."""
    return network_of(ZOO[name]())
