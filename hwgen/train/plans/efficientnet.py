"""EfficientNetB0 for images of 32 x 32.

Tests: `tests/train/test_models.py`.
"""

from hwgen.train.plans.builder import Builder

STEM, LAST = 32, 1280
SQUEEZE = 4
"""Input channels of a block for each channel between squeeze and excite."""
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Expansion, channels, blocks, stride of the first block and kernel of each stage."""


def efficientnetb0(build: Builder, classes: int) -> None:
    """Build the usual CIFAR shape: the stem has stride 1; no block is left out at random."""
    conv_silu(build, "stem", build.scaled(STEM), kernel=3)
    for stage, (expansion, channels, blocks, stride, kernel) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            mobile_block(
                build,
                f"stage{stage}_block{block}",
                build.scaled(channels),
                expansion=expansion,
                stride=stride if block == 1 else 1,
                kernel=kernel,
            )
    conv_silu(build, "last", build.scaled(LAST), kernel=1)
    build.global_pool("average_pool")
    build.head(classes)


def mobile_block(
    build: Builder, name: str, channels: int, *, expansion: int, stride: int, kernel: int
) -> None:
    """Append expansion, depthwise convolution, squeeze-and-excite and projection."""
    source, inputs = build.last, build.channels()
    if expansion > 1:
        conv_silu(build, f"{name}_expand", expansion * inputs, kernel=1)
    build.depthwise(f"{name}_depthwise", kernel=kernel, stride=stride)
    build.table(f"{name}_depthwise_silu", "silu")
    squeeze_and_excite(build, name, squeezed=max(1, inputs // SQUEEZE))
    build.conv(f"{name}_project", channels, kernel=1)
    if stride == 1 and inputs == channels:
        build.add(f"{name}_add", f"{name}_project", source)


def squeeze_and_excite(build: Builder, name: str, *, squeezed: int) -> None:
    """Append a factor for each channel that follows from the means of all channels."""
    source, channels = build.last, build.channels()
    build.global_pool(f"{name}_mean")
    build.conv(f"{name}_squeeze", squeezed, kernel=1, norm=False)
    build.table(f"{name}_squeeze_silu", "silu")
    build.conv(f"{name}_excite", channels, kernel=1, norm=False)
    build.table(f"{name}_factor", "sigmoid")
    build.multiply(f"{name}_scaled", source, f"{name}_factor")


def conv_silu(build: Builder, name: str, channels: int, *, kernel: int) -> None:
    """Append a convolution and its SiLU."""
    build.conv(name, channels, kernel=kernel)
    build.table(f"{name}_silu", "silu")
