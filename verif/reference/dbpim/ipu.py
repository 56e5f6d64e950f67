"""Reference of `hwgen.dbpim.rtl.ipu`: the bit planes of a group that take a cycle."""

import numpy as np
from numpy.typing import NDArray


def ipu(group: NDArray[np.uint8], *, skip: bool = True) -> list[tuple[int, tuple[int, ...]]]:
    """Return (bit index, the bit of every input) for each bit plane, the highest first.

    group: bytes, one for each input
    skip: only bit planes with a one; a group of zeros still takes one step, with bit 0. Without,
        all eight planes
    """
    planes = [(bit, tuple((group >> bit & 1).tolist())) for bit in reversed(range(8))]
    if not skip:
        return planes
    return [(bit, plane) for bit, plane in planes if any(plane)] or planes[-1:]
