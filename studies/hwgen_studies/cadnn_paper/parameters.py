"""Table II's parameters of ResNet50 by width: they follow from the network's shape alone."""

from collections.abc import Iterator

from hwgen_studies.cadnn_paper.published import TABLE_II_PARAMETERS, WIDTHS
from hwgen_studies.comparison import PaperRow, row

STEM, STEM_TAPS = 64, 3 * 7 * 7
"""Channels of the first convolution, and the weights of each: 7 x 7 of three colours."""
STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))
"""Blocks of each stage, and the inner channels of a block."""
EXPANSION = 4
"""Channels of a block's output over its inner ones."""
CLASSES = 1000
NORM = 2
"""Parameters of batch norm a channel: scale and shift."""


def parameter_rows() -> Iterator[PaperRow]:
    """Yield the parameters of each width, each width with its own batch norm."""
    for width, published in zip(WIDTHS, TABLE_II_PARAMETERS, strict=True):
        yield row(
            "Table II",
            f"parameters, ResNet50, {width}x",
            "resnet50",
            published=published,
            ours=parameters(width) / 1e6,
            unit="M",
            reason="counted from the shape: weights, batch norm of this width alone, classifier"
            " with bias",
        )


def parameters(width: float) -> int:
    """Return the parameters of ResNet50 with a share of all channels, the colours excluded."""

    def of(channels: int) -> int:
        return int(channels * width)

    total, inputs = of(STEM) * (STEM_TAPS + NORM), of(STEM)
    for blocks, channels in STAGES:
        inner, outer = of(channels), of(EXPANSION * channels)
        for block in range(blocks):
            total += inner * (inputs + NORM) + inner * (9 * inner + NORM) + outer * (inner + NORM)
            if block == 0:  # the shortcut changes the channels
                total += outer * (inputs + NORM)
            inputs = outer
    return total + (inputs + 1) * CLASSES
