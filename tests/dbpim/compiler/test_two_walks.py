"""Weights of three and four digits: a filter group walks its inputs a second time."""

from dataclasses import replace
from itertools import dropwhile, takewhile

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.compiler.codes import digit_passes
from hwgen.dbpim.facts import Arch, with_sparsity
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from hwgen.network import INPUT
from tests.dbpim.compiler.archs import SMALL, TINY
from tests.dbpim.compiler.execute_conv import tile_weights
from verif.dbpim.network_builder import NetworkBuilder
from verif.reference.dbpim.csd import csd

EVERY_WEIGHT = np.arange(-128, 128).astype(np.int8)


def tiles_of(weights: np.ndarray, arch: Arch) -> list[TilePacket]:
    """Return the tiles of a 1 x 1 layer over an image of 2 pixels."""
    net = NetworkBuilder(name="walks", shape=(1, 2, weights.shape[1]), seed=1)
    now = net.conv(INPUT, weights.astype(np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.ones((2, 2 * len(weights)), np.int8), head=True)
    packets = iter(decode_stream(compile_network(net.build(), arch).image, arch))
    behind = dropwhile(lambda packet: packet.opcode is not Opcode.CONV, packets)
    next(behind)
    return [tile for tile in takewhile(lambda each: isinstance(each, TilePacket), behind)]


def columns(tile: TilePacket) -> list[int]:
    """Return the cell columns that each of the eight filters uses."""
    return [(tile.fields["filter_enable"] >> 2 * n & 3).bit_count() for n in range(8)]


@pytest.mark.promise(
    "digits 3 and 4 of a filter are further tiles over the inputs that have some, of any"
    " network and any stream"
)
def test_every_weight_is_its_two_highest_digits_and_the_rest() -> None:
    first, rest = digit_passes(EVERY_WEIGHT)
    digits = csd(EVERY_WEIGHT)
    after = np.cumsum((digits != 0)[:, ::-1], axis=1)[:, ::-1]
    places = 1 << np.arange(8)
    np.testing.assert_array_equal(first, (digits * (after <= 2)) @ places)
    np.testing.assert_array_equal(rest, (digits * (after > 2)) @ places)
    assert {each.dtype for each in (first, rest)} == {np.dtype(np.int8)}


@pytest.mark.promise(
    "weights of at most two digits are walked once, and filters without further ones use no"
    " column in a second walk"
)
def test_weights_of_two_digits_are_walked_once() -> None:
    few = EVERY_WEIGHT[np.count_nonzero(csd(EVERY_WEIGHT), axis=1) <= 2]
    (alone,) = digit_passes(few)
    np.testing.assert_array_equal(alone, few)


def test_digits_three_and_four_by_hand() -> None:
    """85 = 80 + 5, 107 = 112 - 5, 37 = 36 + 1: the second walk has the two inputs that need it.

    Of the third filter 1 is left at the second input and nothing at the first one, so that it needs
    both columns; filters without such a weight need none, and cost nothing, in the second walk.
    """
    weights = np.array([[85, 3, 107, 0], [4, -1, 64, 2], [5, 12, 37, 0]])
    first, second = tiles_of(weights, SMALL)
    names = ("rows", "mask_words", "first", "last", "parameters")
    assert [first.fields[name] for name in names] == [1, 1, 1, 0, 1]
    assert [second.fields[name] for name in names] == [1, 1, 0, 1, 0]
    assert first.masks.tolist() == [[True] * 4 + [False] * 4]
    assert second.masks.tolist() == [[True, False, True, False] + [False] * 4]
    assert columns(first) == [2, 1, 2] + [0] * 5
    assert columns(second) == [2, 0, 2] + [0] * 5
    highest, rest = tile_weights(first, SMALL), tile_weights(second, SMALL)
    assert highest[:4, :3].T.tolist() == [[80, 3, 112, 0], [4, -1, 64, 2], [5, 12, 36, 0]]
    assert rest[:2, :3].T.tolist() == [[5, -5], [0, 0], [0, 1]]


def test_a_filter_with_one_digit_left_everywhere_needs_one_column() -> None:
    first, second = tiles_of(np.array([[37, 0, 37], [0, 0, 3]]), SMALL)
    assert [columns(tile)[:2] for tile in (first, second)] == [[2, 2], [1, 0]]
    assert tile_weights(second, SMALL)[:2, :2].T.tolist() == [[1, 1], [0, 0]]


def test_groups_without_such_a_weight_are_walked_once() -> None:
    """Three groups of eight filters; only the second one has a weight of three digits."""
    weights = np.full((24, 4), 3)
    weights[9, 2] = 37
    tiles = tiles_of(weights, SMALL)
    found = [(tile.fields["group"], int(tile.masks.sum())) for tile in tiles]
    assert sorted(found) == [(0, 4), (1, 1), (1, 4), (2, 4)]


def test_a_second_walk_is_cut_as_a_first_one_is() -> None:
    """24 inputs are more than a tile of two rows: each walk has two tiles, in turn."""
    assert TINY.tile_rows * TINY.macro.compartments < 24
    tiles = tiles_of(np.full((1, 24), 85), TINY)
    half = len(tiles) // 2
    assert half > 1
    assert [tile.masks.tolist() for tile in tiles[:half]] == [
        tile.masks.tolist() for tile in tiles[half:]
    ]
    assert [tile.fields["first"] for tile in tiles] == [1] + [0] * (2 * half - 1)
    assert [tile.fields["last"] for tile in tiles] == [0] * (2 * half - 1) + [1]


@pytest.mark.parametrize("off", ["none", "weight_values,input_bits"])
def test_with_weight_bits_off_every_weight_is_walked_once(off: str) -> None:
    tiles = tiles_of(np.array([[85, 3, 107]]), with_sparsity(SMALL, off))
    assert [int(tile.masks.sum()) for tile in tiles] == [3]


def test_cores_of_one_stream_walk_a_second_time_together() -> None:
    """The third core's group has no such weight: its second tile walks words, and selects none."""
    weights = np.full((24, 12), 3)
    weights[1, 2] = weights[9, 8] = 85
    arch = replace(SMALL, cores=4, input_streams="shared")
    names = ("channel_word", "mask_words", "first", "last", "turn")
    walks: dict[int, list[list[int]]] = {}
    selected: dict[int, list[int]] = {}
    for tile in tiles_of(weights, arch):
        walks.setdefault(tile.fields["group"], []).append([tile.fields[name] for name in names])
        selected.setdefault(tile.fields["group"], []).append(int(tile.masks.sum()))
    assert walks[0] == walks[1] == walks[2]
    assert selected == {0: [12, 1], 1: [12, 1], 2: [12, 0]}
