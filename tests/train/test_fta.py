"""FTA by hand, and against the reference that tries every candidate."""

import numpy as np
import pytest
import torch
from torch import Tensor

import verif.reference.dbpim.fta as reference
from hwgen.network.csd import phi
from hwgen.train.fta import fta, members, nearest, project, thresholds


def filters(*rows: list[int]) -> Tensor:
    return torch.tensor(rows)


def unpruned(q: Tensor) -> Tensor:
    return torch.ones_like(q, dtype=torch.bool)


def test_members() -> None:
    assert members(0) == (0,)
    assert members(1) == (-128, -64, -32, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 32, 64)
    assert len(members(2)) == 72
    assert {3, -3, 5, 66, 68, 127, -127, 96, 126} <= set(members(2))


@pytest.mark.parametrize(
    ("value", "threshold", "sign", "member"),
    [
        (67, 2, 1, 66),  # 66 and 68 are as near: the smaller magnitude
        (-67, 2, -1, -66),
        (67, 1, 1, 64),
        (127, 2, 1, 127),
        (127, 1, 1, 64),  # 128 is no int8
        (-127, 1, -1, -128),
        (96, 1, 1, 64),  # as far as 128 would be
        (6, 1, 1, 4),  # 4 and 8
        (0, 1, 1, 1),
        (0, 1, -1, -1),
        (0, 2, 1, 3),
        (0, 2, -1, -3),
        (0, 2, 0, 3),  # no sign means plus
        (1, 2, 1, 3),
        (5, 0, 1, 0),
    ],
)
def test_nearest_by_hand(value: int, threshold: int, sign: int, member: int) -> None:
    assert nearest(value, threshold, sign) == member


def test_thresholds_by_hand() -> None:
    q = filters(
        [67, 67, 0, 1],  # counts 3, 3, 0, 1: mode 3, clipped to 2
        [1, 2, 3, 5],  # counts 1, 1, 2, 2: of equals the larger
        [0, 0, 1, 3],  # mode 0
        [0, 0, 64, 3],  # the zeros are masked below: 1 and 2, the larger
        [7, 9, 3, 5],  # all masked
    )
    mask = unpruned(q)
    mask[3, :2] = False
    mask[4] = False
    assert thresholds(q, mask).tolist() == [2, 2, 0, 2, 0]


def test_masked_zeros_stay_and_natural_zeros_move() -> None:
    q = filters([67, 127, 0, 0, 0])
    mask, sign = unpruned(q), filters([1, 1, -1, 1, 1])
    mask[0, 4] = False
    # Counts over the unmasked are 3, 2, 0, 0: the mode is 0 and everything goes.
    assert fta(q, mask, sign).tolist() == [[0] * 5]
    moved = project(q, mask, sign, torch.tensor([2]))
    assert moved.tolist() == [[66, 127, -3, 3, 0]]


@pytest.mark.parametrize("seed", range(6))
def test_against_every_candidate(seed: int) -> None:
    random = np.random.default_rng(seed)
    spread = (128, 128, 40, 9, 3, 1.5)[seed]
    real = random.normal(0, spread, (24, 3, 2, 2)).clip(-127, 127)
    q, sign = np.rint(real).astype(np.int8), np.sign(real).astype(np.int8)
    mask = random.random(q.shape) < random.choice([0.0, 0.1, 0.6, 1.0], (24, 1, 1, 1))
    ours = fta(torch.tensor(q).long(), torch.tensor(mask), torch.tensor(sign))
    for row, filter_q, filter_mask, filter_sign in zip(ours, q, mask, sign, strict=True):
        theirs = reference.fta(filter_q.ravel(), filter_mask.ravel(), filter_sign.ravel())
        assert row.flatten().tolist() == theirs.tolist()
    counts = np.vectorize(phi)(ours.numpy())
    for filter_counts, filter_mask in zip(counts, mask, strict=True):
        assert len(set(filter_counts[filter_mask])) <= 1
        assert not filter_counts[~filter_mask].any()
