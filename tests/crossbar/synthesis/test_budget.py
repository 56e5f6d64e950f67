"""What a search may spend, in phases that add up to its budget, and what a phase goes on from."""

import pytest

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.synthesis.result import Candidate, Chosen
from hwgen.crossbar.synthesis.state import (
    CLIMBING,
    CLIMBS,
    EFFORT,
    GROWING,
    GROWTH,
    LINEAGES,
    PER_LAYER,
    PHASES,
    PRICED,
    SMALLEST_PIECE,
    Budget,
    Designs,
    RemainingBudget,
    Waiting,
)

TIMES = 6


@pytest.fixture(scope="module")
def network() -> CrossbarNetwork:
    return shipped_network("cifar_alexnet")


def chosen_of(network: CrossbarNetwork, blocks: int) -> Chosen:
    """A design whose convolutions take so many blocks."""
    ones = [1 for _ in network.layers]
    copies = [max(1, -(-layer.pixels // blocks)) for layer in network.layers]
    return Chosen(copies=copies, macros=ones, partner=[-1 for _ in ones], clocks=ones)


def effort_of(network: CrossbarNetwork, blocks: int) -> int:
    """Blocks and layers of such a design."""
    convolutions = [layer.pixels for layer in network.layers if layer.kind == "conv"]
    return sum(min(blocks, pixels) for pixels in convolutions) + PER_LAYER * len(network.layers)


def spent(network: CrossbarNetwork, budget: Budget, blocks: int) -> list[list[int]]:
    """The evaluations of each piece of each phase, if all designs have so many blocks."""
    remaining, phases = RemainingBudget(budget, network), []
    while remaining.begin_phase(more=True):
        pieces = []
        while remaining.annealing:
            pieces.append(remaining.annealed(chosen_of(network, blocks)))
        pieces += [remaining.climbed(chosen_of(network, blocks), TIMES) for _ in range(TIMES)]
        phases.append(pieces)
    return phases


@pytest.mark.promise(
    "a search with more evaluations finds all that one with fewer finds, and proves no less"
)
@pytest.mark.parametrize("count", [1, 8, 9, 4_000, 100_001])
@pytest.mark.parametrize("blocks", [1, 64])
def test_a_budget_pays_for_the_first_pieces_of_a_larger_one(
    network: CrossbarNetwork, count: int, blocks: int
) -> None:
    few, most = (
        [piece for phase in spent(network, budget, blocks) for piece in phase if piece > 0]
        for budget in (Budget(evaluations=count), Budget(evaluations=20 * count))
    )
    assert few == most[: len(few)]
    left, following = count - sum(few), most[len(few) :]
    assert left >= 0 and (not following or left < following[0])


@pytest.mark.parametrize("blocks", [1, 64])
def test_phases_grow_until_the_effort_of_the_default(network: CrossbarNetwork, blocks: int) -> None:
    """The larger the design, the fewer of them; a phase overspends by less than a piece."""
    each = effort_of(network, blocks)
    phases = spent(network, Budget(), blocks)
    assert len(phases) == PHASES
    done = [sum(pieces) * each for pieces in phases]
    piece = max(max(pieces) for pieces in phases) * each
    assert abs(sum(done) - EFFORT) < 2 * piece
    for phase in range(3, PHASES):
        growth = GROWTH if phase < GROWING else 1
        assert done[phase] == pytest.approx(growth * done[phase - 1], rel=0.2)
    climbed = sum(phases[-1][-TIMES:])
    assert climbed == pytest.approx(CLIMBING * sum(phases[-1]), rel=0.1)


def test_pieces_are_worth_a_start(network: CrossbarNetwork) -> None:
    """Twice as many evaluations in each phase that grows, however large a design is."""
    large = chosen_of(network, 1 << 20)
    remaining = RemainingBudget(Budget(), network)
    for phase in range(PHASES):
        assert remaining.begin_phase(more=True)
        assert remaining.annealed(large) >= SMALLEST_PIECE << min(phase, GROWING - 1)
        assert remaining.afresh == (phase in range(GROWING, PHASES, 2))


def test_no_more_phases_than_by_default_where_they_help_nothing(network: CrossbarNetwork) -> None:
    remaining, phases = RemainingBudget(Budget(evaluations=1 << 40), network), 0
    while remaining.begin_phase(more=False):
        phases += 1
    assert phases == PHASES
    assert remaining.begin_phase(more=True)


def test_annealing_keeps_pace_with_nodes(network: CrossbarNetwork) -> None:
    remaining = RemainingBudget(Budget(nodes=10), network)
    assert remaining.begin_phase(more=True)
    assert remaining.annealing_is_due
    assert remaining.annealed(chosen_of(network, 8)) > 0
    assert not remaining.annealing_is_due
    remaining.price(1, PRICED)
    assert remaining.annealing_is_due and remaining.nodes == 0
    assert remaining.begin_phase(more=True) and remaining.nodes == 0


def test_nodes_end_with_what_is_priced(network: CrossbarNetwork) -> None:
    """A phase that grows has more than the one before; nodes are counted besides."""
    remaining, priced = RemainingBudget(Budget(), network), [0]
    while remaining.begin_phase(more=True):
        priced.append(0)
        while remaining.nodes > 0:
            remaining.price(0, 100_000)
            priced[-1] += 100_000
    assert priced[: GROWING + 1] == sorted(priced[: GROWING + 1]) and min(priced[1:]) > 0
    assert sum(priced) == pytest.approx(PRICED, abs=100_000)
    remaining = RemainingBudget(Budget(nodes=2), network)
    assert remaining.begin_phase(more=True) and remaining.nodes == 2
    remaining.split(2)
    assert remaining.begin_phase(more=True) and remaining.nodes == 0


def confirmed(place: int, efficiency: float) -> Candidate:
    """A design with scratchpads of a size."""
    return Candidate(
        point=Point(rram_ratio=None, cell_bits=2, side=256, dac_bits=1),
        chosen=Chosen(copies=[1], macros=[1], partner=[-1], clocks=[1]),
        budget_w=1.0,
        efficiency_gops_per_w=efficiency,
        energy_nj=1.0,
        steps=1,
        step_ns=1.0,
        interval_steps=1,
        peak_w=1.0,
        memory=place,
    )


@pytest.mark.promise(
    "a search goes on from several points and scratchpads, and begins afresh where it would"
    " only repeat itself"
)
def test_the_best_of_each_lineage_come_first() -> None:
    """Not the many of one place that are all a little better than the best of another."""
    designs = Designs()
    for place, efficiency in [(3, 9.0), (3, 8.0), (3, 7.0), (1, 6.0), (1, 5.0), (2, 4.0)]:
        designs.keep(confirmed(place, efficiency))
    assert designs.best == designs.candidates[0]
    found = [(each.memory, each.efficiency_gops_per_w) for each in designs.spread(5)]
    assert found == [(3, 9.0), (1, 6.0), (2, 4.0), (3, 8.0), (1, 5.0)]
    for place in range(4, 4 + LINEAGES):
        designs.keep(confirmed(place, 1.0))
    assert {each.memory for each in designs.spread(100)} == {1, 2, 3, 4}


def test_a_phase_that_begins_afresh_keeps_what_was_found() -> None:
    """It goes on from its own designs, or from all of them where no node points at any other."""
    designs = Designs()
    designs.keep(confirmed(1, 9.0))
    designs.begin_phase(afresh=True)
    assert designs.spread(8) == designs.candidates
    point, design = designs.candidates[0].point, designs.candidates[0].chosen.as_json()
    designs.wait(Waiting(1.0, 1, point, 0, design))
    designs.begin_phase(afresh=True)
    assert designs.spread(8) == []
    assert [start.memory for start in designs.starts(lambda *_: True, 2.0)] == [0]
    designs.keep(confirmed(2, 8.0))
    assert [each.memory for each in designs.spread(8)] == [2]
    assert designs.best is not None and designs.best.memory == 1
    designs.begin_phase(afresh=False)
    assert designs.spread(8) == designs.candidates


def test_fewer_climb_each_time_and_the_best_of_all_in_the_end() -> None:
    designs = Designs()
    for place in range(12):
        designs.keep(confirmed(place % 3, 20.0 - place))
    assert designs.climbers(0) == designs.spread(8) and designs.climbers(1) == designs.spread(4)
    assert designs.climbers(CLIMBS - 1) == designs.candidates[:1]
    designs.wait(Waiting(1.0, 1, designs.candidates[0].point, 0, {}))
    designs.begin_phase(afresh=True)
    designs.keep(confirmed(5, 3.0))
    ends = [(each.memory, each.efficiency_gops_per_w) for each in designs.climbers(CLIMBS - 1)]
    assert ends == [(0, 20.0), (5, 3.0)]
