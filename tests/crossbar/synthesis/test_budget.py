"""What a search may spend: phases that add up to its budget, in pieces that do not depend on it."""

import pytest

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.synthesis.result import Chosen
from hwgen.crossbar.synthesis.state import (
    CLIMBING,
    EFFORT,
    GROWTH,
    PER_LAYER,
    PHASES,
    PRICED,
    SMALLEST_PIECE,
    Budget,
    Purse,
)

CLIMBS = 6


@pytest.fixture(scope="module")
def network() -> CrossbarNetwork:
    return shipped_network("cifar_alexnet")


def chosen_of(network: CrossbarNetwork, blocks: int) -> Chosen:
    """A design whose convolutions take so many blocks."""
    ones = [1 for _ in network.layers]
    copies = [max(1, -(-layer.pixels // blocks)) for layer in network.layers]
    return Chosen(copies=copies, macros=ones, mate=[-1 for _ in ones], clocks=ones)


def effort_of(network: CrossbarNetwork, blocks: int) -> int:
    """Blocks and layers of such a design."""
    convolutions = [layer.pixels for layer in network.layers if layer.kind == "conv"]
    return sum(min(blocks, pixels) for pixels in convolutions) + PER_LAYER * len(network.layers)


def spent(network: CrossbarNetwork, budget: Budget, blocks: int) -> list[list[int]]:
    """The evaluations of each piece of each phase, if all designs have so many blocks."""
    purse, phases = Purse(budget, network), []
    while purse.begin_phase(more=True):
        pieces = []
        while purse.annealing:
            pieces.append(purse.annealed(chosen_of(network, blocks)))
        pieces += [purse.climbed(chosen_of(network, blocks), CLIMBS) for _ in range(CLIMBS)]
        phases.append(pieces)
    return phases


@pytest.mark.parametrize("count", [1, 8, 9, 4_000, 100_001])
@pytest.mark.parametrize("blocks", [1, 64])
def test_a_budget_pays_for_the_first_pieces_of_a_larger_one(
    network: CrossbarNetwork, count: int, blocks: int
) -> None:
    few = sum(spent(network, Budget(evaluations=count), blocks), [])
    most = sum(spent(network, Budget(evaluations=20 * count), blocks), [])
    done = [piece for piece in few if piece > 0]
    assert done == [piece for piece in most if piece > 0][: len(done)]
    left = count - sum(done)
    following = [piece for piece in most if piece > 0][len(done) :]
    assert 0 <= left and (not following or left < following[0])


@pytest.mark.parametrize("blocks", [1, 64])
def test_phases_grow_until_the_effort_of_the_default(network: CrossbarNetwork, blocks: int) -> None:
    """The larger the design, the fewer of them; a phase overspends by less than a piece."""
    each = effort_of(network, blocks)
    phases = spent(network, Budget(), blocks)
    assert len(phases) == PHASES
    done = [sum(pieces) * each for pieces in phases]
    piece = max(max(pieces) for pieces in phases) * each
    assert abs(sum(done) - EFFORT) < 2 * piece
    for before, after in zip(done[2:], done[3:], strict=False):
        assert after == pytest.approx(GROWTH * before, rel=0.2)
    climbed = sum(phases[-1][-CLIMBS:])
    assert climbed == pytest.approx(CLIMBING * sum(phases[-1]), rel=0.1)


def test_pieces_are_worth_a_start(network: CrossbarNetwork) -> None:
    """Twice as many evaluations in each phase, however large a design is."""
    large = chosen_of(network, 1 << 20)
    purse = Purse(Budget(), network)
    for phase in range(3):
        assert purse.begin_phase(more=True)
        assert purse.annealed(large) >= SMALLEST_PIECE << phase


def test_no_more_phases_than_by_default_where_they_help_nothing(network: CrossbarNetwork) -> None:
    purse, phases = Purse(Budget(evaluations=1 << 40), network), 0
    while purse.begin_phase(more=False):
        phases += 1
    assert phases == PHASES
    assert purse.begin_phase(more=True)


def test_annealing_keeps_pace_with_nodes(network: CrossbarNetwork) -> None:
    purse = Purse(Budget(nodes=10), network)
    assert purse.begin_phase(more=True)
    assert purse.annealing_is_due
    assert purse.annealed(chosen_of(network, 8)) > 0
    assert not purse.annealing_is_due
    purse.price(1, PRICED)
    assert purse.annealing_is_due and purse.nodes == 0
    assert purse.begin_phase(more=True) and purse.nodes == 0


def test_nodes_end_with_what_is_priced(network: CrossbarNetwork) -> None:
    """A phase has more than the one before, all have what there is; nodes are counted besides."""
    purse, priced = Purse(Budget(), network), [0]
    while purse.begin_phase(more=True):
        priced.append(0)
        while purse.nodes > 0:
            purse.price(0, 100_000)
            priced[-1] += 100_000
    assert priced == sorted(priced)
    assert sum(priced) == pytest.approx(PRICED, abs=100_000)
    purse = Purse(Budget(nodes=2), network)
    assert purse.begin_phase(more=True) and purse.nodes == 2
    purse.split(2)
    assert purse.begin_phase(more=True) and purse.nodes == 0
