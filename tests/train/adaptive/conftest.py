"""A short channel-adaptive recipe on few digits."""

from dataclasses import replace
from typing import Any

import pytest

from hwgen.data import Dataset
from hwgen.train.adaptive.recipe import AdaptiveRecipe, load_adaptive_recipe
from tests.train.conftest import RECIPES


@pytest.fixture
def adaptive_recipe(on_few_digits: Dataset) -> AdaptiveRecipe:
    """The recipe of the digits with two epochs a phase; training finds few digits."""
    full = load_adaptive_recipe(RECIPES / "cadnn_digits.yaml")
    return replace(
        full,
        base_phase=replace(full.base_phase, epochs=2),
        phases=[replace(phase, epochs=2) for phase in full.phases],
    )


@pytest.fixture
def on_few_digits(few_digits: Dataset, monkeypatch: Any) -> Dataset:
    """Let training find the few digits."""
    monkeypatch.setattr("hwgen.train.adaptive.train.load_dataset", lambda *_: few_digits)
    return few_digits
