"""The random channel-adaptive networks are valid files, and every mode computes something."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.network.file import load_network, save_network
from verif.common.drawing import draw_images
from verif.mram.random_network import WEIGHTS_AND_MAPS, draw_adaptive


@pytest.mark.dear("8-1-1")
@pytest.mark.parametrize(("weight_bits", "map_bits"), WEIGHTS_AND_MAPS)
@pytest.mark.parametrize("side", [6, 8])
def test_a_valid_file_with_answers_in_every_mode(
    weight_bits: int, map_bits: int, side: int, tmp_path: Path
) -> None:
    path = tmp_path / "network.npz"
    save_network(draw_adaptive(weight_bits, map_bits, seed=1, side=side), path)
    network = load_network(path)
    images = draw_images(network, 4, seed=2)
    answers = []
    for mode in range(len(network.graph.modes)):
        maps = infer(network, images, mode=mode)
        assert len(np.unique(maps["conv_0"])) > 1
        answers.append(maps[network.answer])
    assert all((a != b).any() for a, b in itertools.pairwise(answers))
