"""Gaps and stalls for `verif.stream`."""

from collections.abc import Iterator

import numpy as np


def chances(rng: np.random.Generator, probability: float) -> Iterator[bool]:
    """Say yes with `probability`, for ever."""
    while True:
        yield bool(rng.random() < probability)
