"""Tiles and splits for one stream of words that all cores compute with."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.compiler.tiles import cut_together
from hwgen.dbpim.facts import Arch, load_arch
from hwgen.dbpim.facts.instructions import Opcode, Operation
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from hwgen.network import INPUT
from verif.dbpim.network_builder import NetworkBuilder

SMALL = replace(load_arch(Path("configs/dbpim/small.yaml")), input_streams="shared")


def arch(**changes: int) -> Arch:
    return replace(SMALL, **changes)


@pytest.mark.promise(
    "with one stream all cores get the same words, in tiles cut for all of them, and wait for"
    " each other"
)
@pytest.mark.parametrize("seed", range(5))
def test_tiles_of_all_groups_have_the_same_words(seed: int) -> None:
    """Every input is in one tile; no tile has more rows or words than fit, and none could grow."""
    rng = np.random.default_rng(seed)
    walked = rng.random((5, 37, 8)) < rng.random((5, 1, 1))
    cuts = cut_together(walked, SMALL)
    spans = [[(piece.start, len(piece.masks)) for piece in pieces] for pieces in cuts]
    assert all(each == spans[0] for each in spans)
    for group, pieces in enumerate(cuts):
        inputs = np.concatenate([piece.inputs for piece in pieces])
        np.testing.assert_array_equal(inputs, np.flatnonzero(walked[group]))
        for piece in pieces:
            assert piece.rows == pushes(piece.masks) <= SMALL.tile_rows
            assert len(piece.masks) <= SMALL.mask_words // 2
    starts = [start for start, _ in spans[0]] + [37]
    for first, end in pairwise(starts[:-1]):
        longer = [pushes(each[first : end + 1]) for each in walked]
        assert max(longer) > SMALL.tile_rows or end + 1 - first > SMALL.mask_words // 2


def pushes(masks: np.ndarray) -> int:
    """Return the groups that the switch pushes, word by word as it is described."""
    fill = count = 0
    for number, word in enumerate(masks):
        for _ in range(int(word.sum())):
            fill += 1
            if fill == masks.shape[1]:
                fill, count = 0, count + 1
        ended = number == len(masks) - 1
        if ended and (fill or not word.any()):
            count += 1
    return count


def tiles_of(chip: Arch) -> list[TilePacket]:
    net = NetworkBuilder(name="shared", shape=(2, 2, 24), seed=1)
    weights = np.random.default_rng(2).choice([0, 3, 5], (40, 24), p=[0.6, 0.2, 0.2])
    weights[:8, 9:] = weights[8:16, :9] = 0
    now = net.conv(INPUT, weights.astype(np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 4 * 40), 3, np.int8), head=True)
    packets = decode_stream(compile_network(net.build(), chip).image, chip)
    return [packet for packet in packets if isinstance(packet, TilePacket)]


def test_cores_compute_other_filters_with_the_same_words() -> None:
    """Five groups on two cores: three waves, of which the last has one; tiles have one core."""
    of_core: dict[int, list[tuple[int, ...]]] = {1: [], 2: []}
    conv = tiles_of(SMALL)
    layer = conv[: first_layer(conv)]
    for tile in layer:
        names = ("kernel_y", "kernel_x", "channel_word", "mask_words", "first", "last", "turn")
        of_core[tile.fields["cores"]].append(tuple(tile.fields[name] for name in names))
    assert len(of_core[1]) * 2 == len(of_core[2]) * 3
    assert of_core[1][: len(of_core[2])] == of_core[2]


def first_layer(tiles: list[TilePacket]) -> int:
    """Return the tiles of five whole groups."""
    ends = np.cumsum([tile.fields["last"] for tile in tiles])
    return int(np.argmax(ends == 5)) + 1


def test_core_0_alone_keeps_maps_and_has_the_simd_unit() -> None:
    """Two maps are added by the SIMD unit of core 0, which reads and keeps every row."""
    net = NetworkBuilder(name="added", shape=(4, 4, 8), seed=1)
    rng = np.random.default_rng(3)
    ways = [
        net.conv(INPUT, rng.choice([-3, 5], (16, 8)).astype(np.int8), kernel=(1, 1), padding=0)
        for _ in range(2)
    ]
    net.linear(net.add(*ways), np.full((2, 256), 3, np.int8), head=True)
    packets = decode_stream(compile_network(net.build(), SMALL).image, SMALL)
    simd = [each.fields for each in packets if each.opcode is Opcode.SIMD]
    kept = [each.fields for each in packets if "keep_rows_1" in each.fields]
    assert [(each["operation"], each["active_cores"]) for each in simd] == [(Operation.ADD, 1)]
    assert kept and all(each["keep_rows_1"] == each["private_rows_1"] == 0 for each in kept[1:])
    assert not any(each.get("adds") for each in kept)
