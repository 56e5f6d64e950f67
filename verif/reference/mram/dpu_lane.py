"""One lane of the DPU: bias, requantization, and the addition of a skip element.

Tests: `tests/verif/mram/test_parts.py`.
"""

from collections.abc import Mapping

import numpy as np

from golden.ops.requantize import requantize
from hwgen.mram.facts.stream import LaneParameters
from hwgen.network.quantization import ROUNDING_CODES

ROUNDINGS = tuple(ROUNDING_CODES)
"""By the code in a record."""


def dpu_lane(
    total: int, lane: LaneParameters, fields: Mapping[str, int], *, skip: int | None = None
) -> int:
    """Return the element that a sum becomes; with `raw` the sum with its bias.

    fields: of the record; skip: element of the skip map, where the record has one
    """
    value = total + lane.bias
    if fields["raw"]:
        return value
    own = scaled(value, lane.multiplier, lane.shift, fields)
    if skip is None:
        return own
    weighted = (own - fields["own_zero_point"]) * fields["own_multiplier"]
    weighted += (skip - fields["skip_zero_point"]) * fields["skip_multiplier"]
    return scaled(weighted, 1, fields["sum_shift"], fields, prefix="sum_")


def scaled(
    total: int, multiplier: int, shift: int, fields: Mapping[str, int], *, prefix: str = ""
) -> int:
    """Return the scaled and clipped sum, by the rounding, zero point and limits of the record."""
    found = requantize(
        [total],
        multiplier=multiplier,
        shift=shift,
        rounding=ROUNDINGS[fields.get(f"{prefix}rounding", 0)],
        zero_point=fields[f"{prefix}zero_point"],
        low=fields[f"{prefix}low"],
        high=fields[f"{prefix}high"],
        dtype=np.int64,
    )
    return int(found[0])
