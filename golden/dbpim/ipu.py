"""Reference of `hwgen.rtl.dbpim.ipu`: the bit columns of a group that are worth a cycle."""

import numpy as np
from numpy.typing import NDArray


def ipu(group: NDArray[np.uint8], *, skip: bool = True) -> list[tuple[int, tuple[int, ...]]]:
    """Return (bit index, the bit of every input) from the highest column to the lowest.

    group: bytes, one an input. With `skip` only the columns with a one; a group of zeros still
    takes one step, with bit 0. Without, all eight.
    """
    columns = [(bit, tuple((group >> bit & 1).tolist())) for bit in reversed(range(8))]
    if not skip:
        return columns
    return [(bit, column) for bit, column in columns if any(column)] or columns[-1:]
