"""What a search may spend: counts that add up, whatever the designs are."""

import pytest

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.synthesis.result import Chosen
from hwgen.crossbar.synthesis.state import (
    CLIMBING,
    EFFORT,
    LEAST_SHARE,
    PER_LAYER,
    PIECES,
    SUITING,
    Budget,
    Purse,
)


@pytest.fixture(scope="module")
def network() -> CrossbarNetwork:
    return shipped_network("cifar_alexnet")


def chosen_of(network: CrossbarNetwork, blocks: int) -> Chosen:
    """A design whose convolutions take so many blocks."""
    ones = [1 for _ in network.layers]
    copies = [max(1, -(-layer.pixels // blocks)) for layer in network.layers]
    return Chosen(copies=copies, macros=ones, mate=[-1 for _ in ones], clocks=ones)


@pytest.mark.parametrize("count", [1, 3, 4_000, 100_001])
@pytest.mark.parametrize("starts", [1, 4])
def test_all_evaluations_are_spent_and_no_more(
    network: CrossbarNetwork, count: int, starts: int
) -> None:
    purse = Purse(Budget(evaluations=count), network)
    spent = 0
    while purse.annealing:
        spent += sum(purse.evaluations(chosen_of(network, 8), starts - n) for n in range(starts))
        assert spent <= count
    share = max(LEAST_SHARE, min(1, count / SUITING))
    assert spent == count - int(CLIMBING * share * count)
    assert spent + starts * purse.climbing(chosen_of(network, 8), starts) <= count


def test_by_default_a_design_of_many_blocks_is_evaluated_less_often(
    network: CrossbarNetwork,
) -> None:
    """As often as fits into the same effort: a block of its convolutions, and some for layers."""
    convolutions = [layer.pixels for layer in network.layers if layer.kind == "conv"]
    counts = []
    for blocks in (1, 64):
        purse = Purse(Budget(), network)
        count = purse.evaluations(chosen_of(network, blocks), 1)
        done = sum(min(blocks, pixels) for pixels in convolutions)
        each = done + PER_LAYER * len(network.layers)
        assert count == (EFFORT - int(CLIMBING * EFFORT)) // PIECES // each
        assert 0 < 6 * purse.climbing(chosen_of(network, blocks), 6) * each <= CLIMBING * EFFORT
        counts.append(count)
    assert counts[0] > 1.1 * counts[1]


def test_annealing_keeps_pace_with_nodes(network: CrossbarNetwork) -> None:
    purse = Purse(Budget(evaluations=2_000, nodes=10), network)
    assert purse.annealing_is_due
    taken = purse.evaluations(chosen_of(network, 8), 1)
    assert 0 < taken < 1_000
    assert not purse.annealing_is_due
    purse.split(9)
    assert purse.annealing_is_due and purse.nodes == 1
    purse.split(1)
    assert purse.nodes == 0


def test_nodes_end_with_what_is_priced(network: CrossbarNetwork) -> None:
    """Fewer evaluations leave less for nodes; with a count of nodes only that counts."""
    left = []
    for evaluations in (None, 25_000, 100):
        purse, priced = Purse(Budget(evaluations=evaluations), network), 0
        while purse.nodes > 0:
            purse.price(1, 1_000_000)
            priced += 1
        left.append(priced)
    assert left[0] > 1.9 * left[1] > 2 * left[2] > 0
    purse = Purse(Budget(nodes=2), network)
    purse.price(1, 1 << 40)
    assert purse.nodes == 2
