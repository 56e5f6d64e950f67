"""What each column of a macro multiplies and adds to: its unit, its slice, its sum.

How wide the numbers are on the way from the ADCs to a whole sum.

Weights are stored with an offset in flipped columns, beside a digital sum of the inputs, or as the
difference of two columns: with that the ADC bits of a point lose nothing (docs/crossbar-rules.md).

Concatenations: a layer reads the rings of several providers as if their channels were one map's.

Rows of crossbars have the order of the window: kernel row, kernel column, channel of all providers.
Among the rows of a kernel row that lie in one crossbar those of the first provider come first, so
that what lies side by side in a ring lies side by side in a unit, too: a read for each word that
the rules charge (`hwgen.crossbar.facts.ports.section_reads`).
"""

import math
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.crossbar.facts.holdings import Cut, Holding, conversion_order
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.errors import ConfigError

Ints = NDArray[np.int64]


class Column(NamedTuple):
    """A column in the order of conversions.

    unit: set of input registers, in the order (copy, section, row tile) of the macro
    cell_slice: its weight is 2^(cell_slice * cell bits)
    target: its sum, copy of the macro x output channels + channel
    first: no earlier column has this target
    copy, section, row_tile, channel: where it stands in the layer
    """

    unit: int
    cell_slice: int
    target: int
    first: bool
    copy: int
    section: int
    row_tile: int
    channel: int


def columns_of(cut: Cut, holding: Holding) -> list[Column]:
    """Return the columns that a macro converts in a bit step, in their order."""
    found = []
    units: dict[tuple[int, int, int], int] = {}
    targets: set[int] = set()
    for each in conversion_order(cut, holding, 1):
        unit = units.setdefault((each.copy, each.section, each.row_tile), len(units))
        target = (each.copy - holding.copies.start) * cut.columns + each.channel
        found.append(
            Column(
                unit=unit,
                cell_slice=each.cell_slice,
                target=target,
                first=target not in targets,
                copy=each.copy,
                section=each.section,
                row_tile=each.row_tile,
                channel=each.channel,
            )
        )
        targets.add(target)
    return found


def targets_of(cut: Cut, holding: Holding) -> Ints:
    """Return the targets of the columns of a macro, in their order; see `Column`."""
    of_copy = np.concatenate(
        [
            np.tile(
                cut.first_channel(section) + np.arange(cut.groups_of(section) * cut.group_columns),
                len(holding.row_tiles) * cut.slices,
            )
            for section in range(cut.sections)
        ]
    )
    copies = np.arange(len(holding.copies)) * cut.columns
    targets: Ints = (copies[:, np.newaxis] + of_copy).reshape(-1)
    return targets


def meeting_lanes(targets: Ints, lanes: int) -> frozenset[tuple[int, int]]:
    """Return the pairs of lanes with columns of one target in one slot, the lower one first.

    targets: of the columns, in their order
    """
    missing = -len(targets) % lanes
    # No two of the places behind the last column have one target.
    slots = np.append(targets, -1 - np.arange(missing)).reshape(-1, lanes)
    order = np.argsort(slots, axis=1, kind="stable")
    ordered = np.take_along_axis(slots, order, axis=1)
    pairs: set[tuple[int, int]] = set()
    for apart in range(1, lanes):
        same = ordered[:, apart:] == ordered[:, :-apart]
        if not same.any():
            break
        lower, higher = order[:, :-apart][same], order[:, apart:][same]
        pairs.update(zip(lower.tolist(), higher.tolist(), strict=True))
    return frozenset(pairs)


PARTIAL_SUM_BITS = (32, 48, 64)
"""Widths in which partial sums travel."""


def column_sum_most(side: int, cell_bits: int, dac_bits: int) -> int:
    """Return the greatest sum that a column gives to its ADC in a bit step."""
    digit_most = (1 << dac_bits) - 1
    return side * ((1 << cell_bits) - 1) // 2 * digit_most


def column_accumulator_bits(
    side: int, cell_bits: int, input_bits: int, *, pairs: bool = False
) -> int:
    """Return the bits in which a column accumulates all bit steps, modulo their range.

    pairs: it accumulates differences, which have a sign
    """
    return int(math.log2(side)) + cell_bits + input_bits + pairs


