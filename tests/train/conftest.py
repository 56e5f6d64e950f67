"""A short recipe on few images, for tests of the loop and not of what it learns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.data import Dataset, load_dataset
from hwgen.train.loop import Loop
from hwgen.train.recipe import Recipe, load_recipe

RECIPES = Path(__file__).parents[2] / "configs" / "train"


@pytest.fixture
def recipe() -> Recipe:
    """The demo's recipe with two epochs a phase."""
    full = load_recipe(RECIPES / "digits_small_cnn.yaml")
    phases = ("float_phase", "pruned_phase", "quantized_phase")
    short = {name: replace(getattr(full, name), epochs=2) for name in phases}
    return replace(full, **short)


@pytest.fixture
def few_digits() -> Dataset:
    """The digits, a seventh of them."""
    digits = load_dataset("digits")
    return replace(
        digits,
        train_images=digits.train_images[::7],
        train_labels=digits.train_labels[::7],
        test_images=digits.test_images[::7],
        test_labels=digits.test_labels[::7],
    )


@pytest.fixture
def on_few_digits(few_digits: Dataset, monkeypatch: Any) -> Dataset:
    """Let training find the few digits."""
    monkeypatch.setattr("hwgen.train.train.load_dataset", lambda *_: few_digits)
    return few_digits


@contextmanager
def interrupted_after(batches: int, run: type[Loop], monkeypatch: Any) -> Iterator[None]:
    """Write a checkpoint after every batch, and let the user press Ctrl-C behind one of them."""
    real_step, done = run.step, []

    def step(run: Loop, *arguments: Any, **options: Any) -> Any:
        if len(done) == batches:
            raise KeyboardInterrupt
        done.append(1)
        return real_step(run, *arguments, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("hwgen.train.loop.CHECKPOINT_SECONDS", 0.0)
        patch.setattr(run, "step", step)
        yield
