"""Which way packets leave each router: a bit for each output, by the number in the header.

Tests: `tests/crossbar/facts/test_in_memory.py`.
"""

from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.layout import route

NORTH, EAST, SOUTH, WEST, LOCAL, IO = range(6)
PORTS = 6
"""Of a router: its neighbours, its macro, and the I/O node."""


def load_number(chip: Chip, macro: int) -> int:
    """Return what stands for a travel in the header of what is loaded into a macro."""
    return len(chip.travels) + macro


def numbers(chip: Chip) -> int:
    """Return how many numbers headers know: travels, then loads of macros."""
    return len(chip.travels) + len(chip.macros)


def beside(chip: Chip, node: int) -> dict[int, int]:
    """Return the neighbours of a node by the port that leads there."""
    row, column = divmod(node, chip.columns)
    around = {
        NORTH: (row - 1, column),
        EAST: (row, column + 1),
        SOUTH: (row + 1, column),
        WEST: (row, column - 1),
    }
    return {
        port: r * chip.columns + c
        for port, (r, c) in around.items()
        if 0 <= r < chip.rows and 0 <= c < chip.columns
    }


def opposite(port: int) -> int:
    """Return the port at which a neighbour sees a link."""
    return (port + 2) % 4


def masks(chip: Chip, node: int) -> tuple[int, ...]:
    """Return the outputs of a router for each number, a bit each."""
    ports = {neighbour: port for port, neighbour in beside(chip, node).items()}
    found = []
    for travel in chip.travels:
        mask = sum(1 << ports[there] for here, there in travel.tree if here == node)
        if node in travel.targets:
            mask |= 1 << (IO if travel.kind == "result" else LOCAL)
        found.append(mask)
    for macro in chip.macros:
        links = route(chip.columns, chip.io_node, macro.node)
        mask = sum(1 << ports[there] for here, there in links if here == node)
        found.append(mask | (1 << LOCAL if macro.node == node else 0))
    return tuple(found)
