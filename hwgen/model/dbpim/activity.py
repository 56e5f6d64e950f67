"""Bit planes of each group of inputs: the only property of the data that costs cycles."""

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.dbpim.arch import ACTIVATION_BITS, Arch
from hwgen.spec.dbpim.stream import Packet, TilePacket

Counts = NDArray[np.uint8]

ONES_IN_BYTE = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def windows(feature_map: NDArray[np.uint8], conv: Packet) -> NDArray[np.uint8]:
    """Return all windows of a map, (positions, kernel_height, kernel_width, channels).

    feature_map: uint8, (height, width, channels); outside of it every input is the zero point
    """
    fields = conv.fields
    padding, stride = fields["padding"], fields["stride"]
    around = ((padding, padding), (padding, padding), (0, 0))
    padded = np.pad(feature_map, around, constant_values=fields["input_zero_point"])
    kernel = (fields["kernel_height"], fields["kernel_width"])
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(0, 1))
    views = views[::stride, ::stride].transpose(0, 1, 3, 4, 2)
    return views.reshape(-1, *views.shape[2:])


def selected_inputs(tile: TilePacket, conv: Packet) -> tuple[NDArray[np.int64], ...]:
    """Return kernel row, kernel column and channel of each selected input of a tile, in order."""
    fields, kernel_width = conv.fields, conv.fields["kernel_width"]
    channel_words, compartments = fields["input_channel_words"], tile.masks.shape[1]
    start = tile.fields["kernel_y"] * kernel_width + tile.fields["kernel_x"]
    word, mask_bit = np.nonzero(tile.masks)
    walked = start * channel_words + tile.fields["channel_word"] + word
    pixel, channel_word = np.divmod(walked, channel_words)
    return pixel // kernel_width, pixel % kernel_width, channel_word * compartments + mask_bit


def bit_planes(inputs: NDArray[np.uint8], tile: TilePacket, conv: Packet, arch: Arch) -> Counts:
    """Return the cycles that each group takes in a macro, (positions, rows).

    inputs: windows, as `windows` returns them

    A group takes a cycle for each bit plane that is not all zero, at least one; without
    `input_bits` it takes all eight.
    """
    compartments, rows = arch.macro.compartments, tile.fields["rows"]
    if not arch.sparsity.input_bits:
        return np.full((len(inputs), rows), ACTIVATION_BITS, dtype=np.uint8)
    kernel_y, kernel_x, channel = selected_inputs(tile, conv)
    present = channel < inputs.shape[3]
    groups = np.zeros((len(inputs), rows * compartments), dtype=np.uint8)
    selected = inputs[:, kernel_y[present], kernel_x[present], channel[present]]
    groups[:, np.flatnonzero(present)] = selected
    seen = np.bitwise_or.reduce(groups.reshape(len(inputs), rows, compartments), axis=2)
    return np.maximum(ONES_IN_BYTE[seen], 1)
