"""Means that leave padding out, groups and several filters a channel: passes, and equal in RTL."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.lower_conv import whole_filters
from hwgen.errors import CompileError
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.check import check_network
from tests.dbpim.compiler.test_execute import check
from tests.verif.dbpim.chips import check_chip, chip_arch
from verif.common.drawing import Drawing
from verif.dbpim.random_network import random_images


def grouped(seed: int) -> QuantizedNetwork:
    """Return a network of groups: two channels each, one with three filters, a raw head of two."""
    net = Drawing(seed, modes=("1.0x",), shape=(6, 5, 4))
    now = net.conv(INPUT, (6,), kernel=(3, 2), padding=(1, 0, 2, 1), groups=2)
    now = net.conv(now, (18,), kernel=(3, 3), stride=(2, 1), padding=(1, 1, 1, 1), groups=6)
    now = net.add(now, net.conv(now, (18,), groups=3))
    return net.build(net.linear(now, (5,), bits=32))


def counted(seed: int) -> QuantizedNetwork:
    """Return a network of means without padding: nine counts, two, one, about another zero."""
    net = Drawing(seed, modes=("1.0x",), shape=(6, 7, 5))
    window = {"kernel": (3, 4), "stride": (1, 1), "padding": (2, 1, 1, 2), "inside": True}
    now = net.average_pool(INPUT, **window)
    window = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 1), "inside": True}
    now = net.average_pool(now, **window, center=93)
    window = {"kernel": (2, 3), "stride": (1, 1), "padding": (0, 0, 0, 0), "inside": True}
    now = net.average_pool(now, **window)
    return net.build(net.linear(now, (5,), bits=32))


NETWORKS = {"grouped": grouped, "counted": counted}


@pytest.mark.dear("grouped-small")
@pytest.mark.parametrize("chip", ["tiny", "small", "paper", "paper_dense"])
@pytest.mark.parametrize("name", NETWORKS)
def test_stream_gives_every_map_of_golden(name: str, chip: str) -> None:
    arch = chip_arch(chip, "none" if chip == "paper_dense" else "all")
    for seed in range(3):
        check(NETWORKS[name](seed), arch, images=1 + seed, seed=seed)


@pytest.mark.dear("counted")
@pytest.mark.promise(
    "groups that are not depthwise, several filters a channel and means that leave padding out"
    " run on a DB-PIM chip: RTL equal to golden, cycles to the model"
)
@pytest.mark.parametrize("name", NETWORKS)
def test_rtl_is_equal(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name](7)
    check_chip(network, chip_arch("tiny"), random_images(network, 1, seed=7), tmp_path)


def test_more_pixels_than_a_byte_counts_are_refused() -> None:
    net = Drawing(1, modes=("1.0x",), shape=(16, 16, 2))
    window = {"kernel": (16, 16), "stride": (1, 1), "padding": (1, 1, 1, 1), "inside": True}
    network = net.build(net.linear(net.average_pool(INPUT, **window), (3,), bits=32))
    check_network(network, source="drawn")
    with pytest.raises(CompileError, match="at most 255 pixels on a dbpim chip, got 256"):
        compile_network(network, chip_arch("small"))


def test_weights_of_other_groups_are_zero() -> None:
    weights = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], np.int8).reshape(4, 1, 1, 2)
    found = whole_filters(weights, 2).reshape(4, 4)
    assert found.tolist() == [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]]
