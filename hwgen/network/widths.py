"""How many channels a share of a layer's channels is."""

import math


def channels_at(count: int, width: float) -> int:
    """Return width * count, rounded to the nearest (half up), at least 1.

    Seed 001 does not say how 0.35 of 16 channels is rounded; this gives 6.
    """
    return max(1, math.floor(count * width + 0.5))
