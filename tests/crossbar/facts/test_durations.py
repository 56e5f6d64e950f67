"""Clocks of operations, and reads of rings, by hand."""

from dataclasses import replace

import pytest

from hwgen.crossbar.facts.durations import operations_of
from hwgen.crossbar.facts.holdings import cut_of
from hwgen.crossbar.facts.layout import Choice
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.ports import shares_of, tile_reads
from hwgen.crossbar.facts.travels import conflicts_of, travels_of
from tests.crossbar.facts.test_fabric import chip
from tests.crossbar.model.layers import conv, fc, pool

ONE = conv("one", (), (3, 10), (4, 4), window=(3, 1, 1))
TWO = conv("two", (0,), (10, 10), (4, 4), window=(1, 1, 0), activation="none")
CHOICE = Choice(copies=(4, 4), macros=(1, 1), mate=(-1, -1), clocks=(1, 1))


def clocks_of(layers: tuple[object, ...], choice: Choice, place: int) -> dict[str, int]:
    """Clocks of the operations of a layer of a small network; a word has 64 elements."""
    network = CrossbarNetwork(
        name="n",
        input_channels=3,
        input_side=4,
        layers=layers,  # type: ignore[arg-type]
    )
    return {each.name: each.clocks for each in operations_of(chip(network, choice))[place]}


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
    choice = Choice(copies=(4, 1), macros=(1, 0), mate=(-1, -1), clocks=(1, 1))
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
    made = chip(network, Choice(copies=(2,), macros=(4,), mate=(-1,), clocks=(1,)))
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
