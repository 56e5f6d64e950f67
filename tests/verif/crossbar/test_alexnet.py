"""AlexNet's layers with a quarter of its channels and words of 16 bits, on a searched chip."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import save_network
from tests.verif.crossbar.random_chips import Recipe, counted, differences, find_chip, run_chip
from verif.common.drawing import Drawing, draw_images

BITS = 16
CONVOLUTIONS = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
"""Channels, kernel, stride and padding in torchvision's AlexNet."""
POOLED = (0, 1, 4)
"""Convolutions with a pooling behind them."""
HIDDEN, CLASSES = (4096, 4096), 1000


def alexnet(side: int, share: int) -> QuantizedNetwork:
    """Return AlexNet for images of `side` pixels with 1 of `share` channels, weights drawn."""
    net = Drawing(1, modes=("full",), shape=(side, side, 3), bits=BITS)
    now = INPUT
    for place, (channels, kernel, stride, padding) in enumerate(CONVOLUTIONS):
        now = net.conv(
            now,
            (channels // share,),
            kernel=(kernel, kernel),
            stride=(stride, stride),
            padding=(padding,) * 4,
            bits=BITS,
            weight_bits=BITS,
        )
        if place in POOLED:
            now = net.max_pool(now, kernel=(3, 3), stride=(2, 2), padding=(0, 0, 0, 0))
    for hidden in HIDDEN:
        now = net.linear(now, (hidden // share,), bits=BITS, weight_bits=BITS)
    return net.build(net.linear(now, (CLASSES // share,), bits=64, weight_bits=BITS))


@pytest.mark.long
@pytest.mark.parametrize("side", [64, 224])
def test_a_quarter_of_alexnet(side: int, tmp_path: Path) -> None:
    """A chip of three times the least power; one image."""
    network = alexnet(side, 4)
    file, images = tmp_path / "network.npz", tmp_path / "images.npz"
    seconds: dict[str, float] = {}
    save_network(network, file)
    np.savez(images, images=draw_images(network, 1, seed=3))
    with counted(seconds, "search"):
        chip = find_chip(file, Recipe(factor=3.0, objective="image"), tmp_path)
    with counted(seconds, "image"):
        report = run_chip(file, chip, images, tmp_path, count=1, batch=1)
    print(f"{side} pixels: {report.cycles_rtl:,} cycles, CPU s: {seconds}")
    assert differences(network, report) == {}
