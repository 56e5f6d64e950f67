"""Tiny designs whose every figure is worked out in the test."""

from dataclasses import replace

import pytest

from golden.crossbar.ir import Node
from hwgen.crossbar.facts.layout import Choice
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.evaluate import evaluate
from tests.crossbar.model.designs import COMPONENTS, case_of, compiled_of
from tests.crossbar.model.layers import conv, fc, layer, pool
from verif.reference.crossbar import Case, Evaluation
from verif.reference.crossbar import evaluate as evaluate_by_the_book

POINT = Point(rram_ratio=0.5, cell_bits=2, side=128, dac_bits=1)
"""ADCs of 8 bits, 8 cells a weight, 16 bit steps."""


LARGE = replace(
    COMPONENTS,
    scratchpads=replace(
        COMPONENTS.scratchpads,
        capacities=COMPONENTS.scratchpads.to_choose_from(published=True),
    ),
)
"""The constants without small scratchpads."""


def case(
    layers: tuple[CrossbarLayer, ...],
    *,
    rules: Rules = PUBLISHED,
    power_w: float = 100.0,
    point: Point = POINT,
    copies: tuple[int, ...] = (),
    macros: tuple[int, ...] = (),
    partner: tuple[int, ...] = (),
    clocks: tuple[int, ...] = (),
) -> Case:
    side = layers[0].in_side
    network = CrossbarNetwork(name="tiny", input_channels=3, input_side=side, layers=layers)
    count = len(layers)
    choice = Choice(
        copies=copies or (1,) * count,
        macros=macros or tuple(int(one.has_weights) for one in layers),
        partner=partner or (-1,) * count,
        clocks=clocks or (1,) * count,
    )
    return case_of(network, point, power_w, rules, choice, components=LARGE)


def agreed(one: Case) -> Evaluation:
    """Evaluate by both evaluators, which must agree."""
    found = evaluate_by_the_book(one)
    cost = evaluate(*compiled_of(one), True)
    assert cost.efficiency == pytest.approx(found.efficiency, rel=1e-12)
    assert (cost.steps, cost.interval) == (found.steps, found.interval)
    return found


ONE = (conv("one", (), (3, 10), (4, 4), window=(3, 1, 1), activation="none"),)


def test_steps_of_one_layer() -> None:
    """Load, MVM, ADC, shift-add, addition, store; 16 bits in a row; 4 blocks of 4 pixels.

    Block 0 loads in step 0, its bits enter crossbars in steps 1 to 16, ADCs from 2, shift-add from
    3 to 18, addition 19, store 20. A block follows after 16 steps. The last store starts in step
    20 + 3 * 16 = 68: 69 steps until it is over. Strict: the image comes before the load, and a
    requantization before the store, two steps more; then the results leave the chip in one.
    """
    for rules, first, stored in ((PUBLISHED, 0, 69), (STRICT, 1, 71)):
        found = agreed(case(ONE, copies=(4,), rules=rules))
        starts = [found.starts[Node(0, 0, first + place, 0)] - first for place in range(5)]
        assert starts == [0, 1, 2, 3, 19]
        assert found.starts[Node(0, 0, first + 1, 15)] == first + 16
        last = 5 + 2 * first
        assert found.starts[Node(0, 0, last, 0)] == stored - 49
        assert [found.starts[Node(0, cnt, last, 0)] for cnt in range(4)] == [
            stored - 49 + 16 * cnt for cnt in range(4)
        ]
        assert found.steps == stored + first
        assert found.interval == 64


