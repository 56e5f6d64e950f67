"""The learning rate of a phase, and the optimizer of a recipe."""

from dataclasses import replace

import pytest
import torch

from hwgen.train.recipe import Recipe, Sgd
from hwgen.train.schedule import learning_rate, make_optimizer


def test_the_rate_warms_up_and_falls(recipe: Recipe) -> None:
    phase = replace(recipe.float_phase, epochs=10, warmup_epochs=2, learning_rate=1.0)
    rates = [learning_rate(phase, epoch / 4) for epoch in range(41)]
    assert rates[0] < 0.01 and rates[8] == 1.0 and rates[40] == pytest.approx(0.0)
    assert rates[:9] == sorted(rates[:9]) and rates[8:] == sorted(rates[8:], reverse=True)


@pytest.mark.parametrize("nesterov", [False, True])
def test_two_steps_of_sgd_by_hand(nesterov: bool, recipe: Recipe) -> None:
    sgd = replace(recipe, optimizer=Sgd(kind="sgd", momentum=0.9, nesterov=nesterov))
    phase = replace(recipe.float_phase, weight_decay=0.0, learning_rate=0.1)
    parameter = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = make_optimizer(sgd, phase, [parameter])
    for gradient in (1.0, 2.0):
        parameter.grad = torch.tensor([gradient])
        optimizer.step()
    # Velocities 1 and 0.9 * 1 + 2; Nesterov's form adds the gradient to 0.9 times each.
    moved = 1.9 + 2 + 0.9 * 2.9 if nesterov else 1 + 2.9
    assert float(parameter.detach()) == pytest.approx(1 - 0.1 * moved)


def test_weight_decay_is_that_of_the_phase(recipe: Recipe) -> None:
    phase = replace(recipe.float_phase, weight_decay=0.25)
    parameter = torch.nn.Parameter(torch.tensor([2.0]))
    optimizer = make_optimizer(recipe, phase, [parameter])
    assert isinstance(optimizer, torch.optim.AdamW)
    optimizer.param_groups[0]["lr"] = 0.1
    parameter.grad = torch.tensor([0.0])
    optimizer.step()
    assert float(parameter.detach()) == pytest.approx(2 * (1 - 0.1 * 0.25))
