"""Blocks of pixels as channels, and back."""

from typing import Any

from numpy.typing import NDArray

from golden.ops.windows import Pair


def depth_to_space(maps: NDArray[Any], *, block: Pair, order: str) -> NDArray[Any]:
    """Return maps whose channels become blocks of pixels."""
    images, height, width, channels = maps.shape
    down, across = block
    block_first = order == "block_first"
    left = channels // (down * across)
    split = (down, across, left) if block_first else (left, down, across)
    apart = maps.reshape(images, height, width, *split)
    axes = (0, 1, 3, 2, 4, 5) if block_first else (0, 1, 4, 2, 5, 3)
    return apart.transpose(axes).reshape(images, height * down, width * across, left)


def space_to_depth(maps: NDArray[Any], *, block: Pair, order: str) -> NDArray[Any]:
    """Return maps whose blocks of pixels become channels."""
    images, height, width, channels = maps.shape
    down, across = block
    block_first = order == "block_first"
    apart = maps.reshape(images, height // down, down, width // across, across, channels)
    axes = (0, 1, 3, 2, 4, 5) if block_first else (0, 1, 3, 5, 2, 4)
    together = apart.transpose(axes)
    return together.reshape(images, height // down, width // across, down * across * channels)
