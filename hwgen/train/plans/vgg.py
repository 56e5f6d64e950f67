"""VGG19 for images of 32 x 32."""

from hwgen.train.plans.builder import Builder

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and convolutions of each stage; a max pool follows each."""


def vgg19(build: Builder, classes: int) -> None:
    """Build 16 convolutions with batch norm in 5 stages, and one fully connected layer."""
    for stage, (channels, convs) in enumerate(STAGES, start=1):
        for conv in range(1, convs + 1):
            build.conv(f"stage{stage}_conv{conv}", build.scaled(channels), clip="relu")
        build.max_pool(f"stage{stage}_pool")
    build.head(classes)
