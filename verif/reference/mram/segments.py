"""Reference of the columns of a load: which element of which window a column receives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Elements = NDArray[np.int64]


@dataclass(frozen=True)
class Entry:
    """What a segment holds in a row set: a block of channels of a position of the load.

    twin: it receives its elements doubled, without their highest bit
    """

    position: int
    block: int
    twin: bool = False


def columns(
    windows: Elements,
    entries: list[Entry | None],
    *,
    block: int,
    channels: int,
    element_bits: int = 63,
) -> Elements:
    """Return the element of each column of all segments, one row set.

    windows: of the positions of a load, (positions, 3, 3, stored channels); a last load has fewer
    entries: one a segment, None for one without inputs; channels: first pruned channel
    element_bits: of what a twin receives
    Column ``9 * i + 3 * kh + kw`` of a segment has channel i of its block.
    """
    found = np.zeros((len(entries), block, 3, 3), np.int64)
    for segment, entry in enumerate(entries):
        if entry is None or entry.position >= len(windows):
            continue
        first = entry.block * block
        unpruned = windows[entry.position, :, :, first : min(first + block, channels)]
        if entry.twin:
            unpruned = 2 * unpruned & ((1 << element_bits) - 1)
        found[segment, : unpruned.shape[2]] = np.moveaxis(unpruned, 2, 0)
    return found.ravel()
