"""Real numbers that a user gives: NaN and infinite ones are refused, with their place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import DataError

PLACES = ("image", "y", "x", "channel")


def check_finite(images: NDArray[Any], source: str) -> None:
    """Refuse images, NHWC, with a number that is not finite; source: where they come from."""
    wrong = np.argwhere(~np.isfinite(images))
    if not len(wrong):
        return
    place = tuple(wrong[0].tolist())
    given = f"{images[place]} at " + (
        ", ".join(f"{name} {at}" for name, at in zip(PLACES, place, strict=True))
        if len(place) == len(PLACES)
        else str(place)
    )
    raise DataError(f"images must be finite numbers, got {given} ({source})")
