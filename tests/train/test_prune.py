"""Block masks by hand, against the reference, and with a short tail."""

import numpy as np
import pytest
import torch

import golden.dbpim.pruning as reference
from hwgen.train.prune import block_mask, block_scores


def test_a_block_is_one_position_in_eight_filters() -> None:
    weight = torch.zeros(16, 2, 1, 1)
    weight[3, 0], weight[9, 1] = 5.0, -4.0
    weight[0, 1], weight[8, 0] = 1.0, 2.0
    mask = block_mask(weight, 0.5)[:, :, 0, 0]
    assert mask[:8].tolist() == [[True, False]] * 8
    assert mask[8:].tolist() == [[False, True]] * 8


def test_a_tail_ranks_as_if_it_were_whole() -> None:
    weight = torch.zeros(10, 1, 1, 1)
    weight[:8], weight[8:] = 1.0, 1.1
    # The whole block has norm 2.83 and the tail 1.56, yet the tail's weights are larger.
    assert torch.allclose(block_scores(weight).flatten(), torch.tensor([1.0, 1.1]))
    assert block_mask(weight, 0.5).flatten().tolist() == [False] * 8 + [True] * 2


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.6, 0.95])
@pytest.mark.parametrize("filters", [1, 8, 20, 28])
def test_against_the_reference(filters: int, share: float) -> None:
    weight = np.random.default_rng(filters).normal(size=(filters, 5, 3, 3))
    ours = block_mask(torch.tensor(weight), share).permute(0, 2, 3, 1).reshape(filters, -1)
    theirs = reference.prune(weight.transpose(0, 2, 3, 1).reshape(filters, -1), share)
    # Equal scores have no order across layouts; random weights have none.
    assert np.array_equal(ours[::8].numpy(), theirs)
    assert np.count_nonzero(~theirs) == int(np.ceil(share * theirs.size - 1e-9))
