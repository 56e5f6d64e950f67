"""Softmax and layer norm, whole on RTL: every element, step, cycle and event."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import load_network
from tests.verif.dbpim.chips import CONFIGS, check_chip, chip_arch
from verif.common.drawing import Drawing, draw_images


def softmax_network(seed: int) -> QuantizedNetwork:
    """Return a convolution and a softmax, whose last word is not full."""
    drawing = Drawing(seed, modes=("all",), shape=(3, 5, 5))
    drawing.rounding = "float32"
    return drawing.build(drawing.softmax(drawing.conv(INPUT, (20,)), groups=1, scale=0.05))


def norm_network(seed: int) -> QuantizedNetwork:
    """Return a norm and a softmax of two groups between convolutions."""
    drawing = Drawing(seed, modes=("all",), shape=(5, 3, 5))
    drawing.rounding = "float32"
    now = drawing.layer_norm(drawing.conv(INPUT, (24,), kernel=(2, 1)))
    now = drawing.softmax(drawing.conv(now, (32,)), groups=2, scale=(0.02, 0.3)[seed % 2])
    return drawing.build(drawing.conv(now, (9,)))


NETWORKS = {"softmax": softmax_network, "norm": norm_network}


def check(name: str, folder: Path, *, seed: int) -> None:
    """Compare a network on the small chip with golden and the model."""
    net = NETWORKS[name](seed)
    arch = replace(chip_arch("small_rows"), memory_latency_cycles=20 + 7 * (seed % 2))
    check_chip(net, arch, draw_images(net, 2, seed=seed), folder, batch=1 + seed % 2)


def test_a_shipped_transformer(tmp_path: Path) -> None:
    net = load_network(CONFIGS / "networks" / "digits_vit.npz")
    check_chip(net, chip_arch("small_rows"), draw_images(net, 1, seed=0), tmp_path)


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_between_convolutions(name: str, tmp_path: Path) -> None:
    check(name, tmp_path, seed=2)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 13))
@pytest.mark.parametrize("name", NETWORKS)
def test_more_rows(name: str, seed: int, tmp_path: Path) -> None:
    check(name, tmp_path, seed=seed)
