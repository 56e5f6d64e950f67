"""Layers with weights as the array computes them: windows of 3 x 3 pixels of blocks of channels.

Tests: `tests/mram/compiler/test_step_list.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import CompileError
from hwgen.mram.compiler.maps import StoredMap, row_view
from hwgen.mram.compiler.supported import dot_channels, used_stride
from hwgen.mram.compiler.units import Unit
from hwgen.mram.compiler.walks import Walk, conv_walk, walk_of
from hwgen.mram.facts.arch import TAPS, WINDOW, Arch
from hwgen.network import Conv, FeatureMap, Linear, Parameters, QuantizedNetwork

Cells = NDArray[np.int64]
"""Values of the cells of kernels: (kernels, 3, 3, channels); of a walk see `Walk.cells`."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A layer with weights, and its input map as the former reads it.

    height, width: of the input map; blocks: that a pixel takes
    channels: that a window has, in each mode; kernels: in each mode
    stride, pad: vertical, horizontal; pad: above and left; size: height and width of the output
    rows: the map is read as rows of its bank, because it is larger than a window or its lines do
        not begin on rows; then each mode has cells of its own
    walk: how kernels fill their segments; None: as windows of 3 x 3
    depthwise: each kernel reads a channel of its own; a segment has those of a block
    together: kernels of a round at most; 0: as many as the chip has sub-arrays
    """

    layer: Conv | Linear
    source: FeatureMap
    parameters: Parameters
    height: int
    width: int
    blocks: int
    channels: Sequence[int]
    kernels: Sequence[int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    size: tuple[int, int]
    rows: bool
    pixel_elements: int
    walk: Walk | None
    depthwise: bool
    together: int = 0

    @property
    def positions(self) -> int:
        """Output positions."""
        return self.size[0] * self.size[1]

    @property
    def shape(self) -> tuple[object, ...]:
        """All that decides how long a placement takes; equal for layers of one shape."""
        sizes = self.height, self.width, self.blocks, self.stride, self.pad, self.size
        planes = self.input_planes, self.weight_planes
        counts = tuple(self.channels), tuple(self.kernels)
        kinds = self.rows, self.walk, self.depthwise, self.together
        return *sizes, *planes, *counts, *kinds

    @property
    def input_planes(self) -> int:
        """Bit planes of the input."""
        return self.source.bits

    @property
    def weight_planes(self) -> int:
        """Bit planes of a weight: odd numbers take one more than the bits of their grid."""
        return self.layer.weight_bits + (self.layer.weight_grid == "odd")

    def cells(self, mode: int) -> Cells:
        """Return the values of the cells in a mode; without `rows` those of all modes.

        Those of a depthwise layer have one channel.
        """
        weights: NDArray[Any] = self.parameters.weights.astype(np.int64)
        if self.walk and self.depthwise:
            places = np.zeros((len(weights), TAPS), np.int64)
            places[:, : self.walk.taps] = weights.reshape(len(weights), -1)
            return places.reshape(-1, WINDOW, WINDOW, 1)
        cut = self.walk.cells if self.walk else windowed
        if isinstance(self.layer, Conv):
            return cut(weights)
        feature = self.source
        pixels = weights.reshape(len(weights), feature.height, feature.width, feature.channels)
        if not self.rows:
            return cut(pixels)
        active = np.zeros((*pixels.shape[:3], self.pixel_elements), np.int64)
        channels = feature.channels_in(mode)
        active[..., :channels] = pixels[..., :channels]
        each = active.reshape(len(weights), -1)
        wide = max(self.channels)
        flat = np.zeros((len(weights), self.height * self.width * wide), np.int64)
        flat[:, : each.shape[1]] = each
        return windowed(flat.reshape(len(weights), self.height, self.width, wide))


def windowed(weights: NDArray[Any]) -> Cells:
    """Return kernels at the top left of a window of 3 x 3."""
    count, rows, columns, channels = weights.shape
    found = np.zeros((count, WINDOW, WINDOW, channels), np.int64)
    found[:, :rows, :columns] = weights
    return found


def view_of(
    unit: Unit, network: QuantizedNetwork, maps: Mapping[str, StoredMap], arch: Arch
) -> View:
    """Return how the array computes a layer with weights."""
    layer, stored = unit.weighted, maps[unit.source]
    if layer is None:
        raise TypeError(f"{unit.name} has no weights")
    feature, modes = stored.feature, range(len(network.graph.modes))
    walk = conv_walk(layer, feature, arch) if isinstance(layer, Conv) else whole_walk(stored, arch)
    rows = isinstance(layer, Linear) and walk is None and not fits_window(stored, arch)
    height, width, blocks = feature.height, feature.width, stored.blocks
    channels = [feature.channels_in(mode) for mode in modes]
    if rows:
        shape = row_view(stored, arch)
        if shape is None:
            if arch.any_kernel and feature.height * feature.width == 1:
                raise CompileError(
                    f"layer {layer.name}: input channels must be at most {dot_channels(arch)} on an"
                    f" mram chip, got {feature.channels}"
                )
            size = feature.height * feature.width * blocks * arch.block_bytes
            raise CompileError(
                f"layer {layer.name}: the input must be at most {WINDOW * WINDOW} rows of a bank"
                f" ({WINDOW * WINDOW * arch.row_bytes} bytes) on an mram chip, got {size} bytes"
            )
        used = feature.height * feature.width * blocks
        height, width, blocks = *shape, arch.row_blocks
        channels = [min(used, blocks) * arch.block for _ in modes]
    return View(
        layer=layer,
        source=feature,
        parameters=network.parameters[layer.name],
        height=height,
        width=width,
        blocks=blocks,
        channels=channels,
        kernels=[layer.output.channels_in(mode) for mode in modes],
        stride=(1, 1) if isinstance(layer, Linear) else used_stride(layer),
        pad=(0, 0) if isinstance(layer, Linear) else (layer.padding[0], layer.padding[1]),
        size=layer.output.shape[:2],
        rows=rows,
        pixel_elements=stored.blocks * arch.block,
        walk=walk,
        depthwise=isinstance(layer, Conv) and layer.groups > 1,
    )


def whole_walk(stored: StoredMap, arch: Arch) -> Walk | None:
    """Return how a kernel over a whole map fills its segments; None: as a window, or as rows."""
    feature = stored.feature
    instead: int | None = -(-feature.channels // arch.block)
    if not fits_window(stored, arch):
        used = feature.height * feature.width * stored.blocks
        instead = min(used, arch.row_blocks) if row_view(stored, arch) else None
    return walk_of((feature.height, feature.width), feature, arch, instead=instead)


def fits_window(stored: StoredMap, arch: Arch) -> bool:
    """Return whether a whole map is one window whose lines begin on rows of the bank."""
    feature = stored.feature
    if stored.blocks > arch.row_blocks:
        return False
    aligned = feature.height == 1 or feature.width % (arch.row_blocks // stored.blocks) == 0
    return max(feature.height, feature.width) <= WINDOW and aligned
