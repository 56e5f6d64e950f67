"""How parameters move: the optimizer of a recipe, and the learning rate of a phase."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from hwgen.train.recipe import Common, Phase


def make_optimizer(
    recipe: Common, phase: Phase, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Return the optimizer of a phase; `learning_rate` sets its rate before every step."""
    chosen = recipe.optimizer
    if chosen.kind == "adamw":
        return torch.optim.AdamW(parameters, weight_decay=phase.weight_decay, fused=True)
    return torch.optim.SGD(
        parameters,
        fused=True,
        lr=phase.learning_rate,
        momentum=chosen.momentum,
        nesterov=chosen.nesterov,
        weight_decay=phase.weight_decay,
    )


def learning_rate(phase: Phase, epoch: float) -> float:
    """Return the rate at a moment of a phase: linear warm-up, then a cosine to zero."""
    if epoch < phase.warmup_epochs:
        return phase.learning_rate * (epoch + 1e-3) / phase.warmup_epochs
    left = max(1, phase.epochs - phase.warmup_epochs)
    progress = (epoch - phase.warmup_epochs) / left
    return phase.learning_rate * (1 + math.cos(math.pi * progress)) / 2
