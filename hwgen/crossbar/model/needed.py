"""Which block of a provider a block waits for."""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.tables import FC, Ints, Tables
from hwgen.crossbar.model.travels import ceil_div


@opaque
class Needed(NamedTuple):
    """The last block of a provider that each block needs.

    Edge e of `tables.provider`, and block b of the layer that reads: block[first[e] + b].
    """

    first: Ints
    block: Ints


@compiled
def provider_block(tables: Tables, layout: Layout, i: int, block: int, provider: int) -> int:
    """Return the last block of a provider that a block of layer i needs."""
    if tables.kind[i] == FC:
        return int(layout.blocks[provider] - 1)
    pixel = min(tables.pixels[i], (block + 1) * layout.copies[i]) - 1
    needed = min(tables.last_pixel[tables.window_start[i] + pixel], tables.pixels[provider])
    return ceil_div(needed, layout.copies[provider]) - 1


@compiled
def needed_blocks(tables: Tables, layout: Layout) -> Needed:
    """Return `provider_block` of all edges and blocks; short divisions take a third of the time."""
    edges = len(tables.provider)
    first = np.zeros(edges + 1, np.int64)
    for i in range(len(tables.kind)):
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            first[e + 1] = first[e] + layout.blocks[i]
    block = np.empty(first[-1], np.int64)
    for i in range(len(tables.kind)):
        window, copies, pixels = tables.window_start[i], layout.copies[i], tables.pixels[i]
        for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
            provider = tables.provider[e]
            if tables.kind[i] == FC:
                block[first[e] : first[e + 1]] = layout.blocks[provider] - 1
                continue
            at_once = np.uint32(layout.copies[provider])
            for b in range(layout.blocks[i]):
                last = tables.last_pixel[window + min(pixels, (b + 1) * copies) - 1]
                block[first[e] + b] = np.uint32(min(last, tables.pixels[provider]) - 1) // at_once
    return Needed(first, block)


@compiled
def block_starts(layout: Layout) -> Ints:
    """Return where the blocks of each layer begin in a list of all blocks."""
    starts = np.zeros(len(layout.blocks) + 1, np.int64)
    for i in range(len(layout.blocks)):
        starts[i + 1] = starts[i] + layout.blocks[i]
    return starts