def test_energy_of_one_layer() -> None:
    """27 rows, a crossbar of 8 cells a weight each: 8 crossbars a copy, 4 copies, 4 blocks.

    In one macro: DACs 4 * 27 * 8 = 864; 4 * 8 * 10 = 320 conversions by ceil(320 / 100) = 4 ADCs; a
    vector of 10 columns for each slice and copy, 32, by ceil(32 / 25) = 2 shift-adds; these, and
    the sums of 128 inputs of 4 units in 4 vectors each, are 48 additions by ceil(48 / 10) = 5; 4
    requantizations by 1 unit. Time 72 * 100 ns.
    """
    found = agreed(case(ONE, copies=(4,), rules=STRICT))
    assert found.step_ns == 100
    assert found.counts == [{"dac": 864, "adc": 4, "shift_add": 2, "addition": 5, "relu": 1}]
    static_w = 864 * 0.8e-6 + 4 * 0.4e-3 + (2 + 5 + 1) * 0.2e-4
    works = 64 * (864 * 3 * 3.1e-6 + 320 * 1 * 1.6e-3 + 32 * 4 * 0.8e-4)
    works += 4 * (48 * 10 + 4 * 4) * 0.8e-4
    assert found.energy["components"] == pytest.approx(static_w * 7200 + works)
    crossbars = 32 * (0.3e-4 * 7200 + 2.7e-4 * 100 * 4 * 16)
    assert found.energy["crossbars"] == pytest.approx(crossbars)
    # Of each copy 3 runs of 9 elements in 2 words of 64 each; 40 results in 2, written and read to
    # leave the chip; the image in 1.
    accesses = 4 * ((4 * 3 * 2 + 2) * 0.038402 + 2 * 0.040144) + 0.040144
    assert found.energy["accesses"] == pytest.approx(accesses)
    assert found.energy["leakage"] == pytest.approx(13.6025e-3 * 7200)
    assert found.energy["mesh"] == pytest.approx(0.104 * 7200)
    assert found.efficiency == pytest.approx(2 * 27 * 10 * 16 / sum(found.energy.values()))


def test_published_accesses_of_one_layer() -> None:
    """864 elements of 16 bits are 13.5 accesses, 40 are less than one."""
    found = agreed(case(ONE, copies=(4,)))
    assert found.energy["accesses"] == pytest.approx(4 * (14 * 0.038402 + 1 * 0.040144))


def test_peak_power_of_one_layer() -> None:
    """Crossbars, parts, one scratchpad that leaks and is written in every clock, the mesh."""
    parts = 864 * 3.9e-6 + 4 * 2.0e-3 + (2 + 5 + 1) * 1.0e-4
    peak = 32 * 3.0e-4 + parts + 13.6025e-3 + 0.040144 + 0.104
    assert agreed(case(ONE, copies=(4,), rules=STRICT)).peak_w == pytest.approx(peak)
    published = agreed(case(ONE, copies=(4,)))
    counts = published.counts[0]
    parts = 864 * 3.9e-6 + counts["adc"] * 2.0e-3
    parts += (counts["shift_add"] + counts["addition"]) * 1.0e-4
    assert published.peak_w == pytest.approx(32 * 3.0e-4 + parts + 13.6025e-3 + 0.104)


def test_published_counts_spend_the_budget() -> None:
    """Half of 2 W, less 13.6025 mW and 104 mW, less the DACs, in proportion to watts of work.

    W at 1 ns: 4096 * 2 mW + 128 / 0.25 * 0.1 mW + 1 / 0.1 * 0.1 mW (the published addition forgets
    the channels), 8.192 + 0.0512 + 0.001 W; 0.8790279 W are left of the budget.
    """
    found = agreed(case(ONE, copies=(4,), rules=PUBLISHED, power_w=2.0))
    left = 1.0 - 13.6025e-3 - 0.104 - 864 * 3.9e-6
    assert left == pytest.approx(0.8790279)
    scale = (8.192 + 0.0512 + 0.001) / left
    assert found.counts == [{"dac": 864, "adc": 437, "shift_add": 55, "addition": 2}]
    assert 436 < 4096 / scale < 437 and 54 < 128 / 0.25 / scale < 55 and 1 < 10 / scale < 2
    assert found.step_ns == 100


