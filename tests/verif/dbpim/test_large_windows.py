"""Depthwise convolutions of more taps than a core holds take the macros, and are equal in RTL."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts.timing import TAP_WORDS
from hwgen.network import INPUT, QuantizedNetwork
from tests.dbpim.compiler.test_execute import check
from tests.verif.dbpim.chips import check_chip, chip_arch, compiled
from tests.verif.dbpim.test_wide_filters import CHIPS
from verif.common.drawing import Drawing
from verif.dbpim.random_network import random_images


def drawn(seed: int) -> QuantizedNetwork:
    """Return a depthwise convolution of 33 to 63 taps, one of few taps and an addition.

    The first has 49 taps; some windows are of one row or column; some maps of one pixel.
    """
    draw = np.random.default_rng(seed)
    taps = 49 if not seed else int(draw.integers(TAP_WORDS + 1, 64))
    sides = [side for side in range(1, taps + 1) if taps % side == 0 and taps // side < 40]
    rows = 7 if not seed else int(draw.choice(sides))
    kernel, stride = (rows, taps // rows), tuple(draw.integers(1, 3, 2).tolist())
    channels = int(draw.integers(2, 8))
    top, left = (int(draw.integers(0, min(side, 16))) for side in kernel)
    height, width = (int(side) for side in draw.integers(1, 5, 2))
    bottom, right = (
        int(draw.integers(0, 3)) + max(0, side - before - size)
        for side, before, size in zip(kernel, (top, left), (height, width), strict=True)
    )
    net = Drawing(seed, modes=("1.0x",), shape=(height, width, channels))
    now = net.conv(
        INPUT,
        (channels,),
        kernel=kernel,
        stride=stride,
        padding=(top, left, bottom, right),
        groups=channels,
    )
    now = net.add(now, net.conv(now, (channels,), groups=channels))
    return net.build(net.linear(now, (3,), bits=32))


@pytest.mark.parametrize("chip", ["tiny", "paper", "paper_dense"])
def test_stream_gives_every_map_of_golden(chip: str) -> None:
    arch = chip_arch(chip, "none" if chip == "paper_dense" else "all")
    for seed in range(4):
        check(drawn(seed), arch, images=1 + seed % 2, seed=seed)


def test_only_more_taps_than_a_core_holds_take_the_macros() -> None:
    for arch, first in ((chip_arch("tiny"), "conv"), (CHIPS["masks"], "simd")):
        program = compiled(drawn(0), arch)
        assert [step.kind for step in program.facts.steps[1:3]] == [first, "simd"]


@pytest.mark.promise(
    "depthwise convolutions of any number of taps run on a DB-PIM chip: RTL equal to golden, cycles"
    " to the model"
)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("taps", [32, 64])
def test_rtl_is_equal(taps: int, seed: int, tmp_path: Path) -> None:
    """On the macros of the one chip, on the SIMD unit of the other."""
    arch = CHIPS["masks"] if taps > TAP_WORDS else chip_arch("tiny")
    assert arch.simd_taps == taps
    network = drawn(seed)
    check_chip(network, arch, random_images(network, 1, seed=seed), tmp_path)
