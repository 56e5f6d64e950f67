"""Weight duplication: energies by hand, budgets kept, the same seed the same answer."""

import math

import numpy as np
import pytest
from hwgen_studies.pimsyn_paper.published_search.annealing import (
    CopiesProblem,
    Variant,
    anneal,
    code_energy,
    copies_problem,
    holds_weights,
    proportional,
    rounding_w,
    single,
    text_energy,
    used_by,
)

from hwgen.crossbar.facts.rules import STRICT
from studies.tests.pimsyn_paper.published_search.cases import ALEXNET, DENSE, SMALL, tables_of

VARIANTS: tuple[Variant, ...] = ("text", "code")
WATTS = 49.0


def by_hand(**given: object) -> CopiesProblem:
    """Return two layers: 4 and 10 crossbars a copy, 100 and 36 positions.

    The first reads windows of 3 x 3 x 3 and writes 16 channels, the second 4 x 4 x 9 and 32.
    """
    fields: dict[str, object] = {
        "layer": np.array([0, 1]),
        "sets": np.array([4, 10]),
        "pixels": np.array([100, 36]),
        "volume": np.array([27.0 + 16, 144.0 + 32]),
        "budget": 40,
        "below": math.inf,
        "above": 0.0,
    }
    return CopiesProblem(**{**fields, **given})  # type: ignore[arg-type]


