"""The bit planes that could be skipped, counted from golden's inputs one group at a time."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from golden.ops.windows import windows
from hwgen.data import load_dataset
from hwgen.dbpim.compiler import compile_network
from hwgen.dbpim.facts import load_arch, with_sparsity
from hwgen.dbpim.model import ColumnCounter
from hwgen.network import INPUT, Conv, Linear
from hwgen.network.file import load_network
from verif.common.drawing import draw_images
from verif.dbpim.network_builder import NetworkBuilder
from verif.dbpim.sequences import Sequence, network_of

ROOT = Path(__file__).parents[3]
NETWORK = load_network(ROOT / "configs/networks/digits_small_cnn.npz")
SMALL = load_arch(ROOT / "configs/dbpim/small.yaml")
MAPS = infer(NETWORK, load_dataset("digits").test_images[:1])
GROUP = 8


def expected(layer: Conv | Linear, *, skip_values: bool, repeats: int) -> tuple[int, int]:
    """Return zero bit planes and all: a group of filters meets eight selected inputs at a time."""
    weights = NETWORK.parameters[layer.name].weights
    flat = weights.reshape(len(weights), -1)
    before = MAPS[layer.inputs[0]]
    if isinstance(layer, Conv):
        zero_point = NETWORK.map_of(layer.inputs[0]).quantization[0].zero_point
        before = windows(
            before,
            kernel=layer.kernel,
            stride=layer.stride,
            padding=layer.padding,
            fill=zero_point,
        )
    seen = before.reshape(-1, flat.shape[1])
    zero = total = 0
    for start in range(0, len(flat), GROUP):
        filters = flat[start : start + GROUP]
        every = np.arange(flat.shape[1])
        selected = np.flatnonzero(filters.any(axis=0)) if skip_values else every
        uses = 1 if skip_values else -(-len(filters) // repeats)
        for first in range(0, len(selected), GROUP):
            union = np.bitwise_or.reduce(seen[:, selected[first : first + GROUP]], axis=1)
            ones = np.array([max(1, int(byte).bit_count()) for byte in union])
            zero += int((8 - ones).sum()) * uses
            total += 8 * len(ones) * uses
    return zero, total


def test_a_second_walk_counts_again() -> None:
    """85 = 80 + 5 walks three inputs twice; 0b101 has six planes of eight that are zero."""
    net = NetworkBuilder(name="twice", shape=(1, 3, 3), seed=1)
    now = net.conv(INPUT, np.full((5, 3), 85, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, 15), 3, np.int8), head=True)
    network = net.build()
    maps = infer(network, np.full((1, 1, 3, 3), 0b101, np.uint8))
    counts = ColumnCounter(compile_network(network, SMALL), SMALL).count(maps)
    assert tuple(counts["conv_0"]) == (2 * 3 * 6, 2 * 3 * 8)


@pytest.mark.parametrize(("switches", "filters"), [("all", 8), ("none", 2)])
def test_counts_are_those_of_the_groups(switches: str, filters: int) -> None:
    arch = with_sparsity(SMALL, switches)
    counts = ColumnCounter(compile_network(NETWORK, arch), arch).count(MAPS)
    weighted = [layer for layer in NETWORK.layers if isinstance(layer, Conv | Linear)]
    # A convolution with a fused addition counts under the name of the addition.
    names = [{"conv3": "residual"}.get(layer.name, layer.name) for layer in weighted]
    assert list(counts) == names
    for name, layer in zip(names, weighted, strict=True):
        wanted = expected(layer, skip_values=switches == "all", repeats=filters)
        assert tuple(counts[name]) == wanted, layer.name


def test_a_sequence_counts_as_the_map_that_the_chip_holds() -> None:
    arch, counts = load_arch(ROOT / "configs/dbpim/small_rows.yaml"), []
    for sides in ((16, 1), (4, 4)):
        net = network_of(Sequence(sides=sides, width=16, heads=2, end="bytes"), seed=3)
        maps = infer(net, draw_images(net, 1, seed=1).reshape(1, *sides, -1))
        counts.append(ColumnCounter(compile_network(net, arch), arch).count(maps))
    assert counts[0] == counts[1]
