"""Clocks of operations, and reads of rings, by hand."""

from dataclasses import replace

import pytest

from hwgen.crossbar.facts.holdings import cut_of
from hwgen.crossbar.facts.layout import Choice, floorplan
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.ports import shares_of, tile_reads
from hwgen.crossbar.facts.rules import PUBLISHED
from hwgen.crossbar.facts.travels import conflicts_of, travels_of
from tests.crossbar.facts.test_fabric import POINT, chip
from tests.crossbar.model.layers import conv, fc, layer, pool
from tests.synthesis import COMPONENTS
from verif.reference.crossbar.durations import operations_of

ONE = conv("one", (), (3, 10), (4, 4), window=(3, 1, 1))
TWO = conv("two", (0,), (10, 10), (4, 4), window=(1, 1, 0), activation="none")
CHOICE = Choice(copies=(4, 4), macros=(1, 1), partner=(-1, -1), clocks=(1, 1))


def clocks_of(layers: tuple[object, ...], choice: Choice, place: int) -> dict[str, int]:
    """Clocks of the operations of a layer of a small network; a word has 64 elements."""
    network = CrossbarNetwork(
        name="n",
        input_channels=3,
        input_side=4,
        layers=layers,  # type: ignore[arg-type]
    )
    return {each.name: each.clocks for each in operations_of(chip(network, choice))[place]}


@pytest.mark.promise(
    "operations of a strict chip take the clocks that they need, results and lags included, and"
    " read ring by ring"
)
def test_a_send_reads_before_it_sends() -> None:
    """A row of 4 pixels a block; the first needs 2 rows of the image, 24 elements, 6 flits.

    These are in 2 words: before all else 1 + 2 * 2 accesses. A load has 4 * 3 runs of 9 elements
    in 2 words. 40 results are in 2 words: a store, and a send, wait for 5 + 2 + 2. Then a hop, a
    header and 10 flits, and the lag of 24.
    """
    found = clocks_of((ONE, TWO), CHOICE, 0)
    assert (found["transfer"], found["load"], found["store"]) == (7, 5 + 24 + 4, 9)
    assert found["send"] == 9 + 12 + 24
    assert found["mvm"] == found["activation"] == 100
    assert "result" not in found


@pytest.mark.parametrize(("raw", "words", "flits"), [(None, 2, 10), (32, 3, 20), (64, 4, 40)])
def test_a_result_has_its_true_bits(raw: int | None, words: int, flits: int) -> None:
    """40 sums are in more words, 64, 32 or 16 in each; the I/O node is one hop away."""
    found = clocks_of((ONE, replace(TWO, raw_bits=raw)), CHOICE, 1)
    assert found["load"] == 5 + 8 + 2 * words
    assert found["store"] == 5 + 2 * words
    assert found["result"] == 5 + 2 * words + 2 + flits + 24
    assert "send" not in found


def test_a_store_that_is_last_has_the_lag() -> None:
    """Only a pooling in the same macro reads it."""
    layers = (ONE, pool("pool", (0,), 10, (4, 2), window=(2, 2, 0)))
    choice = Choice(copies=(4, 1), macros=(1, 0), partner=(-1, -1), clocks=(1, 1))
    found = clocks_of(layers, choice, 0)
    assert list(found)[-1] == "store"
    # 2 pixels of the pooling have 2 * 2 runs of 20 elements, in 2 words; its results are in 2.
    assert found["store"] == 5 + 2 + 2 + 2 + 24


