"""Cycles of one stream of words for all cores."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts import Arch, load_arch
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.model.prediction import Prediction
from hwgen.network import INPUT, QuantizedNetwork
from verif.dbpim.network_builder import NetworkBuilder

SMALL = load_arch(Path("configs/dbpim/small.yaml"))


def network(*kept: slice) -> QuantizedNetwork:
    """Return a 1 x 1 layer of 8 filters a group, each with some inputs of 64, and a head."""
    weights = np.zeros((8 * len(kept), 64), np.int8)
    for group, inputs in enumerate(kept):
        weights[8 * group : 8 * group + 8, inputs] = 3
    net = NetworkBuilder(name="shared", shape=(8, 8, 64), seed=1)
    now = net.conv(INPUT, weights, kernel=(1, 1), padding=0)
    now = net.max_pool(now, kernel=8, stride=8)
    net.linear(now, np.full((2, 8 * len(kept)), 3, np.int8), head=True)
    return net.build()


def predict(given: QuantizedNetwork, arch: Arch) -> Prediction:
    image = np.full((1, 8, 8, 64), 255, np.uint8)
    return CycleModel(compile_network(given, arch), arch).predict(infer(given, image))


def conv_cycles(given: QuantizedNetwork, arch: Arch) -> int:
    return sum(step.cycles for step in predict(given, arch).found if step.layer == "conv_0")


def shared(**changes: int) -> Arch:
    return replace(SMALL, input_streams="shared", macro=replace(SMALL.macro, rows=32), **changes)


ALL = slice(0, 64)
WIDE = {"tile_rows": 16, "mask_bytes": 256, "buffer_bytes": 1 << 16}


@pytest.mark.promise(
    "with one stream all cores get the same words, in tiles cut for all of them, and wait for"
    " each other"
)
def test_one_core_has_one_stream_either_way() -> None:
    one = shared(cores=1, **WIDE)
    assert predict(network(ALL), one).cycles == (
        predict(network(ALL), replace(one, input_streams="own")).cycles
    )


def test_a_core_without_filters_is_idle() -> None:
    """One group on two cores: with streams of their own they divide the positions."""
    arch = shared(**WIDE)
    alone, divided = (
        conv_cycles(network(ALL), each) for each in (arch, replace(arch, input_streams="own"))
    )
    assert 1.7 * divided < alone < 2.1 * divided


def test_all_cores_wait_for_the_fullest() -> None:
    """Two groups of 32 inputs, one in the first tile and one in the last: each waits for the other.

    With the same inputs none waits. A chunk is all 32 vectors, more than queues and fetchers hold.
    """
    arch = shared(**WIDE | {"tile_rows": 4, "psum_entries": 64})
    first, last = slice(0, 32), slice(32, 64)
    together, apart = (conv_cycles(network(first, other), arch) for other in (first, last))
    assert apart > 1.6 * together


def test_a_word_is_read_once_for_all_cores() -> None:
    """Two groups of filters on two cores read the banks as often as one group on one core."""
    alone, together = (
        sum(
            events["bank_reads"]
            for step, events in zip(found.found, found.step_events, strict=True)
            if step.layer == "conv_0"
        )
        for found in (
            predict(network(ALL), shared(cores=1, **WIDE)),
            predict(network(ALL, ALL), shared(**WIDE)),
        )
    )
    assert alone == together > 0
