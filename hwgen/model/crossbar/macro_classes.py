"""How many macros of a layer hold how much, for the compiled evaluators.

What `hwgen.spec.crossbar.holdings` says of each macro, counted: at most four classes differ.
"""

import numpy as np

from hwgen.model.compiled import compiled
from hwgen.model.crossbar.tables import Ints

COPIES, TILES, MACROS = range(3)
"""Columns of `macro_classes`: copies of a macro, row tiles of each of them, macros of the class."""


@compiled
def macro_classes(copies: int, macros: int, row_tiles: int) -> Ints:
    """Return (4, 3): of each class of macros copies, row tiles and count; of empty ones count 0."""
    classes = np.zeros((4, 3), np.int64)
    if macros <= copies:
        for more in range(2):
            classes[more, COPIES] = copies // macros + more
            classes[more, TILES] = row_tiles
            classes[more, MACROS] = copies % macros if more else macros - copies % macros
        return classes
    for more in range(2):
        of_a_copy = macros // copies + more
        alike = macros % copies if more else copies - macros % copies
        for one in range(2):
            place = 2 * more + one
            classes[place, COPIES] = 1
            classes[place, TILES] = row_tiles // of_a_copy + one
            uneven = row_tiles % of_a_copy
            classes[place, MACROS] = alike * (uneven if one else of_a_copy - uneven)
    return classes


@compiled
def most_tiles(copies: int, macros: int, row_tiles: int) -> int:
    """Return copies x row tiles of the fullest macro of a layer."""
    if macros <= copies:
        return -(-copies // macros) * row_tiles
    return -(-row_tiles // (macros // copies))
