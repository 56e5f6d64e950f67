"""Ranges of copies, macros and clocks that a box looks at."""

import numpy as np

from hwgen.crossbar.model.tables import Ints

COPIES_LOW, COPIES_HIGH, MACROS_HIGH, CLOCKS_LOW, CLOCKS_HIGH = range(5)
"""Rows of ranges; columns are layers. All ends are included."""

FOREVER = 1 << 40


def all_ranges(layers: int) -> Ints:
    """Return ranges that hold everything."""
    ranges = np.ones((5, layers), np.int64)
    ranges[[COPIES_HIGH, MACROS_HIGH, CLOCKS_HIGH]] = FOREVER
    return ranges
