"""The small networks of the demos.

Tests: `tests/train/test_models.py`.
"""

from hwgen.network import INPUT
from hwgen.train.plans.builder import Builder


def small_cnn(build: Builder, classes: int) -> None:
    """Build a network of 5 convolutions with a residual, both pools and a stride of 2.

    The channel counts leave tails: 20 and 28 are no multiples of 8, nor is 10.
    """
    build.conv("conv1", build.scaled(16), source=INPUT, clip="relu")
    build.conv("conv2", build.scaled(20), clip="relu")
    build.conv("conv3", build.scaled(16))
    build.add("residual", "conv3", "conv1", clip="relu")
    build.max_pool("max_pool")
    build.conv("conv4", build.scaled(24), clip="relu")
    build.conv("conv5", build.scaled(28), stride=2, clip="relu")
    build.global_pool("average_pool")
    build.head(classes)


def adaptive_cnn(build: Builder, classes: int) -> None:
    """Build a network of 3 convolutions of 16 channels with both pools."""
    build.conv("conv1", build.scaled(16), source=INPUT, clip="relu")
    build.conv("conv2", build.scaled(16), clip="relu")
    build.max_pool("max_pool")
    build.conv("conv3", build.scaled(16), clip="relu")
    build.global_pool("average_pool")
    build.head(classes)
