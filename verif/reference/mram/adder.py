"""Reference of `hwgen.mram.rtl.adder`: the numbers of two operands, added in each column.

Tests: `tests/verif/mram/test_parts.py`.
"""

import numpy as np

from verif.reference.mram.bit_convolution import from_planes
from verif.reference.mram.sense_amplifier import Bits


def adder(a: Bits, b: Bits) -> tuple[Bits, Bits]:
    """Return the planes of a + b and the carry of the highest bit.

    a, b, sum: 0 or 1, (bits, columns), the lowest bit first; carry: (columns)
    """
    bits = len(a)
    total = from_planes(a, signed=False) + from_planes(b, signed=False)
    planes = [(total >> bit & 1).astype(np.uint8) for bit in range(bits + 1)]
    return np.array(planes[:bits]), planes[bits]
