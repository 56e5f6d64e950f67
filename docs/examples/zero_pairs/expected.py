"""What a group of inputs takes if its bit planes are skipped in pairs; it knows no hardware."""

import numpy as np
from numpy.typing import NDArray


def steps(group: NDArray[np.uint8]) -> list[tuple[int, list[int]]]:
    """Return (bit index, the bit of every input) for each cycle of a group, the highest bit first.

    group: bytes, one for each input. A group of zeros takes one cycle, with bit 0
    """
    found = []
    for digit in (3, 2, 1, 0):
        # A pair of planes is a digit of base 4.
        digits = group // 4**digit % 4
        if digits.any():
            found += [(2 * digit + 1, (digits // 2).tolist()), (2 * digit, (digits % 2).tolist())]
    return found or [(0, [0] * len(group))]
