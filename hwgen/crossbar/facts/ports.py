"""How often the one port of a scratchpad is used: reads of a unit, words of a block.

A region is a ring of words; pixel p of a map lies at p x channels in it, so what a row of a window
reads is one run of elements, however it lies in the words. A read serves all crossbars of a unit.
"""

import math

from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.network import CrossbarLayer


def words_of_run(length: int, unit: int, word: int) -> int:
    """Return the most words that a run of elements touches; it begins at a multiple of `unit`.

    word: elements in a word
    """
    align = math.gcd(unit, word)
    return max(1, -(-(length - align) // word) + 1)


def runs_of(layer: CrossbarLayer, cut: Cut) -> list[tuple[int, int]]:
    """Return the runs that a copy and section reads, each with what it begins at a multiple of.

    Neighbours in a row lie side by side, unless the window leaves pixels out or groups channels.
    """
    channels = layer.in_channels
    if layer.kind == "fc":
        return [(channels, channels)]
    if cut.groups > 1:
        own = cut.groups_together * cut.group_rows // layer.taps
        return [(own, math.gcd(own, channels))] * layer.taps
    rows, columns = layer.kernels
    if layer.dilation[1] > 1:
        return [(channels, channels)] * layer.taps
    return [(columns * channels, channels)] * rows


def tile_reads(layer: CrossbarLayer, cut: Cut, word: int) -> list[int]:
    """Return the reads of each row tile of one copy, all its sections together."""
    reads = [0] * cut.row_tiles
    row = 0
    for length, unit in runs_of(layer, cut):
        done = 0
        while done < length:
            tile, offset = divmod(row, cut.side)
            part = min(length - done, cut.side - offset)
            reads[tile] += words_of_run(part, math.gcd(unit, done), word)
            done, row = done + part, row + part
    return [each * cut.sections for each in reads]


def window_reads(layer: CrossbarLayer, word: int) -> int:
    """Return the reads of one pixel of a pooling."""
    rows, columns = layer.kernels
    channels = layer.out_channels
    if layer.dilation[1] > 1:
        return layer.taps * words_of_run(channels, channels, word)
    return rows * words_of_run(columns * channels, channels, word)