def copies(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_energy_of_the_text_is_equation_4() -> None:
    # Steps 100/4 = 25 and 36/2 = 18: mean 21.5, deviation sqrt(2 * 3.5**2 / 1) = 4.949747.
    # Access 4 * 43 = 172 and 2 * 176 = 352: mean 262, deviation sqrt(2 * 90**2 / 1) = 127.279221.
    energy = text_energy(by_hand(), copies(4, 2), 0.01)
    assert energy == pytest.approx(4.949747 + 0.01 * 127.279221, abs=1e-5)


def test_energy_of_one_layer_has_no_deviation() -> None:
    fields = by_hand()._asdict()
    one = CopiesProblem(**{k: v[:1] if isinstance(v, np.ndarray) else v for k, v in fields.items()})
    assert text_energy(one, copies(4), 0.01) == 0.0


@pytest.mark.parametrize(
    ("given", "energy"),
    [
        ((4, 2), 25.0),  # 100 / 4 against 36 / 2
        ((3, 1), 36.0),
        ((7, 3), 15.0),  # 14.3 rounded up
        ((3, 5), 34.0),  # 3 is 0.6 of 5
        ((2, 4), math.inf),  # 2 is less
    ],
)
def test_energy_of_the_code_is_the_most_blocks(given: tuple[int, int], energy: float) -> None:
    assert code_energy(by_hand(), copies(*given)) == energy


def test_the_problem_is_that_of_the_sheet() -> None:
    tables = tables_of(ALEXNET, power_w=WATTS)
    problem = copies_problem(tables, 0.3, "code", audited=False)
    assert problem.sets.tolist() == [16, 56, 112, 112, 72]
    assert problem.budget == 12250 - (4608 + 2048 + 512)
    assert problem.above == problem.below == (16 + 56 + 112 + 112 + 72) / 5
    assert problem.volume.tolist()[0] == 11 * 11 * 3 + 64
    text = copies_problem(tables, 0.3, "text", audited=False)
    assert (text.budget, text.above, text.below) == (problem.budget, 0.0, math.inf)


def test_an_audit_leaves_room_for_rounding_and_for_the_window() -> None:
    tables = tables_of(ALEXNET, power_w=WATTS)
    crossbar_w = 12e-4
    for variant in VARIANTS:
        raw = copies_problem(tables, 0.3, variant, audited=False)
        kept = copies_problem(tables, 0.3, variant, audited=True)
        spare = (raw.budget - kept.budget) * crossbar_w
        assert spare >= rounding_w(tables) + raw.above * crossbar_w - 1e-9
        assert spare < rounding_w(tables) + (raw.above + 2) * crossbar_w


def test_strict_rules_round_by_themselves() -> None:
    tables = tables_of(ALEXNET, power_w=WATTS, rules=STRICT)
    raw = copies_problem(tables, 0.3, "text", audited=False)
    assert copies_problem(tables, 0.3, "text", audited=True).budget == raw.budget


def test_proportional_copies_go_by_positions_and_fit() -> None:
    tables = tables_of(ALEXNET, power_w=WATTS)
    problem = copies_problem(tables, 0.3, "text", audited=True)
    found = proportional(problem)
    assert used_by(problem, found) <= problem.budget
    assert used_by(problem, found) > problem.budget - 2 * problem.sets.max()
    assert np.allclose(found / found[0], problem.pixels / problem.pixels[0], atol=0.02)


@pytest.mark.parametrize(
    ("budget", "fits"), [(13, (False, False)), (14, (True, False)), (15, (True, True))]
)
def test_the_code_wants_a_crossbar_left_over(budget: int, fits: tuple[bool, bool]) -> None:
    problem = by_hand(budget=budget)
    assert tuple(holds_weights(problem, variant) for variant in VARIANTS) == fits
    assert single(problem).tolist() == [1, 1]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("watts", [0.4, 1.0])
def test_every_candidate_keeps_to_the_crossbars(variant: Variant, watts: float) -> None:
    problem = copies_problem(tables_of(SMALL, power_w=watts), 0.3, variant, audited=True)
    assert holds_weights(problem, variant)
    found = anneal(problem, variant, candidates=12, seed=3, place=(0,))
    assert found
    for each in found:
        over = used_by(problem, each) - problem.budget
        assert over <= problem.above
        assert (each >= 1).all()
        assert (each <= problem.pixels).all()


def test_the_text_hands_on_the_lowest_energies_each_once() -> None:
    problem = copies_problem(tables_of(ALEXNET, power_w=WATTS), 0.3, "text", audited=True)
    found = anneal(problem, "text", candidates=30, seed=1, place=(0,), alpha=0.001)
    energies = [text_energy(problem, each, 0.001) for each in found]
    assert len(found) == len({tuple(each) for each in found}) == 30
    assert energies == sorted(energies)
    assert energies[-1] < text_energy(problem, proportional(problem), 0.001)


def test_the_code_hands_on_final_states_of_chains() -> None:
    problem = copies_problem(tables_of(ALEXNET, power_w=WATTS), 0.3, "code", audited=True)
    found = anneal(problem, "code", candidates=4, seed=1, place=(0,))
    more = anneal(problem, "code", candidates=10, seed=1, place=(0,))
    assert len(more) == 10
    assert [each.tolist() for each in more[:4]] == [each.tolist() for each in found]
    for each in more:
        assert -problem.below <= used_by(problem, each) - problem.budget <= problem.above
        assert code_energy(problem, each) < math.inf


@pytest.mark.parametrize("variant", VARIANTS)
def test_seed_and_place_decide(variant: Variant) -> None:
    problem = copies_problem(tables_of(ALEXNET, power_w=WATTS), 0.3, variant, audited=True)

    def found(seed: int, place: int) -> list[list[int]]:
        every = anneal(problem, variant, candidates=10, seed=seed, place=(0, place))
        return [each.tolist() for each in every]

    assert found(1, 0) == found(1, 0)
    if variant == "code":  # the lowest energies are the same ones from everywhere
        assert found(1, 0) != found(2, 0)
        assert found(1, 0) != found(1, 1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_convolutions_there_is_nothing_to_duplicate(variant: Variant) -> None:
    problem = copies_problem(tables_of(DENSE, power_w=1.0), 0.3, variant, audited=True)
    assert holds_weights(problem, variant)
    assert [
        each.tolist() for each in anneal(problem, variant, candidates=10, seed=1, place=(0,))
    ] == [[]]
