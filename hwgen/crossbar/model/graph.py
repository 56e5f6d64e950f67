"""The nodes of the exact simulation: first bits only, with who waits for whom.

In a stream each layer has the blocks of all images, one image behind the other.
"""

from typing import NamedTuple

import numpy as np

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.needed import block_starts, provider_block
from hwgen.crossbar.model.pipeline import MVM, Pipeline
from hwgen.crossbar.model.tables import Ints, Tables


@opaque
class Graph(NamedTuple):
    """Nodes (layer, block, operation), numbered first[layer] + block * operations + operation.

    layer: of each node; place: of its operation in that layer
    block_first: place of each layer's first block in a list of all blocks
    bank: place of the operation of each layer that waits for the addition of two blocks before, or
        -1
    waits: predecessors that have not started yet; for the first block of a layer that reads the
        image, that it has entered is one more
    reader_start, reader: for each block (in the order of `block_starts`), the first nodes of the
        blocks that wait for it
    """

    first: Ints
    layer: Ints
    place: Ints
    block_first: Ints
    bank: Ints
    waits: Ints
    reader_start: Ints
    reader: Ints


@compiled
def banked(tables: Tables, pipeline: Pipeline) -> Ints:
    """Return `Graph.bank`."""
    bank = np.full(len(pipeline.length), -1)
    for i in range(len(bank)):
        for k in range(pipeline.length[i]):
            if tables.strict and pipeline.operation[i, k] == MVM:
                bank[i] = k
    return bank


@compiled
def wait_in_layer(pipeline: Pipeline, i: int, place: int, bank: int, waits: Ints) -> None:
    """Count what the nodes of a block wait for within their own layer."""
    waits[1:] += 1
    if place > 0:
        waits += 1
        waits += pipeline.back[i, : len(waits)] > 0
    if place > 1 and bank >= 0:
        waits[bank] += 1


@compiled
def make_graph(tables: Tables, layout: Layout, pipeline: Pipeline, images: int) -> Graph:
    """Return the nodes and the edges between layers; those within a layer follow from numbers."""
    layers = len(tables.kind)
    starts = images * block_starts(layout)
    first = np.zeros(layers + 1, np.int64)
    for i in range(layers):
        first[i + 1] = first[i] + (starts[i + 1] - starts[i]) * pipeline.length[i]
    waits = np.zeros(first[-1], np.int64)
    bank = banked(tables, pipeline)
    counts = np.zeros(starts[-1] + 1, np.int64)
    for sweep in range(2):
        if sweep == 1:
            counts = np.cumsum(counts)
            reader = np.empty(counts[-1], np.int64)
            free = counts[:-1].copy()
        for i in range(layers):
            n = pipeline.length[i]
            for place in range(starts[i + 1] - starts[i]):
                node = first[i] + place * n
                image, block = divmod(place, layout.blocks[i])
                if sweep == 0:
                    wait_in_layer(pipeline, i, place, bank[i], waits[node : node + n])
                    reads_image = tables.provider_start[i] == tables.provider_start[i + 1]
                    waits[node] += 1 if reads_image and block == 0 else 0
                for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                    p = tables.provider[e]
                    source = starts[p] + image * layout.blocks[p]
                    source += provider_block(tables, layout, i, block, p)
                    if sweep == 0:
                        waits[node] += 1
                        counts[source + 1] += 1
                    else:
                        reader[free[source]] = node
                        free[source] += 1
    layer, place_of = owners(pipeline, first)
    return Graph(first, layer, place_of, starts, bank, waits, counts, reader)


@compiled
def owners(pipeline: Pipeline, first: Ints) -> tuple[Ints, Ints]:
    """Return `layer` and `place` of all nodes."""
    layer, place = np.empty(first[-1], np.int64), np.empty(first[-1], np.int64)
    for i in range(len(first) - 1):
        layer[first[i] : first[i + 1]] = i
        for k in range(pipeline.length[i]):
            place[first[i] + k : first[i + 1] : pipeline.length[i]] = k
    return layer, place
