"""Walks: kernels that fill the places of their segments, on chips of any kernels.

A segment has nine places, each for a block of channels of one tap. Place n of a kernel is place
n mod 9 of its segment n div 9; a tap takes as many neighbouring places as its pixel has blocks.

Tests: `tests/mram/compiler/test_walks.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.mram.facts.arch import TAPS, WINDOW, Arch
from hwgen.mram.facts.image import pixel_blocks
from hwgen.mram.facts.records import FIXED_FIELDS
from hwgen.network import Conv, FeatureMap

KERNEL_LIMIT = next((1 << field.bits) - 1 for field in FIXED_FIELDS if field.name == "kernel_width")
"""Rows or columns of a kernel at most."""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How a kernel fills its segments.

    kernel: height, width; tap_places: of the widest mode; block: channels of a place
    """

    kernel: tuple[int, int]
    tap_places: int
    block: int

    @property
    def taps(self) -> int:
        """Taps of the kernel."""
        return self.kernel[0] * self.kernel[1]

    @property
    def places(self) -> int:
        """Places of the kernel in the widest mode."""
        return self.taps * self.tap_places

    def segments(self, channels: int) -> int:
        """Return the segments of a kernel that has so many channels in a mode.

        A kernel of one tap takes no more than it needs; else the places of the widest mode are
        those of all modes.
        """
        blocks = -(-channels // self.block)
        return -(-(blocks if self.taps == 1 else self.places) // TAPS)

    def cells(self, weights: NDArray[Any]) -> NDArray[np.int64]:
        """Return (kernels, 3, 3, segments * block): the place in a segment, and its channel."""
        count, channels = len(weights), weights.shape[3]
        blocks = np.zeros((count, self.taps, self.tap_places * self.block), np.int64)
        blocks[:, :, :channels] = weights.reshape(count, self.taps, channels)
        segments = -(-self.places // TAPS)
        places = np.zeros((count, segments * TAPS, self.block), np.int64)
        places[:, : self.places] = blocks.reshape(count, self.places, self.block)
        found = places.reshape(count, segments, WINDOW, WINDOW, self.block)
        return found.transpose(0, 2, 3, 1, 4).reshape(count, WINDOW, WINDOW, -1)


def walk_of(
    kernel: tuple[int, int], feature: FeatureMap, arch: Arch, *, instead: int | None
) -> Walk | None:
    """Return how a kernel over all channels of a map fills its segments; None: it does not.

    instead: segments that it takes as a window; None: it is none
    """
    walk = Walk(kernel=kernel, tap_places=-(-feature.channels // arch.block), block=arch.block)
    fits = walk.places <= arch.most_places and max(kernel) <= KERNEL_LIMIT
    if not arch.any_kernel or not fits:
        return None
    fewer = instead is None or walk.taps == 1 or walk.segments(feature.channels) < instead
    return walk if fewer else None


def conv_walk(layer: Conv, feature: FeatureMap, arch: Arch) -> Walk | None:
    """Return how the kernels of a convolution fill their segments; None: as windows.

    A window reads pixels of one row of a bank. A depthwise kernel has a place for each of its taps;
    it walks where a window would ask for lines that begin on rows.
    """
    if layer.groups > 1:
        window = max(layer.kernel) <= WINDOW and lines_on_rows(feature, arch)
        return None if window else Walk(kernel=layer.kernel, tap_places=1, block=arch.block)
    blocks = -(-feature.channels // arch.block)
    small = max(layer.kernel) <= WINDOW and blocks <= arch.row_blocks
    return walk_of(layer.kernel, feature, arch, instead=blocks if small else None)


def lines_on_rows(feature: FeatureMap, arch: Arch) -> bool:
    """Return whether the lines of a map begin on rows of a bank, and no pixel takes several."""
    blocks = pixel_blocks(feature.channels, arch)
    if blocks > arch.row_blocks:
        return False
    return feature.height == 1 or feature.width % (arch.row_blocks // blocks) == 0
