"""How layers are split over cores, and in which order their tiles are sent."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hwgen.dbpim.compiler.blocks import unpruned_blocks
from hwgen.dbpim.compiler.builder import JUDGED_CYCLES
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.cost import LayerCost
from hwgen.dbpim.compiler.tiles import cut_tiles
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode, of_core
from hwgen.dbpim.facts.program import StepPlan
from hwgen.dbpim.facts.stream import Packet, TilePacket, decode_stream
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.archs import SMALL, TINY
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_weights import draw_weights

FOUR_CORES = replace(SMALL, cores=4)


def one_conv(
    shape: tuple[int, int, int], *, filters: int, pruned: Sequence[float] = (0.0,)
) -> QuantizedNetwork:
    """Return a 3 x 3 convolution and a head; `pruned`: fraction of each group of 8 filters."""
    net = NetworkBuilder(name="one conv", shape=shape, seed=1)
    k = 9 * shape[2]
    groups = [
        draw_weights(net.rng, phis=[2] * min(8, filters - first), k=k, pruned_share=share)
        for first, share in zip(
            range(0, filters, 8), np.resize(pruned, -(-filters // 8)), strict=True
        )
    ]
    now = net.conv(INPUT, np.concatenate(groups))
    ones = np.ones((2, shape[0] * shape[1] * filters), np.int8)
    net.linear(now, ones, head=True)
    return net.build()


def compiled(
    network: QuantizedNetwork, arch: Arch, cost: LayerCost | None = None
) -> tuple[StepPlan, Packet, list[TilePacket]]:
    """Return plan, instruction and tiles of the first layer."""
    program = compile_network(network, arch, layer_cost=cost)
    packets = decode_stream(program.image, arch)[1:]
    assert [packet.opcode for packet in packets[:2]] == [Opcode.LOAD, Opcode.CONV]
    end = next(n for n, p in enumerate(packets[2:], 2) if p.opcode is not Opcode.TILE)
    return program.facts.steps[1], packets[1], packets[2:end]


def sets_of(packets: Sequence[Packet]) -> set[int]:
    """Return the cores of each set, from the tiles after an instruction."""
    return {packet.fields["cores"] for packet in packets[1:]}


def vectors(conv: Packet, arch: Arch) -> list[int]:
    """Return the position vectors of each core."""
    return [conv.fields[of_core("vectors", core)] for core in range(arch.cores)]


def prefer(cores_per_set: int) -> LayerCost:
    """Return a cost that is lowest for so many cores a set."""
    return lambda layer, packets: abs(
        max(cores.bit_count() for cores in sets_of(packets)) - cores_per_set
    )


def test_the_estimate_decides_once_the_model_has_judged_enough() -> None:
    """A cost that says a split takes all that a model may judge is asked about one layer alone."""
    asked = []

    def costly(layer: str, packets: Sequence[Packet]) -> float:
        asked.append(layer)
        return JUDGED_CYCLES

    net = NetworkBuilder(name="two convolutions", shape=(4, 4, 2), seed=1)
    now = net.conv(INPUT, draw_weights(net.rng, phis=[2] * 24, k=18))
    now = net.conv(now, draw_weights(net.rng, phis=[2] * 24, k=9 * 24))
    net.linear(now, np.ones((2, 16 * 24), np.int8), head=True)
    compile_network(net.build(), FOUR_CORES, layer_cost=costly)
    assert len(asked) > 1 and len(set(asked)) == 1


@pytest.mark.promise("the cheapest split is taken, by the caller's cost or by an estimate")
@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_given_cost_decides(size: int) -> None:
    network = one_conv((4, 4, 2), filters=24)
    plan, conv, tiles = compiled(network, FOUR_CORES, prefer(size))
    assert plan.share == size
    assert plan.sets == min(4 // size, 3)
    count = 4 // size
    assert sets_of([conv, *tiles]) == {
        sum(1 << core for core in range(number, 4, count)) for number in range(plan.sets)
    }
    assert conv.fields["active_cores"] == sum(sets_of([conv, *tiles]))


def test_the_cost_sees_what_is_sent() -> None:
    seen: dict[str, list[list[Packet]]] = {}

    def cost(layer: str, packets: Sequence[Packet]) -> float:
        seen.setdefault(layer, []).append(list(packets))
        return float(max(cores.bit_count() for cores in sets_of(packets)))

    network = one_conv((4, 4, 2), filters=24)
    _, conv, tiles = compiled(network, FOUR_CORES, cost)
    assert [*seen] == ["conv_0"], "the head has one split, which nobody judges"
    sizes = [max(cores.bit_count() for cores in sets_of(each)) for each in seen["conv_0"]]
    assert sizes == [4, 2, 1]
    chosen = seen["conv_0"][-1]
    assert [packet.fields for packet in chosen[1:]] == [tile.fields for tile in tiles]
    assert vectors(chosen[0], FOUR_CORES) == vectors(conv, FOUR_CORES)


def test_of_equal_costs_the_fewest_sets_win() -> None:
    plan, _, _ = compiled(one_conv((4, 4, 2), filters=24), FOUR_CORES, lambda *_: 1.0)
    assert plan.share == 4


@pytest.mark.promise("no active core is idle, and each gets the tiles of its own chunks")
@pytest.mark.parametrize(("shape", "size"), [((1, 1, 2), 1), ((2, 3, 2), 4), ((3, 3, 2), 4)])
def test_every_active_core_has_a_vector(shape: tuple[int, int, int], size: int) -> None:
    """1, 4 and 6 position vectors of 2 positions of one row."""
    plan, conv, _ = compiled(one_conv(shape, filters=8), FOUR_CORES, prefer(4))
    assert plan.share == size
    counts = vectors(conv, FOUR_CORES)
    assert sum(counts) == shape[0] * -(-shape[1] // 2)
    assert conv.fields["active_cores"] == sum(1 << core for core in range(4) if counts[core])


def test_filters_are_split_where_positions_are_few() -> None:
    plan, _, _ = compiled(one_conv((1, 1, 4), filters=64), FOUR_CORES)
    assert (plan.sets, plan.share) == (4, 1)


def test_positions_are_split_where_filters_are_few() -> None:
    plan, _, _ = compiled(one_conv((8, 8, 4), filters=8), FOUR_CORES)
    assert (plan.sets, plan.share) == (1, 4)


@pytest.mark.promise(
    "the longest group comes first to the emptiest set; sets are merged by time of need"
)
def test_longest_group_first() -> None:
    """Of five groups the full one has a set to itself."""
    network = one_conv((4, 4, 8), filters=40, pruned=[0.8, 0.75, 0.0, 0.8, 0.75])
    arch = replace(SMALL, psum_entries=32)
    _, _, tiles = compiled(network, arch, prefer(1))
    groups = {
        bits: {t.fields["group"] for t in tiles if t.fields["cores"] == bits} for bits in (1, 2)
    }
    assert groups == {1: {2}, 2: {0, 1, 3, 4}}


def test_sets_are_merged_by_time_of_need() -> None:
    """One set's long tiles stand between the other's short ones, not after them."""
    network = one_conv((4, 4, 8), filters=40, pruned=[0.8, 0.75, 0.0, 0.8, 0.75])
    arch = replace(SMALL, psum_entries=32)
    _, _, tiles = compiled(network, arch, prefer(1))
    order = [tile.fields["cores"] for tile in tiles]
    half = len(order) // 2
    for cores in (1, 2):
        assert abs(order[:half].count(cores) - order[half:].count(cores)) <= 2


def test_a_chunk_that_only_some_cores_have() -> None:
    """9 position vectors, 2 cores, 4 position vectors a chunk: core 0 has 4, core 1 has 4 + 1."""
    plan, conv, tiles = compiled(one_conv((9, 2, 4), filters=16), SMALL, prefer(2))
    assert vectors(conv, SMALL) == [4, 5]
    assert (conv.fields["chunk_vectors"], plan.chunks) == (4, 2)
    walk = plan.tiles
    assert walk > 1
    assert [tile.fields["cores"] for tile in tiles] == ([3] * walk + [2] * walk) * 2
    assert plan.rows_loaded == 2 * plan.weight_rows == sum(len(tile.codes) for tile in tiles)
    assert [tile.fields["turn"] for tile in tiles] == [0] * walk + [1] * 2 * walk + [0] * walk
    last_group = [tile.fields["last_group"] for tile in tiles]
    assert last_group == [0] * 2 * walk + [1] * 2 * walk


def test_a_group_of_one_tile_is_walked_once() -> None:
    plan, conv, tiles = compiled(one_conv((6, 6, 1), filters=16), SMALL, prefer(2))
    assert (plan.tiles, plan.chunks, conv.fields["chunk_vectors"]) == (1, 1, 9)
    assert len(tiles) == 2


def test_bands_are_whole_rows_where_that_is_even() -> None:
    """8 rows of 2 vectors on 4 cores: 2 rows each; a core keeps its rows and reads their halo."""
    _, conv, _ = compiled(one_conv((8, 4, 4), filters=8), FOUR_CORES, prefer(4))
    fields = conv.fields
    assert vectors(conv, FOUR_CORES) == [4] * 4
    starts = [(fields[f"start_y_{core}"], fields[f"start_x_{core}"]) for core in range(4)]
    assert starts == [(0, 0), (2, 0), (4, 0), (6, 0)]
    assert [fields[f"input_first_{core}"] for core in range(4)] == [0, 1, 3, 5]


def rows_and_words(walked: np.ndarray, arch: Arch) -> list[tuple[int, int, int]]:
    """Return (start, words, inputs) of each tile."""
    return [(p.start, len(p.masks), len(p.inputs)) for p in cut_tiles(walked, arch)]


@pytest.mark.promise("tiles are equal cuts and two of them fit the rings of masks and rows")
def test_equal_cuts() -> None:
    """20 inputs, rows of 4, tiles of 2 rows: 5 rows become 2 + 2 + 1."""
    walked = np.ones((5, 4), bool)
    assert rows_and_words(walked, TINY) == [(0, 2, 8), (2, 2, 8), (4, 1, 4)]
    # 18 inputs: the borders are inside words 3 and 7; the masked words at the end are not walked.
    walked = np.zeros((16, 4), bool)
    walked[:8, 1:3] = True
    walked[8] = [True, False, False, False]
    walked[0, 0] = True
    assert rows_and_words(walked, TINY) == [(0, 4, 8), (3, 5, 8), (7, 2, 2)]


def test_a_tile_of_many_words_is_halved() -> None:
    """The ring of 16 words holds two tiles of 8: rows first, then within a row."""
    arch = replace(TINY, mask_bytes=8)
    walked = np.zeros((40, 4), bool)
    walked[::5, 0] = True
    assert rows_and_words(walked, arch) == [(0, 6, 2), (10, 6, 2), (20, 6, 2), (30, 6, 2)]


@pytest.mark.promise(
    "cells hold exactly the network's weights, masks cover each kept block once, and once more"
    " each input with weights of 3 or 4 digits"
)
def test_masks_by_hand() -> None:
    """10 filters, 2 words of 4 channels of which the last is padding."""
    words = np.zeros((10, 2, 4), np.int8)
    words[3, 0, 1], words[7, 1, 2], words[9, 1, 0] = 1, -2, 64
    real = np.array([[True, True, True, False]] * 2)
    blocks = unpruned_blocks(words, real, weight_values=True)
    assert np.argwhere(blocks).tolist() == [[0, 0, 1], [0, 1, 2], [1, 1, 0]]
    every = unpruned_blocks(words, real, weight_values=False)
    np.testing.assert_array_equal(every, [real, real])
