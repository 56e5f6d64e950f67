"""How tiles of a program are coded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.stream import TilePacket, decode_stream
from hwgen.network import INPUT
from verif.dbpim.network_builder import NetworkBuilder

SMALL = load_arch(Path("configs/dbpim/small.yaml"))


def packed_tiles(weights: list[list[int]], arch: Arch) -> tuple[list[int], list[np.ndarray]]:
    """Return of a 1 x 1 layer's tiles the coding of each, and its codes."""
    net = NetworkBuilder(name="packed", shape=(1, 2, len(weights[0])), seed=1)
    now = net.conv(INPUT, np.array(weights, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 2 * len(weights)), 3, np.int8), head=True)
    packets = decode_stream(compile_network(net.build(), arch).image, arch)
    tiles = [packet for packet in packets if isinstance(packet, TilePacket)][:-1]
    return [tile.fields["coding"] for tile in tiles], [tile.codes for tile in tiles]


@pytest.mark.promise("tiles with a weight that has no number are sent flat")
def test_only_weights_of_exactly_phi_digits_are_packed() -> None:
    """3 and 5 have two digits, 4 has one and 0 none; the last filter has phi 1."""
    assert packed_tiles([[3, 5, -96], [4, -1, 64]], SMALL)[0] == [1]
    assert packed_tiles([[3, 0, -96], [5, 6, 7]], SMALL)[0] == [1]
    assert packed_tiles([[3, 4, -96], [5, 6, 7]], SMALL)[0] == [0]
    assert packed_tiles([[3, 5, 7], [4, 0, 4]], SMALL)[0] == [0]


def test_a_chip_without_the_decoder_gets_flat_tiles() -> None:
    weights = [[3, 5, -96], [4, -1, 64]]
    flat = packed_tiles(weights, replace(SMALL, packed_weights=False))
    assert [flat[0], packed_tiles(weights, with_sparsity(SMALL, "none"))[0]] == [[0], [0]]
    packed = packed_tiles(weights, SMALL)[1]
    np.testing.assert_array_equal(flat[1][0][0, :3, :2], packed[0][0, :3, :2])


@pytest.mark.promise(
    "where no filter of a tile has more than one digit, a weight takes four bits of the stream,"
    " and the chip is equal in RTL"
)
def test_tiles_of_one_digit_take_four_bits_a_weight() -> None:
    """Filters of one digit or none; a filter of two makes triples of all."""
    coded = replace(SMALL, one_digit="coded")
    assert packed_tiles([[8, -1, 64], [4, -128, 2]], coded)[0] == [2]
    assert packed_tiles([[8, -1, 64], [0, 0, 0]], coded)[0] == [2]
    assert packed_tiles([[8, -1, 64], [3, 5, 6]], coded)[0] == [1]
    assert packed_tiles([[8, -1, 64], [4, -128, 2]], SMALL)[0] == [1]
