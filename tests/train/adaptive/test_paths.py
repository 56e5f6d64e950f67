"""Where the channels of modes come from: kept-first order, budgets, one path or many."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.progress import Progress

from hwgen.data import Dataset
from hwgen.train.adaptive import paths
from hwgen.train.adaptive.order import importance
from hwgen.train.adaptive.recipe import AdaptiveRecipe, ByNorm
from hwgen.train.adaptive.run import AdaptiveRun
from hwgen.train.adaptive.widths import uniform
from hwgen.train.network import Network, NormalizedConv

MakeRun = Callable[[AdaptiveRecipe], AdaptiveRun]
STREAMS = ("conv1", "conv2", "conv3")


@pytest.fixture
def make_run(on_few_digits: Dataset, tmp_path: Path) -> MakeRun:
    """Return what makes the run of a recipe."""

    def made(recipe: AdaptiveRecipe) -> AdaptiveRun:
        return AdaptiveRun(
            recipe,
            on_few_digits,
            None,
            out=tmp_path,
            device=torch.device("cpu"),
            resume=False,
            bars=Progress(disable=True),
        )

    return made


def by_norm(recipe: AdaptiveRecipe, path: Any, **phase: Any) -> AdaptiveRecipe:
    """Return a recipe that chooses channels by norm."""
    selection = ByNorm(
        kind="norm",
        path=path,
        phase=replace(recipe.base_phase, **phase),
        penalty=0.5,
        cost="macs",
        staircase=None,
    )
    return replace(recipe, selection=selection, widths=[1.0, 0.5, 0.25])


def factors(network: Network) -> float:
    """Return the sum of the absolute factors of all batch norms."""
    layers = [network.layer(node.name) for node in network.plan.weighted]
    norms = [layer.norm for layer in layers if isinstance(layer, NormalizedConv)]
    return sum(float(norm.weight.abs().sum().detach()) for norm in norms)


@pytest.mark.promise(
    "channels stand in kept-first order, streams tie orders together, and no answer changes"
)
def test_the_base_comes_out_kept_first(adaptive_recipe: AdaptiveRecipe, make_run: MakeRun) -> None:
    run = make_run(adaptive_recipe)
    base = run.base()
    x = run.real(run.test_images[:20])
    with torch.no_grad():
        before = base.eval()(x)
        table = paths.chosen_table(run, base)
        assert torch.allclose(base(x), before, atol=1e-5)
    assert table == uniform(run.plan, adaptive_recipe.widths)
    for name, values in importance(base).items():
        assert (values.diff() <= 0).all(), name
        assert values[0] > values[-1]


def test_what_many_modes_ask_for_comes_first(
    adaptive_recipe: AdaptiveRecipe, make_run: MakeRun, monkeypatch: Any
) -> None:
    run = make_run(by_norm(adaptive_recipe, "multi"))
    base = run.base()
    marks = torch.arange(16.0)
    with torch.no_grad():
        for name in STREAMS:
            layer = base.layer(name)
            assert isinstance(layer, NormalizedConv)
            layer.norm.bias.copy_(marks)
    wide, narrow = torch.zeros(16).double(), torch.zeros(16).double()
    wide[[3, 5, 7]] = torch.tensor([0.5, 0.3, 0.2]).double()
    narrow[[5, 9]] = torch.tensor([0.6, 0.4]).double()
    seen = [dict.fromkeys(STREAMS, wide), dict.fromkeys(STREAMS, narrow)]
    monkeypatch.setattr(paths, "norms_by_mode", lambda *_: seen)
    table = paths.chosen_table(run, base)
    for name in STREAMS:
        layer = base.layer(name)
        assert isinstance(layer, NormalizedConv)
        assert layer.norm.bias[:4].tolist() == [5, 3, 9, 7]
        assert table.channels[name][0] == 16
        assert table.channels[name][1] >= table.channels[name][2]


@pytest.mark.promise(
    "widths are uniform, given, or chosen by norm within multiplications or cycles of a staircase"
)
@pytest.mark.parametrize("path", ["multi", "single"])
def test_many_paths_begin_with_the_base_and_one_goes_on(
    path: str, adaptive_recipe: AdaptiveRecipe, make_run: MakeRun, monkeypatch: Any
) -> None:
    recipe = by_norm(adaptive_recipe, path, epochs=4, learning_rate=0.05, warmup_epochs=0)
    run = make_run(recipe)
    base = run.base()
    whole, starts = factors(base), []
    real_phase = AdaptiveRun.phase

    def phase(run: AdaptiveRun, name: str, network: Any, about: Any) -> None:
        starts.append(factors(network))
        real_phase(run, name, network, about)

    monkeypatch.setattr(AdaptiveRun, "phase", phase)
    assert isinstance(recipe.selection, ByNorm)
    seen = paths.norms_by_mode(run, base, recipe.selection)
    assert len(seen) == len(starts) == 2
    assert starts[0] == pytest.approx(whole)
    # The penalty makes the factors smaller: one path goes on with what it has.
    assert starts[1] == pytest.approx(whole) if path == "multi" else starts[1] < 0.99 * whole
    assert factors(base) == pytest.approx(whole)
    assert all(float(value.sum()) == pytest.approx(1) for one in seen for value in one.values())
