"""Which transfers and merges cannot travel at the same time: those that use a common link."""

import numpy as np
from numpy.typing import NDArray

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.design import Layout, snake
from hwgen.model.crossbar.tables import Tables

Flags = NDArray[np.bool_]

EAST, WEST, SOUTH, NORTH = range(4)


@compiled
def use_route(links: Flags, source: int, target: int, columns: int) -> None:
    """Mark the directed links of a route: along the source's row first, then along a column."""
    row, column = snake(source, columns)
    end_row, end_column = snake(target, columns)
    while column != end_column:
        east = column < end_column
        links[4 * (row * columns + column) + (EAST if east else WEST)] = True
        column += 1 if east else -1
    while row != end_row:
        south = row < end_row
        links[4 * (row * columns + column) + (SOUTH if south else NORTH)] = True
        row += 1 if south else -1


@compiled
def conflicts(tables: Tables, layout: Layout) -> Flags:
    """Return which kinds of travel share a link; 2 i: layer i's transfer, 2 i + 1: its merge."""
    count = len(tables.kind)
    columns = layout.mesh_columns
    rows = -(-layout.total_macros // columns)
    links = np.zeros((2 * count, 4 * rows * columns), np.bool_)
    for i in range(count):
        merge = layout.merge_macro[i]
        for place in range(layout.first_macro[i], layout.first_macro[i] + layout.shared_macros[i]):
            use_route(links[2 * i + 1], place, merge, columns)
            for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
                use_route(links[2 * i], layout.merge_macro[tables.provider[e]], place, columns)
    shared = np.zeros((2 * count, 2 * count), np.bool_)
    for a in range(2 * count):
        for b in range(a):
            for link in range(links.shape[1]):
                if links[a, link] and links[b, link]:
                    shared[a, b] = shared[b, a] = True
                    break
    return shared
