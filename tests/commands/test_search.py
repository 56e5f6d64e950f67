"""A search predicts different chips within its limits, and comes near the best ones."""

import math
from collections.abc import Sequence

import pytest

from hwgen.commands.search import MOST_DRAWN, Candidate, Search, Values

AXES = {"a": [1, 2, 4, 8, 16], "b": [1, 2, 4, 8, 16], "c": [1, 2, 4, 8], "d": [True, False]}
FIRST = {"a": 1, "b": 4, "c": 2, "d": True}
MOST = 100.0


class Made:
    """Chips whose area and objective are formulas; `asked` are those that were predicted."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.asked: list[Values] = []
        self.refuses = refuses

    def candidate(self, values: Values) -> Candidate | None:
        if values["a"] == values["c"] == 8:
            return None
        area = values["a"] * values["b"] * (1 + values["c"])
        key = f"{values['a']} {values['b']} {values['c']}"
        return Candidate(key=key, area_mm2=area, outside=max(0.0, math.log(area / MOST)))

    def predict(self, chips: Sequence[Values]) -> list[float | None]:
        self.asked += chips
        return [
            None if values["b"] == self.refuses else 1e4 / (values["a"] * values["b"] ** 0.5)
            for values in chips
        ]

    def search(self, points: int, seed: int = 1) -> Search:
        return Search(
            axes=AXES,
            first=FIRST,
            candidate=self.candidate,
            predict=self.predict,
            points=points,
            seed=seed,
        )


@pytest.mark.parametrize("seed", range(3))
def test_different_chips_within_the_limits_are_predicted(seed: int) -> None:
    made = Made()
    search = made.search(30, seed)
    search.run()
    assert made.asked[0] == FIRST
    chips = [made.candidate(values) for values in made.asked]
    assert all(chip is not None and not chip.outside for chip in chips)
    assert len({chip.key for chip in chips if chip}) == len(chips) == len(search.found) == 30
    assert search.drawn < 150  # it does not draw the same chips again and again
    best = 1e4 / (16 * 2**0.5)  # a=16, b=2, c=1: 64 of at most 100
    assert min(each for each in search.found.values() if each) <= 1.5 * best


def test_the_same_seed_gives_the_same_search() -> None:
    one, same, other = Made(), Made(), Made()
    one.search(24).run()
    same.search(24).run()
    other.search(24, seed=2).run()
    assert one.asked == same.asked != other.asked


@pytest.mark.dear
def test_a_search_that_is_led_is_better_than_one_that_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of few draws among many, by what it has seen."""

    def mean(seeds: range) -> float:
        total = 0.0
        for seed in seeds:
            made = Made()
            search = made.search(24, seed)
            search.run()
            total += sum(math.log(each) for each in search.found.values() if each)
        return total

    monkeypatch.setattr("hwgen.commands.search.FIRST_DRAWN", 8)
    led = mean(range(2))
    monkeypatch.setattr("hwgen.commands.search.FIRST_DRAWN", 100000)
    assert led < mean(range(2))


def test_a_search_ends_where_no_other_chip_is_left() -> None:
    made = Made()
    search = made.search(12)
    search.axes = {"a": [1, 2], "b": [1, 4], "c": [1, 2], "d": [True]}
    search.run()
    assert search.drawn == MOST_DRAWN * 12
    assert len(search.found) == 8 == len(made.asked)


def test_chips_that_refuse_a_network_are_left_alone() -> None:
    made = Made(refuses=4)
    search = made.search(30)
    search.run()
    refused = [key for key, objective in search.found.items() if objective is None]
    assert 0 < len(refused) < 15
