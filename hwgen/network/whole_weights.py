"""Weights that are whole multiples of a step of their filter: which integers they are.

Training leaves such weights, and a file of real numbers shows them still, as a batch norm that is
folded in only changes the step. Of all steps that make a filter whole the one counts whose
integers have the fewest signed digits, and of equal ones the finest, which rounds a bias least.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.network.csd import phi

NARROW, WIDE = 7, 127
"""Largest integer of weights of four bits, and of eight."""
TOLERANCE = 5e-4
"""Of an integer: float32, a folded factor and a product leave a tenth of it at 127."""
SHOWN = 32
"""Weights of a filter that are looked at first."""
COUNTS = np.array([phi(value) for value in range(WIDE + 1)])


def whole_weights(weights: NDArray[np.floating]) -> NDArray[np.int8] | None:
    """Return the integers of filters, (filters, weights), None unless all filters have a step.

    Integers are at most 7 where all filters fit that (weights of four bits), else at most 127.
    weights: (filters, weights), real numbers
    """
    largest = np.abs(weights).max(axis=1, initial=0.0).astype(np.float64)
    if not np.isfinite(largest).all():
        return None
    scale = np.where(largest > 0, largest, 1.0)[:, None]
    first = np.abs(weights[:, :: max(1, weights.shape[1] // SHOWN)]) / scale
    if (least_tops(first, first) > WIDE).any():
        return None  # as most files: nothing large was copied
    shares = np.abs(weights) / scale
    tops = least_tops(shares, first)
    if (tops > WIDE).any():
        return None
    most = NARROW if (tops <= NARROW).all() else WIDE
    bases = np.rint(shares * tops[:, None]).astype(np.int64)
    finest = np.array([base * finest_factor(base, most) for base in bases])
    found: NDArray[np.int8] = (np.sign(weights) * finest).astype(np.int8)
    return found


def least_tops(shares: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the least integer that the largest weight of each filter can be, else 128.

    shares: (filters, weights), each filter's magnitudes by its largest; first: some of them
    """
    tops = np.full(len(shares), WIDE + 1)
    for top in range(1, WIDE + 1):
        likely = np.flatnonzero((tops > WIDE) & whole(first * top))
        tops[likely[whole(shares[likely] * top)]] = top
    return tops


def whole(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows hold whole numbers alone."""
    found: NDArray[np.bool_] = np.all(np.abs(values - np.rint(values)) < TOLERANCE, axis=1)
    return found


def finest_factor(base: NDArray[np.int64], most: int) -> int:
    """Return the factor that leaves a filter the fewest digits, the largest of equal ones."""
    values = np.unique(base)
    top = int(values[-1])
    if not top:
        return 1

    def digits(factor: int) -> tuple[int, int, int]:
        counts = COUNTS[values * factor]
        return int(counts.max()), int(COUNTS[base * factor].sum()), -factor

    return min(range(1, most // top + 1), key=digits)
