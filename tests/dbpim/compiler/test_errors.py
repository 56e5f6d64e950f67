"""Networks that a chip cannot run are refused in one sentence."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hwgen.dbpim.compiler.compile import compile_network
from hwgen.errors import CompileError
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.archs import SMALL, TINY
from verif.dbpim.network_builder import NetworkBuilder


def network(
    shape: tuple[int, int, int], fill: Callable[[NetworkBuilder], str], classes: int = 2
) -> QuantizedNetwork:
    """Return a network whose last layer is a head over what `fill` returns."""
    net = NetworkBuilder(name="refused", shape=shape, seed=1)
    now = fill(net)
    height, width, channels = net.features[now].shape
    ones = np.ones((classes, height * width * channels), np.int8)
    net.linear(now, ones, head=True)
    return net.build()


def widened(net: NetworkBuilder) -> str:
    """Append a window whose border makes the map higher than a coordinate."""
    ones = np.ones((1, 64), np.int8)
    return net.conv(INPUT, ones, kernel=(8, 8), padding=7)


def deep(net: NetworkBuilder) -> str:
    """Append more channels than an instruction can describe."""
    return net.conv(INPUT, np.ones((4093, 1), np.int8), kernel=(1, 1), padding=0)


def pool(size: int) -> Callable[[NetworkBuilder], str]:
    return lambda net: net.max_pool(INPUT, kernel=size, stride=size)


ROOMY = replace(TINY, buffer_bytes=1 << 20)
CASES = {
    "classes": (
        SMALL,
        network((2, 2, 1), pool(1), classes=17),
        "layer linear_1: classes must be at most logit_entries (16) on a dbpim chip, got 17",
    ),
    "image height": (
        ROOMY,
        network((1024, 16, 1), pool(16)),
        "the image's height must be at most 1023 on a dbpim chip, got 1024",
    ),
    "map height": (
        ROOMY,
        network((1020, 2, 1), lambda net: net.max_pool(widened(net), kernel=9, stride=9)),
        "layer conv_0: the output's height must be at most 1023 on a dbpim chip, got 1027",
    ),
    "map channels": (
        ROOMY,
        network((1, 1, 1), deep),
        "layer conv_0: the output's channels must be at most 4092 on a dbpim chip, got 4093",
    ),
    "window": (
        ROOMY,
        network((2, 128, 1), pool(1)),
        "layer linear_1: kernel_width must be at most 127 on a dbpim chip, got 128",
    ),
}


@pytest.mark.promise("a network that a chip cannot run is refused in one sentence")
@pytest.mark.parametrize("case", CASES)
def test_one_sentence(case: str) -> None:
    arch, refused, message = CASES[case]
    with pytest.raises(CompileError) as error:
        compile_network(refused, arch)
    assert str(error.value) == message
