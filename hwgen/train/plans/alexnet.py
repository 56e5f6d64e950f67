"""AlexNet for images of 32 x 32."""

from hwgen.network import INPUT
from hwgen.train.plans.builder import Builder

HIDDEN = 4096
"""Width of both hidden fully connected layers."""


def alexnet(build: Builder, classes: int) -> None:
    """Build 5 convolutions, the first 11 x 11 with stride 4, and 3 fully connected layers.

    Batch norm takes the place of dropout; it is folded into the weights.
    """
    build.conv("conv1", build.scaled(64), kernel=11, source=INPUT, stride=4, padding=5, clip="relu")
    build.max_pool("max_pool1")
    build.conv("conv2", build.scaled(192), kernel=5, clip="relu")
    build.max_pool("max_pool2")
    build.conv("conv3", build.scaled(384), clip="relu")
    build.conv("conv4", build.scaled(256), clip="relu")
    build.conv("conv5", build.scaled(256), clip="relu")
    build.max_pool("max_pool3")
    build.linear("hidden1", build.scaled(HIDDEN), clip="relu")
    build.linear("hidden2", build.scaled(HIDDEN), clip="relu")
    build.head(classes)
