"""What ends a network: maps and lists of their elements, and what the host does behind them.

Tests: `tests/importers/onnx/test_lists.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_NAMED = 8
"""Nodes that the host computes, by name in one sentence; of more, their number."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A tensor that ends a network: elements of a map, or a list of elements of several.

    order: of the shape of the tensor, the number of each element in the maps, one behind the
        other, or -1 for a real zero; None: that of the map
    hidden: a function behind a map of a list, which is left out, hides its integers
    """

    maps: tuple[str, ...]
    order: NDArray[np.int64] | None = None
    hidden: bool = False


def said_of_head(operator: str, node: str) -> str:
    """Return the sentence on a function that the network leaves out behind its answer."""
    return f"{operator} ({node}) is left out: the order of classes is that before it"


def said_of_list(name: str, maps: Sequence[str], *, first: bool) -> str:
    """Return what the host does to have a list; first: it is the answer of the file."""
    told = "chips write these, and golden has their order"
    if first:
        told = (
            "chips write these; element i of the file's answer is element answer_places[i] of them,"
            " one behind the other, and hwgen compares and infers in the file's order"
        )
    return f"output {name} lists elements of the maps {', '.join(maps)}: {told}"


def said_of_rest(steps: Sequence[str], computed: Sequence[str], names: Sequence[str]) -> str:
    """Return what the host computes of lists: nodes, their outputs, and names of the lists."""
    more = len(steps) - MOST_NAMED
    nodes = ", ".join(steps[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return (
        f"{nodes}, which compute {', '.join(computed)} of {', '.join(names)}: the network ends"
        " before them"
    )
