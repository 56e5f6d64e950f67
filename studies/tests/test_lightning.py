"""The mapping on crossbars of another simulator: exact without effects, clipped as golden is."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from hwgen_studies.lightning import (
    POINT,
    Crossbar,
    Tiles,
    analog_linear,
    chip_of,
    golden_effects,
    plain,
)

from golden.crossbar.effects import erring
from golden.network import answer
from hwgen.commands.images import choose_images
from hwgen.files.shipped import networks
from hwgen.network.file import load_network

IMAGES = 4


def lightning(levels: torch.Tensor, most: int) -> Crossbar:
    """Return a crossbar of Lightning, where it is installed."""
    pytest.importorskip("aihwkit_lightning")
    return analog_linear(levels, most)


@pytest.mark.parametrize("make", [plain, lightning])
@pytest.mark.parametrize("less", [0, 2])
def test_clipped_sums_are_goldens(make: Callable[..., Crossbar], less: int) -> None:
    network = load_network(networks()["digits_small_cnn"])
    images, chip = choose_images(network, None, IMAGES).images, chip_of(network)
    wanted = erring(network, cast(Any, chip), golden_effects(0.0, less), 1)
    tiles = Tiles(chip, 0.0, POINT.adc_bits - less, 1, make)
    found = answer(network, images, sums_by=tiles)
    np.testing.assert_array_equal(found, answer(network, images, sums_by=wanted))
    assert np.array_equal(found, answer(network, images)) == (less == 0)


def test_seeds_are_other_cells() -> None:
    network = load_network(networks()["digits_small_cnn"])
    images, chip = choose_images(network, None, IMAGES).images, chip_of(network)
    answers = [
        answer(network, images, sums_by=Tiles(chip, 0.1, POINT.adc_bits, seed, plain))
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[1], answers[2])
