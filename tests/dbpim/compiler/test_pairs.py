"""Filter groups of one digit in pairs: both meet the rows of one tile."""

from dataclasses import replace
from itertools import dropwhile, takewhile
from typing import Any

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.compiler.codes import PAIR_CELLS
from hwgen.dbpim.compiler.lower import lower
from hwgen.dbpim.compiler.pairs import NO_DIGITS, nearest_pairs, pairs_for_waves
from hwgen.dbpim.compiler.weights import layer_weights
from hwgen.dbpim.facts import Arch, with_sparsity
from hwgen.dbpim.facts.instructions import NO_DIGIT, Coding, Opcode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from hwgen.dbpim.model import SplitCost
from hwgen.errors import CompileError, RefusedNodesError
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.archs import SMALL, TINY, draw_arch
from tests.dbpim.compiler.test_execute import check
from verif.dbpim.directed_corners import fill_weights, finish
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import draw_recipe, random_network

PAIRED = replace(SMALL, one_digit="paired")
STREAM = replace(PAIRED, input_streams="shared", port_bits=128)


def pixel_layer(weights: np.ndarray) -> QuantizedNetwork:
    """Return a 1 x 1 layer over an image of 2 pixels, with a head of two digits."""
    net = NetworkBuilder(name="pairs", shape=(1, 2, weights.shape[1]), seed=1)
    now = net.conv(INPUT, weights.astype(np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 2 * len(weights)), 3, np.int8), head=True)
    return net.build()


def first_tiles(program: Program, arch: Arch) -> list[TilePacket]:
    """Return the tiles of the first CONV of a program."""
    packets = iter(decode_stream(program.image, arch))
    behind = dropwhile(lambda packet: packet.opcode is not Opcode.CONV, packets)
    next(behind)
    return [tile for tile in takewhile(lambda each: isinstance(each, TilePacket), behind)]


def halves(phis: tuple[list[int], list[int]], *, inputs: int, pruned: np.ndarray) -> np.ndarray:
    """Return two groups of eight filters, (16, inputs); pruned: (2, inputs) of each group."""
    rng = np.random.default_rng(inputs)
    ones = np.array([value for place in range(7) for value in (1 << place, -1 << place)] + [-128])
    weights = rng.choice(ones, (16, inputs)) * (np.array([*phis[0], *phis[1]]) > 0)[:, np.newaxis]
    return np.where(np.repeat(pruned, 8, axis=0), 0, weights).astype(np.int8)


ALL = [1] * 8


@pytest.mark.promise(
    "two filter groups of one digit share the rows of a tile, each in cells of its own; what a"
    " group lacks adds nothing"
)
def test_two_groups_share_the_rows_of_their_union_by_hand() -> None:
    """Group 0 has inputs 0 and 2, group 1 has 1 and 2; a filter of none has no cell that counts."""
    pruned = np.array([[False, True, False], [True, False, False]])
    weights = halves((ALL, [0, *ALL[1:]]), inputs=3, pruned=pruned)
    program, _ = check(pixel_layer(weights), PAIRED)
    (tile,) = first_tiles(program, PAIRED)
    names = ("group", "second_group", "double", "rows", "coding", "filter_enable")
    enable = 0b1111_1111_1111_1101
    assert [tile.fields[name] for name in names] == [0, 1, 1, 1, Coding.FLAT, enable]
    assert tile.masks[0, :3].all() and not tile.masks[0, 3:].any()
    cells = np.stack([tile.codes[0] & 15, tile.codes[0] >> 4])
    assert (cells[0, 1] == NO_DIGIT).all() and (cells[1, 0] == NO_DIGIT).all()
    assert (cells[:, 2, 1:] != NO_DIGIT).all() and (cells[:, 3:] == NO_DIGIT).all()
    assert len(tile.parameters) == 16


def test_a_cell_without_a_weight_is_none_of_a_weight() -> None:
    ones = [1 << place for place in range(7)]
    used = {int(PAIR_CELLS[value & 255]) for value in (*ones, *(-one for one in ones), -128)}
    assert len(used) == 15 and NO_DIGIT not in used
    assert PAIR_CELLS[0] == NO_DIGIT


def test_a_pair_that_saves_nothing_is_left_out() -> None:
    """Of eight inputs a row, four and four are a row together; six and six are two either way."""
    for count, double in ((4, [1]), (6, [0, 0])):
        pruned = np.zeros((2, 12), bool)
        pruned[0, count:], pruned[1, :-count] = True, True
        network = pixel_layer(halves((ALL, ALL), inputs=12, pruned=pruned))
        tiles = first_tiles(check(network, PAIRED)[0], PAIRED)
        assert [tile.fields["double"] for tile in tiles] == double
        weights = layer_weights(lower(network, PAIRED), network, PAIRED)
        assert len(weights[network.layers[0].name].paired) == sum(double)


