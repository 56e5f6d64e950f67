"""The integer path: hand-made vectors, and the same maps as the reference on any network."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import golden.network as reference
from hwgen.network import QuantizedNetwork, byte_map
from hwgen.network.quantization import VECTORS, Requantization
from hwgen.train.integer import (
    answer,
    convolve,
    fits_float32,
    infer,
    integer_accuracy,
    requantize,
)
from tests.golden.drawn import draw_every_operation, draw_images, draw_joined
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import draw_recipe, extreme_images, random_images, random_network
from verif.mram.random_network import WEIGHTS_AND_MAPS, draw_adaptive


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector: Requantization) -> None:
    output = byte_map(
        (1, 1, 1),
        scale=1.0,
        zero_point=vector.zero_point,
        low=vector.low,
        high=vector.high,
    )
    numbers = vector.accumulator, vector.multiplier, vector.shift
    acc, multiplier, shift = (torch.tensor([number]) for number in numbers)
    assert requantize(acc, multiplier, shift, output.quantization[0]).tolist() == [vector.output]


def assert_same_maps(network: QuantizedNetwork, images: np.ndarray, *, mode: int = 0) -> None:
    # Torch makes no tensor of uint16 on all versions.
    tensor = torch.tensor(images.astype(np.int32))
    ours = infer(network, tensor, mode=mode)
    theirs = reference.infer(network, images, mode=mode)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert np.array_equal(ours[name].numpy().reshape(expected.shape), expected), name
    predicted = torch.tensor(reference.predict(network, images, mode=mode))
    assert integer_accuracy(network, tensor, predicted, mode=mode) == 1.0
    last = torch.tensor(theirs[network.answer].astype(np.int64))
    assert torch.equal(answer(network, tensor, mode=mode), last)


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    recipe = draw_recipe(seed)
    # No training has maps that grow.
    recipe = replace(recipe, kinds=tuple(kind for kind in recipe.kinds if kind != "grown"))
    network = random_network(recipe, seed=seed)
    assert_same_maps(network, random_images(network, count=3, seed=seed))
    assert_same_maps(network, extreme_images(network))


@pytest.mark.parametrize("name", sorted(set(DIRECTED) - {"growing_maps"}))
def test_directed_networks(name: str) -> None:
    network = directed(name)
    assert_same_maps(network, random_images(network, count=2, seed=1))


@pytest.mark.parametrize("seed", range(6))
def test_every_operation_in_three_modes(seed: int) -> None:
    network = draw_every_operation(seed)
    for mode in range(len(network.graph.modes)):
        assert_same_maps(network, draw_images(network, 3, seed=seed), mode=mode)


@pytest.mark.parametrize(("weight_bits", "map_bits"), WEIGHTS_AND_MAPS)
def test_widths_of_1_to_16_bits(weight_bits: int, map_bits: int) -> None:
    network = draw_adaptive(weight_bits, map_bits, seed=3, side=8)
    for mode in range(len(network.graph.modes)):
        assert_same_maps(network, draw_images(network, 3, seed=mode), mode=mode)


@pytest.mark.promise(
    "the integer path of training runs every operation of a network file as golden does"
)
@pytest.mark.parametrize("seed", range(8))
def test_every_operation_of_one_mode(seed: int) -> None:
    network = draw_every_operation(seed, modes=("1.0x",))
    ops = {layer.op for layer in network.layers}
    assert ops >= {"conv", "linear", "table", "rescale", "multiply", "shortcut", "average_pool"}
    assert any(layer.groups > 1 for layer in network.layers if layer.op == "conv")
    assert_same_maps(network, draw_images(network, 3, seed=seed))


@pytest.mark.parametrize("seed", range(8))
def test_joined_maps_groups_and_wide_sums(seed: int) -> None:
    network = draw_joined(seed)
    assert_same_maps(network, draw_images(network, 3, seed=seed))


def test_few_products_at_a_time_change_nothing(monkeypatch: Any) -> None:
    network = draw_joined(1)
    images = draw_images(network, 5, seed=1)
    monkeypatch.setattr("hwgen.train.integer.PRODUCTS_AT_ONCE", 1)
    monkeypatch.setattr("hwgen.train.integer.ELEMENTS_AT_ONCE", 1)
    assert_same_maps(network, images)


def test_of_equal_logits_the_first_counts() -> None:
    network = directed(next(iter(DIRECTED)))
    head = network.layers[-1].name
    parameters = network.parameters[head]
    parameters.weights[:] = 0
    parameters.bias[:] = 7
    images = torch.zeros(2, *network.graph.input.shape, dtype=torch.uint8)
    assert integer_accuracy(network, images, torch.tensor([0, 1])) == 0.5


@pytest.mark.promise(
    "grids of maps and their gradients are torch's bit by bit, weights lie on their grid"
)
@pytest.mark.parametrize("weight", [-127, 127])
def test_sums_at_the_limit_of_float32_are_exact(weight: int) -> None:
    """Just inside 2**24 a float32 convolution is taken, just outside none is; both are right."""
    taken = []
    for channels in (518, 519):
        x = torch.full((1, 1, 1, channels), 255)
        weights = torch.full((1, 1, 1, channels), weight, dtype=torch.int8)
        assert fits_float32(x, weights, 0) == (255 * 127 * channels <= 1 << 24)
        taken.append(fits_float32(x, weights, 0))
        if taken[-1]:
            network = directed(next(iter(DIRECTED)))
            conv = next(layer for layer in network.layers if layer.op == "conv")
            plain = replace(conv, kernel=(1, 1), stride=(1, 1), padding=(0, 0, 0, 0), groups=1)
            x[..., 0] = 254  # an odd sum: float32 holds it only below 2**24
            assert int(convolve(plain, x, 0, weights)) == weight * (255 * channels - 1)
    assert taken == [True, False]


def test_the_magnitude_of_the_lowest_weight_counts() -> None:
    """FTA gives -128, whose magnitude int8 does not hold."""
    x = torch.full((1, 1, 1, 600), 255)
    weights = torch.full((1, 1, 1, 600), -128, dtype=torch.int8)
    assert not fits_float32(x, weights, 0)
    assert fits_float32(x, weights[..., :500], 0)
