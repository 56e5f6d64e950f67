"""Fixed-threshold approximation (seed 002, IV-C2): one digit count for all weights of a filter.

T(phi) holds the integers of [-128, 127] with exactly phi non-zero digits. phi_th is the most
frequent digit count over the unmasked weights, clipped to 0, 1 or 2; of equals the larger. Each
unmasked weight goes to the nearest member of T(phi_th); of two equally near ones to the smaller
magnitude, and a zero to the sign it had before rounding, plus if it had none.
"""

from functools import cache

import torch
from torch import Tensor

from hwgen.network.csd import DIGITS, phi
from hwgen.network.sparsity import PHI_LIMIT

LOW, HIGH = -128, 127


@cache
def members(threshold: int) -> tuple[int, ...]:
    """Return T(threshold), sorted."""
    return tuple(value for value in range(LOW, HIGH + 1) if phi(value) == threshold)


def nearest(value: int, threshold: int, sign: int) -> int:
    """Return the member of T(threshold) that `value` goes to; `sign` decides for a zero."""

    def rank(member: int) -> tuple[int, int, bool]:
        wrong_side = value == 0 and (member < 0) != (sign < 0)
        return abs(member - value), abs(member), wrong_side

    return min(members(threshold), key=rank)


@cache
def digit_counts(device: torch.device) -> Tensor:
    """Return uint8 (256,): the digits of value - 128."""
    counts = [phi(value) for value in range(LOW, HIGH + 1)]
    return torch.tensor(counts, dtype=torch.uint8, device=device)


@cache
def projections(device: torch.device) -> Tensor:
    """Return float32 (3 * 2 * 256,): threshold, negative before rounding, value + 128 -> member."""
    members_of = [
        nearest(value, threshold, sign)
        for threshold in range(PHI_LIMIT + 1)
        for sign in (1, -1)
        for value in range(LOW, HIGH + 1)
    ]
    return torch.tensor(members_of, dtype=torch.float32, device=device)


def thresholds(q: Tensor, mask: Tensor) -> Tensor:
    """Return phi_th of each filter, int64 (filters,).

    q: whole numbers (filters, ...), from -128 to 127; mask: bool of the same shape, true where
    unmasked. A filter without unmasked weights has phi_th 0.
    """
    places = (q.int() - LOW).flatten()
    counts = digit_counts(q.device).index_select(0, places).reshape(len(q), -1)
    unpruned = mask.flatten(1)
    histogram = torch.stack(
        [((counts == n) & unpruned).sum(1) for n in range(DIGITS // 2 + 1)], dim=1
    )
    # argmax of the reversed counts finds the larger of equals.
    mode = DIGITS // 2 - histogram.flip(1).argmax(1)
    return torch.where(unpruned.any(1), mode.clamp(max=PHI_LIMIT), 0)


def project(q: Tensor, mask: Tensor, sign: Tensor, threshold: Tensor) -> Tensor:
    """Return `q` with every unmasked weight moved into T(threshold of its filter), masked ones 0.

    q: whole numbers; the result is float32. sign: of the same shape, negative where the weight was
    below zero before rounding.
    """
    values = HIGH + 1 - LOW
    table = (threshold * (2 * values) - LOW).int().reshape(-1, *[1] * (q.dim() - 1))
    places = (q.int() + table).add_(sign < 0, alpha=values)
    moved = projections(q.device).index_select(0, places.flatten())
    return moved.reshape(q.shape).mul_(mask.to(moved.dtype))


def fta(q: Tensor, mask: Tensor, sign: Tensor) -> Tensor:
    """Return the approximation of quantized filters: thresholds by mode, then projection."""
    return project(q, mask, sign, thresholds(q, mask))
