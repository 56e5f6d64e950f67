"""Cycles of a convolution that adds another map to its results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts.arch import Arch, load_arch
from hwgen.dbpim.model import CycleModel
from hwgen.network import INPUT
from verif.dbpim.network_builder import NetworkBuilder

ARCH = replace(load_arch(Path("configs/dbpim/wide.yaml")), cores=1, switch_rate=8)
FLOATS = replace(ARCH, rounding=("half_up", "float32"))
CHANNELS = ARCH.macro.compartments


def conv_cycles(side: int, kernel: int, *, adds: bool, arch: Arch = ARCH) -> int:
    """Return the cycles of a convolution of zeros, one core alone."""
    net = NetworkBuilder(name="sums", shape=(side, side, CHANNELS), seed=1)
    weights = np.full((ARCH.filters, kernel * kernel * CHANNELS), 3, np.int8)
    now = net.conv(INPUT, weights, kernel=(kernel, kernel), padding=kernel // 2)
    conv = now
    if adds:
        now = net.add(now, INPUT)
    net.linear(now, np.full((2, side * side * ARCH.filters), 3, np.int8), head=True)
    network = net.build()
    maps = infer(network, np.zeros((1, side, side, CHANNELS), np.uint8))
    found = CycleModel(compile_network(network, arch), arch).predict(maps)
    return {step.name: step.cycles for step in found.found}[conv]


@pytest.mark.promise(
    "an addition of a convolution that nothing else reads is computed while its results are written"
)
def test_a_sum_takes_the_stages_of_the_adder() -> None:
    """One position: no word is fetched while its result is written."""
    assert conv_cycles(1, 1, adds=True) == conv_cycles(1, 1, adds=False) + ARCH.sum_cycles


@pytest.mark.promise(
    "on a chip that rounds as float32 output stage, residual adder and SIMD unit take two cycles"
    " more, and no other chip does"
)
def test_a_chip_that_rounds_as_float32_takes_two_cycles_more() -> None:
    assert (ARCH.requantize_cycles, ARCH.sum_cycles, ARCH.simd_cycles) == (3, 3, 4)
    assert (FLOATS.requantize_cycles, FLOATS.sum_cycles, FLOATS.simd_cycles) == (5, 5, 6)
    plain, floats = (
        [conv_cycles(1, 1, adds=adds, arch=arch) for adds in (False, True)]
        for arch in (ARCH, FLOATS)
    )
    assert [after - before for before, after in zip(plain, floats, strict=True)] == [2, 4]


def test_the_other_map_takes_reads_from_the_fetcher() -> None:
    """Words of zeros are computed as fast as they are fetched, from all banks at once."""
    assert conv_cycles(8, 3, adds=True) > conv_cycles(8, 3, adds=False) + ARCH.sum_cycles
