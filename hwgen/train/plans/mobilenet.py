"""MobileNetV2 for images of 32 x 32.

Tests: `tests/train/test_models.py`.
"""

from hwgen.train.plans.builder import Builder

STEM, LAST = 32, 1280
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and the stride of the first block of each stage."""


def mobilenetv2(build: Builder, classes: int) -> None:
    """Build the usual CIFAR shape: stem and first two stages have stride 1.

    As CIFAR implementations have it, every block expands, also the first one by 1, and every
    block of stride 1 has a shortcut, through a 1 x 1 convolution where its channels change.
    """
    build.conv("stem", build.scaled(STEM), clip="relu6")
    for stage, (expansion, channels, blocks, stride) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            inverted_residual(
                build,
                f"stage{stage}_block{block}",
                build.scaled(channels),
                expansion=expansion,
                stride=stride if block == 1 else 1,
            )
    build.conv("last", build.scaled(LAST), kernel=1, clip="relu6")
    build.global_pool("average_pool")
    build.head(classes)


def inverted_residual(
    build: Builder, name: str, channels: int, *, expansion: int, stride: int
) -> None:
    """Append expansion, depthwise convolution, projection, and at stride 1 the shortcut."""
    source = build.last
    build.conv(f"{name}_expand", expansion * build.channels(), kernel=1, clip="relu6")
    build.depthwise(f"{name}_depthwise", kernel=3, stride=stride, clip="relu6")
    build.conv(f"{name}_project", channels, kernel=1)
    if stride > 1:
        return
    if build.channels(source) != channels:
        source = build.conv(f"{name}_shortcut", channels, kernel=1, source=source)
    build.add(f"{name}_add", f"{name}_project", source)
