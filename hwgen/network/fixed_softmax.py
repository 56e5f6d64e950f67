"""Softmax over the channels of each group of a pixel, in integers of 32 bits.

Tests: `tests/network/test_check_arrays.py`.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network import layer
from hwgen.network.maps import Complaint, Size
from hwgen.network.softmax import byte_complaints
from hwgen.network.table import ENTRIES

SUM_BITS = 12
"""Before the point of the sum of exponentials, whose numbers have 31 bits."""
MOST_CHANNELS = (1 << SUM_BITS) - 1
"""Of a group, so that no sum overflows."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FixedSoftmax(layer.LayerBase):
    """The exponential of each channel over the sum of those of its group, as LiteRT's reference.

    With r(x, n) = x / 2**n, halves away from zero, h(x, y) = (x * y + 2**30) >> 31, m the largest
    byte of a group, E the array:

        S = sum of r(E[m - xi], 12)
        l = the bits of S;  X = S * 2**(32 - l) - 2**31;  H = (X + 2**31) >> 1
        R = 1515870810 + h(H, -1010580540), then three times R + 4 * h(R, 2**29 - h(H, R))
        y = clip(r(h(min(2 * R, 2**31 - 1), E[m - xi]), l + 3) + zero point, low, high)

    Array `exponentials` int32 (256): exp(-d * scale) in steps of 2**-31, the first 2**31 - 1.

    groups: heads
    """

    op: Literal["fixed_softmax"]
    groups: Size

    ARRAY_TYPES: ClassVar[dict[str, tuple[Any, ...]]] = {"exponentials": (np.int32,)}

    def complaints(self, around: layer.Surroundings) -> Iterator[Complaint]:
        """Check groups, bytes of both maps, and that entries do not rise."""
        yield from layer.one_mode_complaints(self.name, around)
        source, table = around.sources[0], around.arrays["exponentials"]
        if source.channels % self.groups:
            allowed = f"a divisor of its channels ({source.channels})"
            yield f"{self.name}.groups", allowed, self.groups
        elif source.channels // self.groups > MOST_CHANNELS:
            given = source.channels // self.groups
            yield f"{self.name}: channels of a group", f"at most {MOST_CHANNELS}", given
        yield from byte_complaints(self.name, (source.bits, self.output.bits))
        mistakes = [
            *layer.array_type_complaints(self.name, "exponentials", table, (np.int32,)),
            *layer.array_shape_complaints(self.name, "exponentials", table, (ENTRIES,)),
        ]
        yield from mistakes
        if mistakes:
            return
        rises = (np.diff(table.astype(np.int64)) > 0).any()
        if table[0] != np.iinfo(np.int32).max or table[-1] < 0 or rises:
            yield f"{self.name}.exponentials", "from 2**31 - 1 down, none negative", "others"
