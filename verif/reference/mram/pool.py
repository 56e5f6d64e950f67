"""The pool unit: totals of windows over blocks of a map.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pool(values: NDArray[Any], fields: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the totals (out_height, out_width, channels) of a map (height, width, channels).

    fields: of the record; taps outside the map are `outside`
    """
    height, width, channels = values.shape
    totals = np.zeros((fields["out_height"], fields["out_width"], channels), np.int64)
    for y, x in np.ndindex(totals.shape[:2]):
        top = y * fields["stride_y"] - fields["pad_top"]
        left = x * fields["stride_x"] - fields["pad_left"]
        taps = []
        for line, column in np.ndindex(fields["kernel_height"], fields["kernel_width"]):
            inside = 0 <= top + line < height and 0 <= left + column < width
            outside = np.full(channels, fields["outside"])
            taps.append(values[top + line, left + column] if inside else outside)
        window = np.array(taps, np.int64)
        totals[y, x] = window.max(axis=0) if fields["maximum"] else window.sum(axis=0)
    return totals
