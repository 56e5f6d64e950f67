"""Masks and ranking on a matrix of ten filters: one full group and a tail of two."""

import numpy as np

from verif.reference.dbpim.pruning import block_mask, block_norms, prune


def test_a_block_is_unpruned_while_one_weight_is_not_zero() -> None:
    weights = np.zeros((10, 3), np.int8)
    weights[7, 0] = -1
    weights[8, 2] = 1
    assert block_mask(weights).tolist() == [[True, False, False], [False, False, True]]


def test_norms_of_a_tail_are_comparable() -> None:
    # Eight threes and two threes rank the same; one 4 of two weighs more than one 4 of eight.
    weights = np.full((10, 2), 3.0)
    weights[:, 1] = 0
    weights[[0, 8], 1] = 4
    norms = block_norms(weights)
    assert norms[:, 0].tolist() == [3, 3]
    assert np.allclose(norms[:, 1], [4 / np.sqrt(8), 4 / np.sqrt(2)])


def test_the_lowest_fraction_is_pruned() -> None:
    weights = np.ones((16, 4)) * [[4.0, 1.0, 3.0, 2.0]]
    weights[8:] *= 10
    assert prune(weights, 0.5).tolist() == [[False] * 4, [True] * 4]
    assert prune(weights, 0.25).tolist() == [[True, False, True, False], [True] * 4]
    assert prune(weights, 0.2).sum() == 6  # 1.6 blocks, rounded up
    assert prune(weights, 0.0).all()
    assert not prune(weights, 1.0).any()


def test_equal_norms_go_in_order() -> None:
    assert prune(np.ones((16, 3)), 0.5).tolist() == [[False] * 3, [True] * 3]
    assert prune(np.ones((8, 30)), 0.1).sum() == 27