def test_a_small_budget_makes_long_steps() -> None:
    """What is left for 320 conversions buys 2 ADCs and no more: a step of 160 ns.

    In that, 3 additions do 48 of 10 ns each, and a shift-add and a requantization do the others.
    """
    fixed = 32 * 3.0e-4 + 864 * 3.9e-6 + 13.6025e-3 + 0.040144 + 0.104
    power_w = fixed + 2 * 2.0e-3 + 5 * 1.0e-4 + 1e-6
    found = agreed(case(ONE, copies=(4,), power_w=power_w, rules=STRICT))
    assert found.counts == [{"dac": 864, "adc": 2, "shift_add": 1, "addition": 3, "relu": 1}]
    assert found.step_ns == 160
    nothing = case(ONE, copies=(4,), power_w=fixed + 2.0e-3, rules=STRICT)
    assert evaluate_by_the_book(nothing).failure == "power"
    assert evaluate(*compiled_of(nothing), True).failure == 1


def test_a_fully_connected_layer_takes_its_time() -> None:
    """100 inputs in one crossbar a cell; 3 clocks a bit step: each of 16 bits takes 3 steps.

    Image 0, load 1, MVM 2, ADC 5, shift-add 8, addition 8 + 48 = 56, requantization 59, store 60,
    result 61, over in 62. ADCs: 8 * 10 conversions in 300 ns are 1.
    """
    layers = (fc("one", (), (100, 10), activation="none"),)
    found = agreed(case(layers, clocks=(3,), rules=STRICT))
    assert [found.starts[Node(0, 0, at, 0)] for at in range(9)] == [0, 1, 2, 5, 8, 56, 59, 60, 61]
    assert found.steps == 62
    assert found.counts[0]["adc"] == 1
    assert found.counts[0]["dac"] == 800


PAIR = (
    conv("one", (), (3, 10), (4, 4), window=(1, 1, 0), activation="none"),
    conv("two", (), (3, 10), (4, 4), window=(1, 1, 0), activation="none"),
)


def test_two_layers_share_adcs() -> None:
    """Both read the image; the later layer goes first at the link, and multiplies from step 2 on.

    A layer asks before it multiplies: the first one's bits enter crossbars in step 18, so that its
    conversions begin in step 19, behind those of the later one in steps 3 to 18.
    """
    found = agreed(case(PAIR, copies=(4, 4), macros=(1, 0), partner=(1, 0), rules=STRICT))
    assert [found.starts[Node(place, 0, 2, 0)] for place in (0, 1)] == [18, 2]
    assert [found.starts[Node(place, 0, 3, 0)] for place in (0, 1)] == [19, 3]
    assert found.interval == 2 * 4 * 16
    assert "adc" in found.counts[1] and found.counts[1]["adc"] == 0


def test_published_layers_share_adcs() -> None:
    """Both read the image and want ADCs in step 2; the later layer waits until step 18.

    They then take turns, the first layer always first: its next block's bit 0 is ready at 18 too.
    Layer one converts from 2, 18, the second from 34 on; 4 pixels a block make 4 blocks: one's
    last conversion starts at 50, two's first at 66.
    """
    found = agreed(case(PAIR, copies=(4, 4), macros=(1, 0), partner=(1, 0)))
    assert [found.starts[Node(0, cnt, 2, 0)] for cnt in range(4)] == [2, 18, 34, 50]
    assert [found.starts[Node(1, cnt, 2, 0)] for cnt in range(4)] == [66, 82, 98, 114]


def test_shared_adcs_take_their_clocks() -> None:
    """Two fully connected layers at the image, 3 clocks a bit step; the later one converts from 5.

    It converts 16 bits of 3 steps each, until 52; the first one multiplies from 50, and converts
    from 53.
    """
    layers = (fc("one", (), (100, 10)), fc("two", (), (100, 10)))
    found = agreed(case(layers, macros=(1, 0), partner=(1, 0), clocks=(3, 3), rules=STRICT))
    assert [found.starts[Node(place, 0, 3, 0)] for place in (0, 1)] == [53, 5]
    assert found.starts[Node(1, 0, 3, 15)] == 5 + 15 * 3
    assert found.interval == 16 * (3 + 3)