def input_sum_bits(side: int, input_bits: int) -> int:
    """Return the bits of the sum of the inputs of a row tile, unsigned."""
    return int(math.log2(side)) + input_bits


def partial_sum_bits(rows: int, weight_bits: int, input_bits: int) -> int:
    """Return the least width in which a signed sum over `rows` products travels."""
    least = weight_bits + input_bits + (rows - 1).bit_length()
    for bits in PARTIAL_SUM_BITS:
        if least <= bits:
            return bits
    raise ConfigError(
        field="rows of a layer",
        allowed=f"so few that a sum has at most {PARTIAL_SUM_BITS[-1]} bits",
        given=f"{rows} rows of {weight_bits} x {input_bits} bits, {least} bits",
        source="partial sums",
    )


Shares = tuple[int, ...]
"""Channels of a pixel in the ring of each provider, in their order."""


class Piece(NamedTuple):
    """Elements side by side in a ring that go into rows side by side of a crossbar.

    ring: place of the provider among those of the layer
    kernel_row: of the window; begin: of its elements in that ring, the first one; length: of them
    section, row_tile, row: where they go
    """

    ring: int
    kernel_row: int
    begin: int
    length: int
    section: int
    row_tile: int
    row: int


def runs_of_section(layer: CrossbarLayer, cut: Cut, section: int) -> list[tuple[int, int, int]]:
    """Return the elements side by side that a section reads, of all rings together.

    Of each run: the kernel row, its first element among those of the row, how many.
    """
    if layer.kind == "fc":
        return [(0, 0, layer.in_channels)]
    rows, columns = layer.kernels
    if cut.groups == 1:
        return [(row, 0, columns * layer.in_channels) for row in range(rows)]
    inputs = cut.group_rows // layer.taps
    first, length = section * cut.groups_together * inputs, cut.groups_of(section) * inputs
    return [
        (row, column * layer.in_channels + first, length)
        for row in range(rows)
        for column in range(columns)
    ]


def pieces_of(layer: CrossbarLayer, cut: Cut, shares: Shares) -> list[Piece]:
    """Return the pieces of a window, section after section, each in the order of its rows."""
    found, together = [], sum(shares)
    before = list(accumulate((0, *shares[:-1])))
    for section in range(cut.sections):
        row = 0
        for kernel_row, first, length in runs_of_section(layer, cut, section):
            done = 0
            while done < length:
                tile, place = divmod(row, cut.side)
                part = min(length - done, cut.side - place)
                for ring, channels in enumerate(shares):
                    begin, end = (
                        edge // together * channels
                        + min(channels, max(0, edge % together - before[ring]))
                        for edge in (first + done, first + done + part)
                    )
                    if end > begin:
                        piece = Piece(ring, kernel_row, begin, end - begin, section, tile, place)
                        found.append(piece)
                        place += end - begin
                done, row = done + part, row + part
    return found


def whole_pieces(layer: CrossbarLayer, shares: Shares) -> list[Piece]:
    """Return the pieces of a window that is kept whole, as a pooling does."""
    rows, columns = layer.kernels
    lengths = [columns * channels for channels in shares]
    return [
        Piece(ring, kernel_row, 0, length, 0, 0, kernel_row * sum(lengths) + sum(lengths[:ring]))
        for kernel_row in range(rows)
        for ring, length in enumerate(lengths)
    ]


def rows_in_order(layer: CrossbarLayer, cut: Cut, shares: Shares, section: int) -> list[int]:
    """Return which row of a section, in the order of its window, each row of crossbars holds."""
    together, before = sum(shares), list(accumulate((0, *shares[:-1])))
    natural: dict[tuple[int, int], int] = {}
    row = 0
    for kernel_row, first, length in runs_of_section(layer, cut, section):
        for element in range(first, first + length):
            natural[kernel_row, element] = row
            row += 1
    found = []
    for piece in pieces_of(layer, cut, shares):
        if piece.section != section:
            continue
        for own in range(piece.begin, piece.begin + piece.length):
            pixel, channel = divmod(own, shares[piece.ring])
            found.append(natural[piece.kernel_row, pixel * together + before[piece.ring] + channel])
    return found
