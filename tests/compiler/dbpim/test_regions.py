"""Where maps lie: never on another map that is still needed, and within the buffer."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from hwgen.compiler.dbpim.compile import compile_network
from hwgen.compiler.dbpim.regions import allocate
from hwgen.errors import CompileError
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.program import Region
from hwgen.spec.network import INPUT, QuantizedNetwork
from tests.compiler.dbpim.archs import SMALL, TINY, draw_arch
from verif.dbpim.directed_network import directed
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.random_network import draw_recipe, random_network


def words_of(region: Region) -> set[int]:
    """Return the addresses that a map takes in every bank."""
    return set(range(region.base, region.base + region.height * region.row_pitch))


def check_life(network: QuantizedNetwork, arch: Arch) -> None:
    """Walk through the layers: all maps that are still to be read, and the one written, differ."""
    regions = allocate(network, arch)
    assert set(regions) == {INPUT, *(layer.name for layer in network.layers[:-1])}
    written = [INPUT]
    for step, layer in enumerate(network.layers[:-1]):
        still_read = {name for later in network.layers[step:] for name in later.inputs}
        alive = [name for name in written if name in still_read]
        for one, other in combinations([*alive, layer.name], 2):
            assert not words_of(regions[one]) & words_of(regions[other]), (one, other)
        written.append(layer.name)
    for region in regions.values():
        assert max(words_of(region)) < arch.bank_words


@pytest.mark.parametrize("name", ["residuals", "pools", "deep", "one_pixel"])
def test_directed(name: str) -> None:
    check_life(directed(name), SMALL)


@pytest.mark.parametrize("seed", range(30))
def test_random(seed: int) -> None:
    check_life(random_network(draw_recipe(seed), seed=seed), draw_arch(seed))


def chain() -> QuantizedNetwork:
    """Return pools of a 4 x 4 x 8 map, 8 words a bank of `SMALL`, and a residual around two."""
    net = NetworkBuilder(name="chain", shape=(4, 4, 8), seed=1)
    first = net.max_pool(INPUT, kernel=1, stride=1)
    now = net.max_pool(net.max_pool(first, kernel=1, stride=1), kernel=1, stride=1)
    now = net.add(now, first)
    net.linear(now, np.ones((2, 128), np.int8), head=True)
    return net.build()


def test_the_lowest_gap_is_taken() -> None:
    bases = [region.base for region in allocate(chain(), SMALL).values()]
    assert bases == [0, 8, 0, 16, 0]


def test_a_network_that_just_fits_and_one_that_does_not() -> None:
    fits = replace(SMALL, buffer_bytes=512, cores=1)
    assert fits.bank_words == 32
    compile_network(chain(), fits)
    tight = replace(SMALL, buffer_bytes=256, cores=1)
    with pytest.raises(
        CompileError,
        match=r"^layer max_pool_2: its map must fit the activation buffer, got 8 words a bank where"
        r" 0 of 16 are free in one piece$",
    ):
        compile_network(chain(), tight)


def test_bases_fit_their_fields() -> None:
    """One bank of 1 MiB has 2**18 words, of which 2**16 can be named."""
    net = NetworkBuilder(name="large", shape=(240, 240, 4), seed=1)
    now = net.max_pool(INPUT, kernel=1, stride=1)
    now = net.max_pool(now, kernel=30, stride=30)
    net.linear(now, np.ones((2, 8 * 8 * 4), np.int8), head=True)
    arch = replace(TINY, macros_per_core=1, buffer_bytes=1 << 20)
    assert arch.bank_words == 1 << 18
    with pytest.raises(CompileError, match=r"layer max_pool_0: .* 57600 words .* 7936 of 65536"):
        compile_network(net.build(), arch)
