"""Residual networks of CIFAR: ResNet20, 32, 44 and 56 (option A), and ResNet18 with projections.

Tests: `tests/train/test_models.py`.
"""

from hwgen.network import INPUT
from hwgen.train.plans.builder import Builder


def resnet20(build: Builder, classes: int) -> None:
    """Build the ResNet20 of CIFAR."""
    cifar_resnet(build, classes, blocks=3)


def resnet32(build: Builder, classes: int) -> None:
    """Build the ResNet32 of CIFAR."""
    cifar_resnet(build, classes, blocks=5)


def resnet44(build: Builder, classes: int) -> None:
    """Build the ResNet44 of CIFAR."""
    cifar_resnet(build, classes, blocks=7)


def resnet56(build: Builder, classes: int) -> None:
    """Build the ResNet56 of CIFAR."""
    cifar_resnet(build, classes, blocks=9)


def cifar_resnet(build: Builder, classes: int, *, blocks: int) -> None:
    """Build 3 stages of `blocks` blocks with 16, 32 and 64 channels.

    Option-A shortcuts append their zero channels at the end.
    """
    build.conv("conv1", build.scaled(16), source=INPUT, clip="relu")
    for stage, channels in enumerate((16, 32, 64), start=1):
        for block in range(1, blocks + 1):
            name, source = f"stage{stage}_block{block}", build.last
            stride = 2 if stage > 1 and block == 1 else 1
            two_convs(build, name, build.scaled(channels), stride=stride)
            if stride > 1:
                build.shortcut(f"{name}_shortcut", source, build.scaled(channels), stride=stride)
                source = f"{name}_shortcut"
            build.add(f"{name}_add", f"{name}_conv2", source, clip="relu")
    build.global_pool("average_pool")
    build.head(classes)


def resnet18(build: Builder, classes: int) -> None:
    """Build the ResNet18 of CIFAR: 3 x 3 stem, 4 stages of 2 blocks with 64 to 512 channels.

    A shortcut that changes size or channels is a 1 x 1 convolution.
    """
    build.conv("conv1", build.scaled(64), source=INPUT, clip="relu")
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            name, source = f"stage{stage}_block{block}", build.last
            stride = 2 if stage > 1 and block == 1 else 1
            two_convs(build, name, build.scaled(channels), stride=stride)
            if stride > 1:
                source = build.conv(
                    f"{name}_projection",
                    build.scaled(channels),
                    kernel=1,
                    source=source,
                    stride=stride,
                )
            build.add(f"{name}_add", f"{name}_conv2", source, clip="relu")
    build.global_pool("average_pool")
    build.head(classes)


def two_convs(build: Builder, name: str, channels: int, *, stride: int) -> None:
    """Append the two convolutions of a block."""
    build.conv(f"{name}_conv1", channels, stride=stride, clip="relu")
    build.conv(f"{name}_conv2", channels)
