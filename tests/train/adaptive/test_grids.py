"""Weight grids: members, steps, and the straight-through gradient."""

import pytest
import torch

from hwgen.train.adaptive.grids import (
    SpreadRange,
    map_range,
    on_weight_grid,
    weight_integers,
    weight_scale,
)


@pytest.mark.promise("weights of 1 to 4 bits lie on the odd grid, wider ones on symmetric integers")
@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_few_bits_are_odd(bits: int) -> None:
    weight = torch.randn(6, 200, generator=torch.Generator().manual_seed(bits))
    scale = weight_scale(weight, bits, common=False)
    q = weight_integers(weight, scale, bits)
    highest = (1 << bits) - 1
    assert sorted(set(q.flatten().tolist())) == list(range(-highest, highest + 1, 2))
    # No member of the grid is nearer.
    error = (weight / scale[:, None] - q).abs()
    assert (error[q.abs() < highest] <= 1).all()
    # Max's table II: the least error of a normal variable, as a share of its variance.
    share = ((q * scale[:, None] - weight).square().mean() / weight.square().mean()).item()
    wanted = {1: 0.3634, 2: 0.1188, 3: 0.03744, 4: 0.01154}[bits]
    assert share == pytest.approx(wanted, rel=0.2)


@pytest.mark.parametrize("bits", [5, 8, 12, 16])
def test_many_bits_are_symmetric_integers(bits: int) -> None:
    weight = torch.randn(4, 100, generator=torch.Generator().manual_seed(bits))
    scale = weight_scale(weight, bits, common=False)
    q = weight_integers(weight, scale, bits)
    assert (q.abs().amax(1) == (1 << (bits - 1)) - 1).all()
    assert ((q * scale[:, None] - weight).abs() <= scale[:, None] * 0.501).all()


def test_common_step_and_empty_filters() -> None:
    weight = torch.tensor([[1.0, -2.0], [0.0, 0.0], [0.5, 0.25]])
    common = weight_scale(weight, 8, common=True)
    assert common.tolist() == pytest.approx([2 / 127] * 3)
    assert (weight_scale(weight, 8, common=False) > 0).all()
    assert (weight_scale(torch.zeros(2, 3), 8, common=False) == 1).all()


def test_the_gradient_is_that_of_the_identity() -> None:
    weight = torch.randn(3, 2, 3, 3, requires_grad=True)
    factor = torch.randn(3, 2, 3, 3)
    (on_weight_grid(weight, 2, common=False) * factor).sum().backward()
    assert weight.grad is not None and torch.equal(weight.grad, factor)


@pytest.mark.parametrize(("bits", "most"), [(1, 0.4), (2, 0.13), (3, 0.05), (4, 0.02)])
@pytest.mark.parametrize("signed", [True, False])
def test_maps_of_few_bits_follow_their_spread(bits: int, most: float, signed: bool) -> None:
    x = torch.randn(20_000, generator=torch.Generator().manual_seed(bits)) * 3
    x = x if signed else x.clamp(min=0)
    grid = map_range(bits, 0.9).train()
    assert isinstance(grid, SpreadRange)
    on_grid = grid(x)
    assert len(on_grid.unique()) == 1 << bits
    assert 0 in on_grid
    if not signed:
        share = (on_grid - x).square().mean() / x.square().mean()
        assert float(share) < most


def test_wide_maps_reach_from_lowest_to_highest() -> None:
    x = torch.tensor([-1.0, 0.0, 3.0])
    grid = map_range(8, 0.9).train()
    assert not isinstance(grid, SpreadRange)
    assert torch.allclose(grid(x), x, atol=4 / 255)
