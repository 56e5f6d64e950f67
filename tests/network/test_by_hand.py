"""Networks written by hand: golden computes what their layers say."""

from pathlib import Path

import numpy as np

from golden.network import outputs
from hwgen.network.by_hand import MIDDLE, NetworkByHand
from hwgen.network.file import load_network, save_network
from hwgen.network.graph import INPUT


def test_layers_compute_what_they_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    net = NetworkByHand("some", (4, 6, 2))
    table = rng.permutation(256).astype(np.uint8)
    weights = rng.integers(-3, 4, (3, 2, 3, 2))
    looked_up = net.table(INPUT, table)
    largest, mean = net.pool(INPUT, (2, 2)), net.pool(INPUT, (2, 2), mean=True)
    sums = net.conv(INPUT, weights, stride=(2, 3), raw=True, bias=np.array([1, -2, 3]))
    alone = net.conv(INPUT, np.ones((2, 1, 1, 1)), groups=2)
    copied = net.conv(alone, np.eye(2)[:, None, None])
    names = looked_up, largest, mean, sums, alone, copied
    network = net.built(*names)
    save_network(network, tmp_path / "net.npz")
    assert load_network(tmp_path / "net.npz").digest == network.digest

    images = rng.integers(0, 256, (3, 4, 6, 2)).astype(np.uint8)
    found = outputs(network, images)
    assert (found[looked_up] == table[images]).all()
    windows = images.reshape(3, 2, 2, 3, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(3, 2, 3, 4, 2)
    assert (found[largest] == windows.max(axis=3)).all()
    assert (found[mean] == (windows.astype(int).sum(axis=3) + 2) // 4).all()
    first = images[0, 0:2, 3:6].astype(int)
    assert found[sums][0, 0, 1, 1] == (first * weights[1]).sum() - 2
    wide = np.clip(images.astype(int) + MIDDLE, 0, 255)
    assert (found[alone] == wide).all()
    assert (found[copied] == wide).all()
