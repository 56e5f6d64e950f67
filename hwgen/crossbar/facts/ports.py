"""How often the one port of a scratchpad is used: reads of a unit, words of a block.

A region is a ring of words with the pixels of one provider; pixel p of a map lies at p x channels
in it. A row of a window is one run of elements in the ring of each provider, however it lies in the
words. A read serves all crossbars of a unit.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork

Run = tuple[int, int]
"""Elements that follow each other in a ring, and a number of which the first is a multiple."""


def elements_in_a_word(bus_bits: int, bits: int) -> int:
    """Return the elements of so many bits that a word holds, whole ones."""
    return max(1, bus_bits // bits)


def words_of_run(length: int, unit: int, word: int) -> int:
    """Return the most words that a run of elements touches; it begins at a multiple of `unit`.

    word: elements in a word
    """
    align = math.gcd(unit, word)
    return max(1, -(-(length - align) // word) + 1)


def shares_of(network: CrossbarNetwork, place: int) -> tuple[int, ...]:
    """Return the channels of a pixel that a layer reads of each provider, in their order.

    A fully connected layer reads maps of one size pixel by pixel, others one behind the other as
    one pixel. A layer that reads a part of its providers alone reads it as if it were of one.
    """
    layer = network.layers[place]
    return shares_between(layer, [network.layers[provider] for provider in layer.providers])


def shares_between(layer: CrossbarLayer, read: Sequence[CrossbarLayer]) -> tuple[int, ...]:
    """Return the channels of a pixel that a layer reads of each of the layers `read`."""
    shares = tuple(each.out_channels for each in read)
    pixels = 1
    if layer.kind == "fc" and len({each.pixels for each in read}) == 1:
        pixels = read[0].pixels
    elif layer.kind == "fc":
        shares = tuple(each.out_channels * each.pixels for each in read)
    whole = pixels * sum(shares) == layer.in_channels
    return shares if whole and len(shares) > 1 else (layer.in_channels,)


def runs_between(shares: tuple[int, ...], begin: int, end: int) -> list[Run]:
    """Return the runs of the elements from `begin` to `end` of pixels side by side.

    shares: channels of a pixel in each ring
    """
    found = []
    for first, channels in zip(accumulate((0, *shares[:-1])), shares, strict=True):
        start, behind = (
            edge // sum(shares) * channels + min(channels, max(0, edge % sum(shares) - first))
            for edge in (begin, end)
        )
        if behind > start:
            found.append((behind - start, math.gcd(channels, start)))
    return found


def window_runs(layer: CrossbarLayer, cut: Cut) -> list[int]:
    """Return the elements side by side that a copy and section reads, in the order of rows.

    Neighbours in a row lie side by side, unless the window leaves pixels out or groups channels.
    """
    channels = layer.in_channels
    if layer.kind == "fc":
        return [channels]
    if cut.groups > 1:
        return [cut.groups_together * cut.group_rows // layer.taps] * layer.taps
    rows, columns = layer.kernels
    if layer.dilation[1] > 1:
        return [channels] * layer.taps
    return [columns * channels] * rows


def tile_reads(
    layer: CrossbarLayer, cut: Cut, word: int, shares: tuple[int, ...] | None = None
) -> list[int]:
    """Return the reads of each row tile of one copy, all its sections together.

    word: elements in one; shares: see `shares_of`; None: of one provider
    """
    shares = shares or (layer.in_channels,)
    if cut.groups == 1:
        return section_reads(layer, cut, word, shares, 0)
    if len(shares) == 1:
        own = cut.groups_together * cut.group_rows // layer.taps
        # A section may begin at any multiple of its own channels.
        reads = section_reads(layer, cut, word, (math.gcd(own, layer.in_channels),), 0)
        return [cut.sections * each for each in reads]
    reads = [0] * cut.row_tiles
    own = cut.groups_together * cut.group_rows // layer.taps
    for section in range(cut.sections):
        every = section_reads(layer, cut, word, shares, section * own)
        reads = [one + other for one, other in zip(reads, every, strict=True)]
    return reads


def section_reads(
    layer: CrossbarLayer, cut: Cut, word: int, shares: tuple[int, ...], channel: int
) -> list[int]:
    """Return the reads of each row tile of a section that begins at a channel."""
    reads = [0] * cut.row_tiles
    row = 0
    for length in window_runs(layer, cut):
        done = 0
        while done < length:
            tile, offset = divmod(row, cut.side)
            part = min(length - done, cut.side - offset)
            begin = channel + done
            reads[tile] += sum(
                words_of_run(run, unit, word)
                for run, unit in runs_between(shares, begin, begin + part)
            )
            done, row = done + part, row + part
    return reads


def window_reads(layer: CrossbarLayer, word: int, shares: tuple[int, ...] | None = None) -> int:
    """Return the reads of one pixel of a pooling; shares: see `shares_of`."""
    rows, columns = layer.kernels
    reads = 0
    for channels in shares or (layer.out_channels,):
        if layer.dilation[1] > 1:
            reads += layer.taps * words_of_run(channels, channels, word)
        else:
            reads += rows * words_of_run(columns * channels, channels, word)
    return reads


def pool_clocks(layer: CrossbarLayer, shares: tuple[int, ...], lanes: int) -> int:
    """Return the clocks of one pixel of a pooling: a tap of `lanes` channels of one map in each.

    shares: see `shares_of`; channels that are appended to a single map are written, too
    """
    written = shares if len(shares) > 1 else (layer.out_channels,)
    return layer.taps * sum(-(-channels // lanes) for channels in written)
