"""Choosing channels: budgets hold, staircases are filled, the important channels stay."""

from pathlib import Path

import pytest
import torch

from hwgen.errors import ConfigError
from hwgen.train.adaptive.selection import Counts, all_channels, choose_counts, filled, gains
from hwgen.train.adaptive.staircase import cycles_cost, load_staircase, macs_cost
from hwgen.train.adaptive.widths import table_of, uniform
from hwgen.train.models import plan_model
from tests.train.conftest import RECIPES

PLAN = plan_model("adaptive_cnn", (8, 8, 1), 10)
STAIRS = RECIPES / "staircases" / "adaptive_cnn_small.yaml"


def flat() -> dict[str, torch.Tensor]:
    """Return channels that all count the same."""
    return {name: torch.ones(16).double() for name in ("conv1", "conv2", "conv3")}


@pytest.mark.promise(
    "widths are uniform, given, or chosen by norm within multiplications or cycles of a staircase"
)
def test_multiplications_stay_within_the_budget() -> None:
    cost = macs_cost(PLAN)
    budget = cost(uniform(PLAN, [1.0, 0.5]), 1)
    counts = choose_counts(PLAN, flat(), cost, budget, most=all_channels(PLAN))
    table = table_of(PLAN, {"mode": counts})
    assert cost(table, 0) <= budget
    for name in counts:
        # One channel more would not fit.
        more = table_of(PLAN, {"mode": {**counts, name: counts[name] + 1}})
        assert counts[name] == 16 or cost(more, 0) > budget


def test_weak_channels_go_first() -> None:
    values = flat()
    values["conv2"][4:] = 1e-6
    cost = macs_cost(PLAN)
    budget = cost(uniform(PLAN, [1.0, 0.5]), 1)
    counts = choose_counts(PLAN, values, cost, budget, most=all_channels(PLAN))
    assert counts["conv2"] < min(counts["conv1"], counts["conv3"])


def test_modes_are_nested() -> None:
    cost = macs_cost(PLAN)
    most = {"conv1": 3, "conv2": 9, "conv3": 5}
    counts = choose_counts(PLAN, flat(), cost, 10**9, most=most)
    assert counts == most


def test_a_staircase_is_filled() -> None:
    cost = cycles_cost(PLAN, load_staircase(STAIRS))
    budget = cost(uniform(PLAN, [1.0, 0.5]), 1)
    counts = choose_counts(PLAN, flat(), cost, budget, most=all_channels(PLAN))
    assert cost(table_of(PLAN, {"mode": counts}), 0) <= budget
    for name in counts:
        more = table_of(PLAN, {"mode": {**counts, name: counts[name] + 1}})
        assert counts[name] == 16 or cost(more, 0) > budget
    # The chip takes four channels at a time: no count stands inside a step.
    assert all(count % 4 == 0 for count in counts.values())


def test_what_the_budget_allows_is_given_back() -> None:
    cost, most = macs_cost(PLAN), all_channels(PLAN)

    def price(counts: Counts) -> int:
        return cost(table_of(PLAN, {"mode": counts}), 0)

    few = dict.fromkeys(most, 1)
    assert filled(few, gains(PLAN, flat()), price, price(most), most) == most


def test_steps() -> None:
    stairs = load_staircase(STAIRS)
    assert stairs.cycles("conv2", 4, 4) == 469
    assert stairs.cycles("conv2", 3, 1) == 469
    assert stairs.cycles("conv2", 5, 4) == 830
    assert stairs.cycles("other", 99, 99) == 0
    with pytest.raises(ConfigError, match="a step for 17 outputs and 1 inputs"):
        stairs.cycles("conv2", 17, 1)


def test_an_impossible_budget() -> None:
    with pytest.raises(ConfigError, match="selection must be a cost that one channel a layer"):
        choose_counts(PLAN, flat(), macs_cost(PLAN), 100, most=all_channels(PLAN))


def test_the_file_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "stairs.json"
    path.write_text(
        '{"format": "hwgen.staircase", "version": 1,'
        ' "layers": {"a": [{"outputs": 8, "inputs": 8, "cycles": 5}]}}'
    )
    assert load_staircase(path).cycles("a", 8, 1) == 5
    path.write_text('{"format": "hwgen.staircase", "version": 1, "layers": {"a": []}}')
    with pytest.raises(ConfigError, match="at least 1 long"):
        load_staircase(path)