@pytest.mark.promise(
    "a group takes the partner that adds the fewest inputs; what saves nothing, has two digits"
    " or costs the layer more stays alone"
)
def test_each_group_takes_the_partner_that_adds_the_fewest_inputs() -> None:
    walked = np.zeros((5, 1, 6), bool)
    for number, inputs in enumerate(([0, 1], [3, 4], [0, 1, 2], [1], [3])):
        walked[number, 0, inputs] = True
    assert list(nearest_pairs(np.arange(5), walked)) == [(0, 3), (1, 4)]
    assert list(nearest_pairs(np.array([1, 2, 3]), walked)) == [(1, 3)]
    assert list(nearest_pairs(np.array([2]), walked)) == []


def test_groups_with_a_weight_of_two_digits_stay_alone() -> None:
    weights = halves((ALL, ALL), inputs=3, pruned=np.zeros((2, 3), bool))
    weights[3, 0] = 5
    tiles = first_tiles(check(pixel_layer(weights), PAIRED)[0], PAIRED)
    assert [tile.fields["double"] for tile in tiles] == [0, 0]


@pytest.mark.parametrize("switches", ["none", "input_bits", "weight_values"])
def test_a_chip_without_weight_bits_has_no_pairs(switches: str) -> None:
    weights = halves((ALL, ALL), inputs=3, pruned=np.zeros((2, 3), bool))
    arch, plain = with_sparsity(PAIRED, switches), with_sparsity(SMALL, switches)
    ours, theirs = (compile_network(pixel_layer(weights), each).image for each in (arch, plain))
    assert arch.id_word != plain.id_word
    np.testing.assert_array_equal(ours[64:], theirs[64:])


def test_zeros_that_are_not_pruned_need_no_second_column() -> None:
    """A filter of one digit with zeros between them has a pair, though alone it takes two cells."""
    weights = halves((ALL, ALL), inputs=3, pruned=np.zeros((2, 3), bool))
    weights[2, 1] = weights[9, 0] = 0
    (tile,) = first_tiles(check(pixel_layer(weights), PAIRED)[0], PAIRED)
    assert tile.fields["double"] and tile.fields["filter_enable"] == 0xFFFF


def test_partial_sums_of_a_pair_take_two_entries() -> None:
    """Tiles have two rows of eight inputs: a pair of 40 inputs has three, for fewer vectors."""
    net = NetworkBuilder(name="chunks", shape=(6, 8, 40), seed=2)
    weights = fill_weights(net, INPUT, [1] * 16, kernel=(1, 1))
    now = net.conv(INPUT, weights, kernel=(1, 1), padding=0)
    finish(net, net.max_pool(now, kernel=(2, 2), stride=2))
    program, _ = check(net.build(), PAIRED)
    packets = decode_stream(program.image, PAIRED)
    conv = next(packet for packet in packets if packet.opcode is Opcode.CONV)
    assert conv.fields["chunk_vectors"] == PAIRED.psum_vectors // 2
    assert sum(tile.fields["parameters"] for tile in first_tiles(program, PAIRED)) == 1


def drawn(seed: int, **keys: Any) -> tuple[int, int]:
    """Check a random network of weights of one digit, or up to four; return its tiles and pairs."""
    recipe = replace(draw_recipe(seed), max_digits=1 + seed % 4)
    network, arch = random_network(recipe, seed=seed), draw_arch(seed)
    entries = max(arch.psum_entries, 2 * arch.macros_per_core)
    arch = replace(arch, one_digit="paired", psum_entries=entries, **keys)
    try:
        program, _ = check(network, arch, images=1 + seed % 3, seed=seed)
    except (CompileError, RefusedNodesError) as error:
        assert "must fit the logit buffer" in str(error)
        return 0, 0
    packets = decode_stream(program.image, arch)
    tiles = [packet for packet in packets if isinstance(packet, TilePacket)]
    return len(tiles), sum(tile.fields["double"] for tile in tiles)


@pytest.mark.dear
def test_random_networks_with_pairs_and_without() -> None:
    tiles, pairs = np.sum([drawn(seed) for seed in range(24)], axis=0)
    assert tiles > pairs > tiles // 20


@pytest.mark.dear
def test_random_networks_with_pairs_of_one_stream() -> None:
    tiles, pairs = np.sum([drawn(seed, input_streams="shared") for seed in range(24)], axis=0)
    assert tiles > pairs > tiles // 20


@pytest.mark.long
@pytest.mark.parametrize("streams", ["own", "shared"])
@pytest.mark.parametrize("seed", range(24, 200))
def test_many_random(seed: int, streams: str) -> None:
    drawn(seed, input_streams=streams)


