"""Which transfers and merges cannot travel at the same time: those that use a common link."""

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.compiled import compiled
from hwgen.crossbar.facts.layout import IMAGE_MACRO
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.tables import Tables
from hwgen.crossbar.model.travels import results_in, snake

Flags = NDArray[np.bool_]

TRAVELS = 4
"""Kinds of travel of each layer: its transfer, its send or result, its merge or gather, its chain.
"""

ARRIVING, SENT, MERGED, CHAINED = range(TRAVELS)

EAST, WEST, SOUTH, NORTH, IN, OUT, IO_IN, IO_OUT = range(8)
"""Links from a router, and its local ports in both directions: a macro's, and that of the edge."""
PER_ROUTER = 8


@compiled
def use_route(links: Flags, source: int, target: int, columns: int, ports: bool) -> None:
    """Mark the directed links of a route: along the source's row first, then along a column.

    ports: the local ports at its ends, too
    """
    row, column = snake(source, columns)
    end_row, end_column = snake(target, columns)
    if ports and source != target:
        links[PER_ROUTER * (row * columns + column) + OUT] = True
        links[PER_ROUTER * (end_row * columns + end_column) + IN] = True
    while column != end_column:
        east = column < end_column
        links[PER_ROUTER * (row * columns + column) + (EAST if east else WEST)] = True
        column += 1 if east else -1
    while row != end_row:
        south = row < end_row
        links[PER_ROUTER * (row * columns + column) + (SOUTH if south else NORTH)] = True
        row += 1 if south else -1


@compiled
def sends_results(tables: Tables, layout: Layout, i: int, place: int) -> bool:
    """Return whether a macro hands on results; else partial sums, to the next one of its copy."""
    if not tables.rules.chain_before_activation or tables.crossbars[i] == 0:
        return True
    at = place - layout.first_macro[i]
    return results_in(tables, i, layout.copies[i], layout.shared_macros[i], at) > 0


@compiled
def use_routes(links: Flags, tables: Tables, layout: Layout, i: int, place: int) -> None:
    """Mark the links of all travels to and from a macro of layer i."""
    columns, ports = layout.mesh_columns, tables.rules.image_travels
    if sends_results(tables, layout, i, place):
        use_route(links[TRAVELS * i + MERGED], place, layout.merge_macro[i], columns, ports)
    else:
        use_route(links[TRAVELS * i + CHAINED], place, place + 1, columns, ports)
    if tables.image[i] > 0:
        arriving = links[TRAVELS * i + ARRIVING]
        use_route(arriving, IMAGE_MACRO, place, columns, ports=False)
        row, column = snake(place, columns)
        arriving[PER_ROUTER * (row * columns + column) + IN] |= ports
        arriving[IO_IN] |= ports
    if tables.rules.send_once and tables.reader_start[i] == tables.reader_start[i + 1]:
        result, merge = links[TRAVELS * i + SENT], layout.merge_macro[i]
        use_route(result, merge, IMAGE_MACRO, columns, ports=False)
        row, column = snake(merge, columns)
        result[PER_ROUTER * (row * columns + column) + OUT] = True
        result[IO_OUT] = True
    for e in range(tables.provider_start[i], tables.provider_start[i + 1]):
        p = tables.provider[e]
        travel = TRAVELS * p + SENT if tables.rules.send_once else TRAVELS * i + ARRIVING
        use_route(links[travel], layout.merge_macro[p], place, columns, ports)


@compiled
def conflicts(tables: Tables, layout: Layout) -> Flags:
    """Return which kinds of travel share a link.

    TRAVELS x i + ARRIVING: layer i's transfer; and so on.
    """
    count = len(tables.kind)
    columns = layout.mesh_columns
    rows = -(-layout.total_macros // columns)
    links = np.zeros((TRAVELS * count, PER_ROUTER * rows * columns), np.bool_)
    for i in range(count):
        for place in range(layout.first_macro[i], layout.first_macro[i] + layout.shared_macros[i]):
            use_routes(links, tables, layout, i, place)
    shared = np.zeros((TRAVELS * count, TRAVELS * count), np.bool_)
    for a in range(TRAVELS * count):
        for b in range(a):
            for link in range(links.shape[1]):
                if links[a, link] and links[b, link]:
                    shared[a, b] = shared[b, a] = True
                    break
    return shared