def test_the_layer_with_more_conversions_buys_the_adcs() -> None:
    found = agreed(case(PAIR, copies=(2, 4), macros=(1, 0), partner=(1, 0), rules=STRICT))
    assert [layer["adc"] for layer in found.counts] == [0, 4]


def test_merges_without_a_common_link_go_at_once() -> None:
    """Layer one has macros 0 and 1, the upper row of 2 x 2, layer two the lower; one hop each."""
    found = agreed(case(PAIR, copies=(4, 4), macros=(2, 2)))
    merges = [found.starts[Node(place, 0, 6, 0)] for place in (0, 1)]
    assert merges == [21, 21]


def test_transfers_that_share_a_link_go_one_after_the_other() -> None:
    """A layer on macro 0 is read by two on macros 1 and 2 of a mesh of 2 x 2.

    Route 0-1 is the first part of route 0-1-2: both transfers are ready when the store of block 0,
    begun in step 20, is over, in 21; the longer one is no longer in whole steps, so the later layer
    waits for one step.
    """
    layers = (
        conv("one", (), (3, 10), (4, 4), window=(1, 1, 0), activation="none"),
        conv("two", (0,), (10, 10), (4, 4), window=(1, 1, 0), activation="none"),
        conv("three", (0,), (10, 10), (4, 4), window=(1, 1, 0), activation="none"),
    )
    found = agreed(case(layers, copies=(4, 4, 4)))
    assert [found.starts[Node(place, 0, 0, 0)] for place in (1, 2)] == [21, 22]


def test_a_scratchpad_that_is_too_small_grows() -> None:
    """A map of 64 x 64 x 10 elements waits for the fully connected layer: 80 KB, so 128."""
    layers = (
        conv("one", (), (3, 10), (64, 64), window=(1, 1, 0), activation="none"),
        fc("two", (0,), (40960, 10), activation="none"),
    )
    one = case(layers, copies=(64, 1))
    found = agreed(one)
    assert found.kilobytes_by_round == [128, 128]
    assert (found.memory, found.converged) == (1, True)
    few = COMPONENTS.scratchpads.to_choose_from(published=True)[:1]
    small = replace(one.components, scratchpads=replace(COMPONENTS.scratchpads, capacities=few))
    assert evaluate_by_the_book(replace(one, components=small)).failure == "memory"


def test_more_macros_than_row_tiles() -> None:
    """27 rows are one row tile: a copy cannot be in two macros."""
    assert evaluate_by_the_book(case(ONE, macros=(2,))).failure == "macros"
    assert evaluate_by_the_book(case(ONE, copies=(2,), macros=(2,))).failure == ""


def test_strict_rules_charge_pooling_and_addition_in_full() -> None:
    layers = (
        conv("one", (), (3, 32), (4, 4), window=(1, 1, 0), activation="none"),
        conv("two", (0,), (32, 32), (4, 4), window=(1, 1, 0), activation="none"),
        layer("sum", "eltwise", (0, 1, 0), (32, 32), (4, 4)),
        pool("pool", (2,), 32, (4, 2), window=(2, 2, 0)),
    )
    strict, published = (case(layers, copies=(4, 4, 1, 1), rules=r) for r in (STRICT, PUBLISHED))
    assert strict.work(2) == {"eltwise": 8, "relu": 4}
    assert strict.work(3) == {"pool": 4, "relu": 1}
    assert [published.work(2), published.work(3)] == [{"eltwise": 4}, {"pool": 1}]
    assert [published.loaded(layers[place], place) for place in (2, 3)] == [4 * 32, 32 * 4]
    agreed(strict)
    agreed(published)