def test_the_cost_of_a_layer_says_whether_it_has_pairs() -> None:
    """One position waits for the port, which brings four bits a weight sooner; many do not."""
    found = []
    for size in (1, 6):
        net = NetworkBuilder(name="cost", shape=(size, size, 64), seed=3)
        weights = fill_weights(net, INPUT, [1] * 64, kernel=(1, 1), pruned_share=0.5)
        finish(net, net.conv(INPUT, weights, kernel=(1, 1), padding=0))
        network = net.build()
        program = compile_network(network, PAIRED, layer_cost=SplitCost(PAIRED))
        found.append({tile.fields["double"] for tile in first_tiles(program, PAIRED)})
    assert found == [{0}, {1}]


def test_pairs_on_a_chip_of_four_filters_share_the_mask_of_eight() -> None:
    arch = replace(TINY, one_digit="paired")
    weights = halves((ALL, ALL), inputs=3, pruned=np.array([[False, True, False], [False] * 3]))
    tiles = first_tiles(check(pixel_layer(weights), arch)[0], arch)
    assert [tile.fields["double"] for tile in tiles] == [1, 1]
    pairs = {(tile.fields["group"], tile.fields["second_group"]) for tile in tiles}
    assert pairs == {(0, 1), (2, 3)}


WORDS = ("kernel_y", "kernel_x", "channel_word", "mask_words", "first", "last")
"""Where a tile begins, how long it is, and its place among those of its group."""


@pytest.mark.promise(
    "with one stream, as few groups of one digit are in pairs as save a wave of the cores, cut"
    " together with the groups that stay alone"
)
@pytest.mark.parametrize(
    ("groups", "single", "cores", "pairs"),
    [(3, [0, 1, 2], 2, 1), (4, [0, 1, 2, 3], 4, 0), (5, [0, 1], 2, 1), (8, [*range(8)], 2, 4)],
)
def test_no_more_pairs_than_save_a_wave(
    groups: int, single: list[int], cores: int, pairs: int
) -> None:
    """Three groups take two cores twice, with a pair once; four of them fill four cores."""
    found = pairs_for_waves(np.array(single), np.ones((groups, 2, 8), bool), cores)
    assert len(found) == pairs
    assert len({group for pair in found for group in pair}) == 2 * pairs


def test_the_pairs_that_save_a_wave_walk_the_fewest_inputs() -> None:
    """Groups 2 and 3 have the same two inputs, 0 and 1 the same four; five groups, four cores."""
    walked = np.zeros((5, 1, 8), bool)
    for number, inputs in enumerate(([0, 1, 2, 3], [0, 1, 2, 3], [4, 5], [4, 5], [6])):
        walked[number, 0, inputs] = True
    assert pairs_for_waves(np.array([0, 1, 2, 3]), walked, 4) == [(2, 3)]


def wave_of(weights: np.ndarray, cores: int) -> list[TilePacket]:
    """Return the tiles of a 1 x 1 layer over 8 x 8 pixels on chips with one stream."""
    net = NetworkBuilder(name="wave", shape=(8, 8, weights.shape[1]), seed=1)
    now = net.conv(INPUT, weights.astype(np.int8), kernel=(1, 1), padding=0)
    now = net.max_pool(now, kernel=8, stride=8)
    net.linear(now, np.full((2, len(weights)), 3, np.int8), head=True)
    arch = replace(STREAM, cores=cores)
    return first_tiles(check(net.build(), arch)[0], arch)


@pytest.mark.promise(
    "with one stream, as few groups of one digit are in pairs as save a wave of the cores, cut"
    " together with the groups that stay alone"
)
def test_a_pair_meets_the_words_of_the_group_beside_it() -> None:
    """Two groups of one digit and one of three digits, which walks again: so does the pair."""
    weights = np.zeros((24, 40), np.int8)
    weights[:8, :20], weights[8:16, 20:], weights[16:] = 4, -8, 5
    weights[17, 3] = 37
    of_core: dict[int, list[TilePacket]] = {1: [], 2: []}
    for tile in wave_of(weights, 2):
        own = of_core[tile.fields["cores"]]
        if not own or not own[-1].fields["last"]:  # of the first chunk
            own.append(tile)
    walks = [[[tile.fields[name] for name in WORDS] for tile in own] for own in of_core.values()]
    assert walks[0] == walks[1] and len(walks[0]) > 2
    (pair,) = (own for own in of_core.values() if own[0].fields["double"])
    (alone,) = (own for own in of_core.values() if not own[0].fields["double"])
    assert all(tile.fields["double"] for tile in pair)
    assert not any(tile.fields["double"] for tile in alone)
    selected = [sum(int(tile.masks.sum()) for tile in own) for own in (pair, alone)]
    assert selected == [40, 41]
    assert not pair[-1].masks.any() and (pair[-1].codes == NO_DIGITS).all()


def test_a_layer_that_fills_no_second_wave_has_no_pairs() -> None:
    weights = np.full((32, 16), 4, np.int8)
    doubles = [[tile.fields["double"] for tile in wave_of(weights, cores)] for cores in (4, 2, 1)]
    assert [len(set(each)) for each in doubles] == [1, 1, 1]
    assert [each[0] for each in doubles] == [0, 1, 1]
