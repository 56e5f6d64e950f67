"""Bit planes of each group of inputs: the only property of the data that costs cycles."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.compiled import compiled
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.stream import Packet, TilePacket

Bytes = NDArray[np.uint8]
Counts = NDArray[np.uint8]
Indices = NDArray[np.int64]

ONES_IN_BYTE = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)
GROUP_PLANES = np.maximum(ONES_IN_BYTE, 1)
"""Cycles of a group whose inputs together have these ones."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The windows of a CONV step over its input maps, without a copy for each window.

    source: the maps, with what is outside of them around, as one array
    starts: index of the first input of each window, images first, then the step's rows
    row, column: from an input to that of the next window row or column
    channels: of the maps
    """

    source: Bytes
    starts: Indices
    row: int
    column: int
    channels: int


def windows(maps: Bytes, conv: Packet) -> Windows:
    """Return the windows of a step; maps: uint8, (images, height, width, channels)."""
    fields = conv.fields
    _, height, width, channels = maps.shape
    top, left = fields["padding_top"], fields["padding_left"]
    stride_y, stride_x = fields["stride_y"], fields["stride_x"]
    rows = (fields["output_end_row"] - 1) * stride_y + fields["kernel_height"]
    columns = (fields["output_width"] - 1) * stride_x + fields["kernel_width"]
    around = ((0, 0), (top, max(0, rows - top - height)), (left, max(0, columns - left - width)))
    padded = np.pad(maps, (*around, (0, 0)), constant_values=fields["outside"])
    starts = np.arange(padded.size).reshape(padded.shape)[:, :, :, 0]
    first = fields["output_first_row"] * stride_y
    chosen = starts[
        :,
        first : (fields["output_end_row"] - 1) * stride_y + 1 : stride_y,
        : (fields["output_width"] - 1) * stride_x + 1 : stride_x,
    ]
    return Windows(
        source=padded.ravel(),
        starts=chosen.ravel(),
        row=padded.shape[2] * channels,
        column=channels,
        channels=channels,
    )


def selected_inputs(tile: TilePacket, conv: Packet) -> tuple[Indices, ...]:
    """Return kernel row, kernel column and channel of each selected input of a tile, in order."""
    fields, kernel_width = conv.fields, conv.fields["kernel_width"]
    channel_words, width = fields["input_channel_words"], tile.masks.shape[1]
    start = tile.fields["kernel_y"] * kernel_width + tile.fields["kernel_x"]
    word, mask_bit = np.nonzero(tile.masks)
    walked = start * channel_words + tile.fields["channel_word"] + word
    pixel, channel_word = np.divmod(walked, channel_words)
    return pixel // kernel_width, pixel % kernel_width, channel_word * width + mask_bit


def walk_key(tile: TilePacket) -> bytes:
    """Return what determines the inputs of a tile within a step."""
    names = ("kernel_y", "kernel_x", "channel_word", "mask_words")
    place = b"".join(tile.fields[name].to_bytes(2, "little") for name in names)
    return place + np.packbits(tile.masks).tobytes()


def tile_keys(tiles: Iterable[TilePacket]) -> Iterator[tuple[int, int]]:
    """Yield what a tile is within a step: its filter group, and its number in the group.

    A tile that is sent again, for further positions, has the key that it had. Two tiles of a group
    may walk the same inputs: the second one adds further digits of the weights.
    """
    numbers: dict[int, int] = {}
    for tile in tiles:
        group = tile.fields["group"]
        numbers[group] = 0 if tile.fields["first"] else numbers.get(group, -1) + 1
        yield group, numbers[group]


def bit_planes(seen: Windows, tile: TilePacket, conv: Packet, arch: Arch) -> Counts:
    """Return the cycles that each group takes in a macro, (positions, rows).

    A group takes a cycle for each bit plane that is not all zero, at least one; without
    `input_bits` it takes all eight. An input of a channel that the map lacks is zero.
    """
    positions, rows = len(seen.starts), tile.fields["rows"]
    if not arch.sparsity.input_bits:
        return uniform(ACTIVATION_BITS, positions, rows)
    kernel_y, kernel_x, channel = selected_inputs(tile, conv)
    offsets = kernel_y * seen.row + kernel_x * seen.column + channel
    offsets[channel >= seen.channels] = -1
    found = np.empty((positions, rows), np.uint8)
    count_planes(seen.source, seen.starts, offsets, arch.macro.compartments, GROUP_PLANES, found)
    return found


def uniform(planes: int, positions: int, rows: int) -> Counts:
    """Return the same cycles for each group, without a copy for each position."""
    return np.broadcast_to(np.full(rows, planes, np.uint8), (positions, rows))


@compiled
def count_planes(
    source: Bytes, starts: Indices, offsets: Indices, group: int, planes: Counts, found: Counts
) -> None:
    """Store the cycles of each group of `group` inputs at each position."""
    for position in range(len(starts)):
        for row in range(found.shape[1]):
            seen = 0
            for number in range(row * group, min(row * group + group, len(offsets))):
                if offsets[number] >= 0:
                    seen |= source[starts[position] + offsets[number]]
            found[position, row] = planes[seen]
