"""Concatenations: a layer reads the rings of several providers as if their channels were one map's.

Rows of crossbars have the order of the window: kernel row, kernel column, channel of all providers.
Among the rows of a kernel row that lie in one crossbar those of the first provider come first, so
that what lies side by side in a ring lies side by side in a unit, too: a read for each word that
the rules charge (`hwgen.crossbar.facts.ports.section_reads`).
"""

from itertools import accumulate
from typing import NamedTuple

from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.network import CrossbarLayer

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
