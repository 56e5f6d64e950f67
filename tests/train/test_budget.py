"""A schedule that fits a budget: proportions, short budgets, and the pace that a folder keeps."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.progress import Progress
from torch import nn

from hwgen.data import Dataset
from hwgen.train.adaptive.recipe import ByNorm, load_adaptive_recipe
from hwgen.train.adaptive.run import AdaptiveRun
from hwgen.train.budget import SCHEDULE, SHARE, Pace, fitted, scaled, within
from hwgen.train.recipe import Phase, Recipe, load_recipe
from hwgen.train.run import Run
from hwgen.train.train import train_network
from tests.train.conftest import RECIPES, interrupted_after

PACE = Pace(seconds={"float": 60.0, "pruned": 60.0, "quantized": 120.0}, batches=390)


@pytest.fixture
def demo() -> Recipe:
    """The demo's recipe: 30, 40 and 20 epochs."""
    return load_recipe(RECIPES / "digits_small_cnn.yaml")


def epochs(recipe: Recipe) -> list[int]:
    return [phase.epochs for phase in recipe.schedule.values()]


def length(recipe: Recipe, pace: Pace) -> float:
    """Return the seconds that a recipe takes."""
    batches = recipe.epoch_batches or pace.batches
    seconds = [pace.seconds[name] * phase.epochs for name, phase in recipe.schedule.items()]
    return sum(seconds) * batches / pace.batches


def test_the_recipe_itself(demo: Recipe) -> None:
    """30 + 40 minutes and 20 of two."""
    chosen = within(demo, PACE, 110 / 60 / SHARE + 1e-6)
    assert epochs(chosen) == [30, 40, 20] and chosen.epoch_batches == 390
    assert chosen.float_phase == demo.float_phase


@pytest.mark.promise(
    "a schedule fits a budget of hours in the recipe's proportions, and resumes to the same bytes"
)
@pytest.mark.parametrize("hours", [0.01, 0.1, 0.5, 1.0, 3.0, 10.0])
def test_any_budget_is_used_and_held(demo: Recipe, hours: float) -> None:
    chosen = within(demo, PACE, hours)
    budget = SHARE * 3600 * hours
    assert 0.9 * budget < length(chosen, PACE) <= budget
    first, second, third = epochs(chosen)
    assert (first / third, second / third) == pytest.approx((1.5, 2.0), abs=0.51)
    for phase in chosen.schedule.values():
        assert 0 <= phase.warmup_epochs < phase.epochs


def test_a_phase_that_is_left_out_stays_out(demo: Recipe) -> None:
    none = replace(demo.float_phase, epochs=0, warmup_epochs=0)
    chosen = within(replace(demo, float_phase=none), PACE, 0.01)
    assert epochs(chosen) == [0, 2, 1]


def test_warm_up_leaves_room() -> None:
    phase = Phase(
        epochs=10, warmup_epochs=5, learning_rate=0.1, weight_decay=0.0, label_smoothing=0.0
    )
    found = [scaled({"float": phase}, factor)["float"] for factor in (0.1, 0.2, 1.0, 2.0)]
    assert [(each.epochs, each.warmup_epochs) for each in found] == [
        (1, 0),
        (2, 1),
        (10, 5),
        (20, 10),
    ]


class Clock:
    """A training whose float epochs take a minute, and others two."""

    steps = 100
    asked = 0

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def trials(self) -> Iterator[tuple[str, Phase, nn.Module]]:
        for name, phase in self.recipe.schedule.items():
            yield name, phase, nn.Identity()

    def seconds_of_epoch(self, network: nn.Module, phase: Phase) -> float:
        self.asked += 1
        return 60.0 if phase is self.recipe.float_phase else 120.0


def test_a_folder_keeps_its_pace(
    demo: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(demo)
    first = fitted(clock, demo, 1.0, out=tmp_path, resume=True)
    said = capfd.readouterr().err.splitlines()
    assert said[0] == f"phase float: {first.float_phase.epochs} epochs of 60 s"
    assert said[-1].startswith("all phases take 5") and " min; done at about " in said[-1]
    assert json.loads((tmp_path / SCHEDULE).read_text())["seconds"]["pruned"] == 120.0
    assert fitted(clock, demo, 1.0, out=tmp_path, resume=True) == first and clock.asked == 3
    fitted(clock, demo, 2.0, out=tmp_path, resume=True)
    fitted(clock, demo, 2.0, out=tmp_path, resume=False)
    assert clock.asked == 9
    (tmp_path / SCHEDULE).write_text("{")
    fitted(clock, demo, 2.0, out=tmp_path, resume=True)
    assert clock.asked == 12


@pytest.mark.dear
def test_hours_resume_to_the_same_bytes(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path, monkeypatch: Any
) -> None:
    budget = {"hours": 0.0005, "progress": False}
    with interrupted_after(18 + 4, Run, monkeypatch):  # 18 are timed
        train_network(recipe, out=tmp_path / "broken", **budget)  # type: ignore[arg-type]
    (tmp_path / "whole").mkdir()
    pace = (tmp_path / "broken" / SCHEDULE).read_bytes()
    (tmp_path / "whole" / SCHEDULE).write_bytes(pace)
    results = [
        train_network(recipe, out=tmp_path / name, **budget)  # type: ignore[arg-type]
        for name in ("broken", "whole")
    ]
    files = [result.network_path.read_bytes() for result in results]
    assert files[0] == files[1]


@pytest.mark.dear("single-shared")
@pytest.mark.parametrize("weights", ["shared", "individual"])
@pytest.mark.parametrize("path", ["single", "multi"])
def test_phases_of_widths_are_timed_with_each_network(
    weights: Any, path: Any, on_few_digits: Dataset, tmp_path: Path
) -> None:
    full = load_adaptive_recipe(RECIPES / "cadnn_digits.yaml")
    selection = ByNorm(
        kind="norm", path=path, phase=full.base_phase, penalty=0.1, cost="macs", staircase=None
    )
    recipe = replace(full, selection=selection, weights=weights)
    run = make_adaptive(recipe, on_few_digits, tmp_path)
    names = [name for name, _, _ in run.trials()]
    alone = 4 if weights == "individual" else 1
    assert names.count("base") == 1 and names.count("select") == (3 if path == "multi" else 1)
    assert names.count("quantized") == alone
    chosen = fitted(run, recipe, 0.001, out=tmp_path, resume=False)
    assert list(chosen.schedule) == ["base", "select", *(phase.name for phase in full.phases)]
    assert isinstance(chosen.selection, ByNorm)
    assert chosen.selection.phase.epochs == chosen.schedule["select"].epochs


def make_adaptive(recipe: Any, dataset: Dataset, out: Path) -> AdaptiveRun:
    return AdaptiveRun(
        recipe,
        dataset,
        None,
        out=out,
        device=torch.device("cpu"),
        resume=False,
        bars=Progress(disable=True),
    )
