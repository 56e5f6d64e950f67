"""Paths through a design: no longer than its image, whoever they hold for."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.design import Design
from hwgen.crossbar.model.evaluate import simulate
from hwgen.crossbar.model.tables import Floats, make_tables
from hwgen.crossbar.synthesis.limits import ALONE, Mixed, path_lengths
from hwgen.crossbar.synthesis.paths import Cut, turn_cut, waiting
from hwgen.crossbar.synthesis.pricing import make_turns
from tests.crossbar.model.designs import COMPONENTS
from tests.crossbar.model.layers import conv, pool
from tests.crossbar.synthesis.judged import Judged, judged, neighbours_of, small
from tests.crossbar.synthesis.rows import (
    BATCHES,
    SHARES,
    behind_of,
    chosen_rows,
    is_near,
    pace_of,
    weighted,
)

ROUNDING = 1e-9


@pytest.mark.dear("batch0-published")
@pytest.mark.promise("no design beats the bound of a node that holds it")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("batch", BATCHES)
def test_paths_are_no_longer_than_the_image(rules: Rules, batch: range) -> None:
    """The paths of other designs too, and with the least steps of a choice as with its own."""
    for given in small(rules, batch):
        end = given.times.end
        cuts = [given.cut, *(each.cut for each in neighbours_of(given))]
        for cut in cuts:
            assert length_at(given, cut) <= end, given.name
            for share in SHARES:
                rows = given.choices(share)
                chosen = chosen_rows(given, rows)
                lengths, spared = path_lengths(given.tables, rows, cut)
                steps = cut.fixed + sum(lengths[c] for c in chosen.values())
                steps -= sum(spared[c] for i, c in chosen.items() if is_near(given, i))
                assert steps <= end, given.name


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("batch", BATCHES)
def test_paths_that_hold_for_some(rules: Rules, batch: range) -> None:
    """Around any two layers that wait for each other, and of any layer that is slow or is not."""
    around = slow = met = 0
    for given in small(rules, batch):
        rng = np.random.default_rng(batch.start)
        mixed = as_mixture(given, 0.02)
        waits = waiting(given.tables)
        layers = weighted(given.tables)
        for other in (given, *neighbours_of(given)):
            way = other.way
            pairs = [(i, j) for n, i in enumerate(layers) for j in layers[n + 1 :] if waits[j, i]]
            for i, j in pairs:
                cut = turn_cut(way, i, j)
                cut = cut._replace(reach=reach_of(mixed, cut, rng))
                assert mixed.excess_of(cut) <= ROUNDING, (given.name, i, j)
                around += 1
                met += int(given.design.partner[i] == j)
            for i in layers:
                if other.cut.leave[i] > 0:
                    least = given.cost.steps * float(rng.random())
                    cut = other.cut._replace(one=i, least=least)
                    cut = cut._replace(reach=reach_of(mixed, cut, rng))
                    assert mixed.excess_of(cut) <= ROUNDING, (given.name, i)
                    slow += 1
    assert around > 0 and slow > 0 and met > 0


def as_mixture(given: Judged, share: float) -> Mixed:
    """A design as the solution of a relaxed problem."""
    rows, node, partners = given.choices(share), given.node(share), given.design.partner
    chosen = chosen_rows(given, rows)
    owners = [i for i in chosen if not 0 <= partners[i] < i]
    own = np.array([chosen[i] for i in owners])
    partner = np.array([chosen[partners[i]] if partners[i] >= 0 else ALONE for i in owners])
    turns = make_turns(given.tables, rows)
    return Mixed(given.tables, node, rows, turns, own, partner, np.ones(len(own)))


def reach_of(mixed: Mixed, cut: Cut, rng: np.random.Generator) -> Floats:
    """Steps near those of the layers on a path: some more, some less."""
    lengths, _ = path_lengths(mixed.tables, mixed.choices, cut)
    reach = np.zeros(len(cut.leave))
    for i in np.flatnonzero(cut.leave):
        reach[i] = lengths[mixed.span(int(i))].max() * rng.choice([0.5, 1.0, 2.0])
    return reach


def length_at(given: Judged, cut: Cut) -> int:
    """Steps of a path at a design's own blocks and pace, as the definition of a path has it."""
    steps = cut.fixed
    for i in weighted(given.tables):
        if cut.leave[i] > 0:
            per_block, through = pace_of(given, i)
            first, last = blocks_on(given, cut, i)
            steps += (last - first) * per_block + through
            steps += behind_of(given, i) if cut.past[i] else 0
    return int(steps)


def blocks_on(given: Judged, cut: Cut, i: int) -> tuple[int, int]:
    """First block of a layer that waits for what a path comes from, and the one that it leaves."""
    tables, copies = given.tables, int(given.layout.copies[i])
    last = -(-int(cut.leave[i]) // copies) - 1
    if cut.wait[i] == 0:
        return 0, last
    ends = np.minimum(np.arange(1, last + 2) * copies, tables.pixels[i])
    needed = tables.last_pixel[tables.window_start[i] : tables.window_start[i + 1]][ends - 1]
    return int(np.flatnonzero(needed >= cut.wait[i])[0]), last


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("batch", BATCHES)
def test_turns_at_common_adcs(rules: Rules, batch: range) -> None:
    """Before its first conversion and after its last one a layer waits for others."""
    for given in small(rules, batch):
        tables, layout, design = given.tables, given.layout, given.design
        turns = make_turns(tables, given.choices(0.02))
        step_ns, memory = given.cost.step_ns, given.cost.memory
        times = simulate(tables, design, layout, memory, step_ns, True)
        for i in weighted(tables):
            adc = times.adc[times.block_start[i] : times.block_start[i + 1]]
            over = adc[-1] + tables.bit_steps * design.clocks[i]
            assert turns.head[i] <= adc[0], given.name
            assert turns.tail[i] <= times.end - over, given.name


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_a_path_that_nobody_waits_for(rules: Rules) -> None:
    """A stride leaves out the last row, which then ends the image; its stores are slow."""
    layers = (
        conv("one", (), (3, 300), (6, 6), window=(3, 1, 1)),
        pool("two", (0,), 300, (6, 3), window=(1, 2, 0)),
    )
    network = CrossbarNetwork(
        name="left out", input_channels=3, input_side=6, layers=layers, fused_activations=False
    )
    pads = COMPONENTS.scratchpads
    slow = tuple(replace(one, latency_ns=40 * one.latency_ns) for one in pads.capacities)
    components = replace(COMPONENTS, scratchpads=replace(pads, capacities=slow))
    point = next(each for each in points(components, rules) if each.side == 128)
    tables = make_tables(network, components, point, 1000.0, rules)
    none = np.full(2, -1)
    ones = np.ones(2, np.int64)
    given = judged("left out", tables, Design(np.array([3, 1]), ones, none, ones))
    assert given is not None
    times = given.times
    assert times.done[11] > times.done[-1], "the first layer is through after the second"
    assert length_at(given, given.cut) <= times.end