def test_travels_behind_the_crossbars_have_the_lag() -> None:
    """2 copies of 2 rows tiles on 4 macros: a chain of 2 macros each, and one result to gather."""
    wide = conv("wide", (), (40, 10), (4, 4), window=(2, 2, 0))
    network = CrossbarNetwork(name="n", input_channels=40, input_side=4, layers=(wide,))
    wide = replace(wide, out_side=2)
    network = replace(network, layers=(wide,))
    made = chip(network, Choice(copies=(2,), macros=(4,), partner=(-1,), clocks=(1,)))
    found = {each.name: each.clocks for each in operations_of(made)[0]}
    sums = -(-10 * 48 // 64), -(-32 * 48 // 64)
    assert found["chain"] == sums[0] + sums[1] + 11 + 24
    # From macro 1 to macro 3, the merge macro: a header, 3 flits, and the way.
    hops = made.hops(made.node(1), made.node(3))
    assert found["gather"] == 1 + 3 + hops + 24


def test_concatenated_maps_are_read_ring_by_ring() -> None:
    """3 x 20 elements in 2 words and 3 x 30 in 3, in each of 3 kernel rows; as one run 4."""
    layers = (
        conv("a", (), (3, 20), (6, 6), window=(3, 1, 1)),
        conv("b", (0,), (20, 30), (6, 6), window=(3, 1, 1)),
        conv("c", (0, 1), (50, 8), (6, 6), window=(3, 1, 1)),
        fc("d", (0, 1), (36 * 50, 8)),
        pool("e", (1,), 30, (6, 1), window=(6, 1, 0)),
        fc("f", (0, 4), (36 * 20 + 30, 8)),
    )
    network = CrossbarNetwork(name="n", input_channels=3, input_side=6, layers=layers)
    assert [shares_of(network, place) for place in range(6)] == [
        (3,),
        (20,),
        (20, 30),
        (20, 30),
        (30,),
        (36 * 20, 30),
    ]
    cut = cut_of(layers[2], 512, 8)
    assert tile_reads(layers[2], cut, 64, (20, 30)) == [3 * (2 + 3)]
    assert tile_reads(layers[2], cut, 64) == [3 * 4]
    # 512 rows are 10 pixels and 12 channels of the first map: 212 and 300 elements.
    first = -(-(212 - 4) // 64) + 1 + -(-(300 - 2) // 64) + 1
    assert tile_reads(layers[3], cut_of(layers[3], 512, 8), 64, (20, 30))[0] == first


def test_grouped_channels_of_two_maps() -> None:
    """2 groups of 25 channels: the first has 20 of one map and 5 of the other."""
    layer = conv("c", (0, 1), (50, 40), (6, 6), window=(3, 1, 1), groups=2)
    cut = cut_of(layer, 128, 8)
    assert (cut.sections, cut.row_tiles) == (2, 2)
    reads = tile_reads(layer, cut, 64, (20, 30))
    assert len(reads) == 2 and sum(reads) >= 9 * 3


def test_images_and_results_share_the_port_of_the_edge() -> None:
    """Two layers read the image, and two answers leave: each pair has one way only."""
    layers = (ONE, replace(ONE, name="other"))
    network = CrossbarNetwork(name="n", input_channels=3, input_side=4, layers=layers)
    pairs = conflicts_of(travels_of(chip(network, CHOICE)))
    for name in ("transfer", "result"):
        assert ((0, name), (1, name)) in pairs and ((1, name), (0, name)) in pairs
    assert ((0, "transfer"), (0, "result")) not in pairs


def steps_in(layers: tuple[CrossbarLayer, ...], choice: Choice, place: int) -> dict[str, int]:
    """Steps of 100 clocks of the operations of a layer; a word has 64 elements."""
    network = CrossbarNetwork(name="n", input_channels=3, input_side=48, layers=layers)
    return {each.name: each.steps for each in operations_of(chip(network, choice))[place]}


@pytest.mark.promise(
    "poolings, additions and activations that just fit their steps are exact; what does not fit"
    " is refused, and what comes early is late"
)
@pytest.mark.parametrize(("copies", "steps"), [(50, 1), (51, 2), (100, 2), (101, 3)])
def test_a_pooling_takes_a_word_of_channels_of_a_tap_in_a_clock(copies: int, steps: int) -> None:
    """65 channels are two words; 1 tap of a pixel takes 2 clocks, whatever its copies are paid."""
    layers = (
        conv("one", (), (3, 65), (48, 48), window=(1, 1, 0)),
        pool("pool", (0,), 65, (48, 48), window=(1, 1, 0)),
    )
    choice = Choice(copies=(copies, 1), macros=(1, 0), partner=(-1, -1), clocks=(1, 1))
    assert steps_in(layers, choice, 1)["pool"] == -(-min(copies, 2304) * 2 // 100) == steps


@pytest.mark.parametrize(("copies", "steps"), [(98, 1), (196, 2)])
def test_additions_and_activations_take_a_word_in_a_clock(copies: int, steps: int) -> None:
    """65 x 98 elements are 99.5 words of 64; what is spread over two macros is half as much."""
    one = conv("one", (), (3, 65), (14, 14), window=(1, 1, 0))
    two = conv("two", (0,), (65, 65), (14, 14), window=(1, 1, 0))
    layers = (one, two, layer("sum", "eltwise", (1, 0), (65, 65), (14, 14)))
    choice = Choice(
        copies=(copies, copies, 1), macros=(1, 2, 0), partner=(-1,) * 3, clocks=(1, 1, 1)
    )
    found = steps_in(layers, choice, 2)
    assert (found["eltwise"], found["activation"]) == (steps, steps)
    assert steps_in(layers, choice, 0)["activation"] == steps
    assert steps_in(layers, choice, 1)["activation"] == 1


@pytest.mark.promise(
    "a layer without weights has a pixel in each block, and results meet where sums are whole"
)
def test_every_block_of_a_layer_without_weights_has_a_pixel() -> None:
    """5 blocks of 4 pixels would be one too many for 16; published rules keep it."""
    layers = (
        conv("one", (), (3, 4), (10, 10), window=(1, 1, 0)),
        pool("pool", (0,), 4, (10, 4), window=(4, 2, 0)),
    )
    network = CrossbarNetwork(name="n", input_channels=3, input_side=10, layers=layers)
    choice = Choice(copies=(20, 1), macros=(1, 0), partner=(-1, -1), clocks=(1, 1))
    placed = chip(network, choice).plan.layers[1]
    assert (placed.copies, placed.blocks) == (4, 4)
    published = floorplan(network, COMPONENTS, POINT, PUBLISHED, choice).layers[1]
    assert (published.copies, published.blocks) == (4, 5)


def test_results_of_a_chained_sharing_partner_meet_where_sums_are_whole() -> None:
    """2 copies of 4 row tiles on 4 macros: sums of the first copy are whole in macro 1."""
    layers = (
        conv("one", (), (3, 60), (4, 4), window=(3, 1, 1)),
        conv("two", (0,), (60, 8), (4, 4), window=(3, 1, 1)),
    )
    network = CrossbarNetwork(name="n", input_channels=3, input_side=4, layers=layers)
    choice = Choice(copies=(8, 2), macros=(4, 4), partner=(1, 0), clocks=(1, 1))
    made = chip(network, choice)
    assert made.plan.layers[1].merge_macro == 1
    assert set(made.results(1)) == {1, 3}


@pytest.mark.promise(
    "rings have room for a stream of any length up to the simulated one, ports for all blocks"
    " that a fast provider sends"
)
def test_more_blocks_of_a_fast_provider_arrive_while_a_port_is_busy() -> None:
    """16 bits of a step: a block of 4 pixels, in 2 words, each 16 steps.

    The reader loads 256 windows of 5 runs of 10 elements, each in 2 words, and stores 2,560
    elements in 41 words, which leave as well: with two blocks that arrive 5 + 2,560 + 82 accesses,
    27 steps, in which a third block may arrive. With twice the clocks a bit none can.
    """
    fast = conv("fast", (), (3, 2), (16, 16), window=(1, 1, 0))
    slow = conv("slow", (0,), (2, 10), (16, 16), window=(5, 1, 2))
    network = CrossbarNetwork(name="n", input_channels=3, input_side=16, layers=(fast, slow))
    for clocks, accesses in ((1, 2647 + 2), (2, 2647)):
        choice = Choice(copies=(4, 256), macros=(1, 1), partner=(-1, -1), clocks=(clocks, 1))
        found = {one.name: one for one in operations_of(chip(network, choice))[1]}
        assert (found["load"].clocks, found["load"].period) == (accesses, 27)
