"""The integer path: hand-made vectors, and the same maps as the reference on any network."""

import numpy as np
import pytest
import torch

import golden.network as reference
from hwgen.spec.network import QuantizedNetwork, byte_map
from hwgen.spec.quantization import VECTORS, Requantization
from hwgen.train.integer import infer, integer_accuracy, requantize
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import draw_recipe, extreme_images, random_images, random_network


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
    assert requantize(acc, multiplier, shift, output).tolist() == [vector.output]


def assert_same_maps(network: QuantizedNetwork, images: np.ndarray) -> None:
    ours = infer(network, torch.tensor(images))
    theirs = reference.infer(network, images)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert np.array_equal(ours[name].numpy().reshape(expected.shape), expected), name
    predicted = torch.tensor(reference.predict(network, images))
    assert integer_accuracy(network, torch.tensor(images), predicted) == 1.0


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    assert_same_maps(network, random_images(network, count=3, seed=seed))
    assert_same_maps(network, extreme_images(network))


@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks(name: str) -> None:
    network = directed(name)
    assert_same_maps(network, random_images(network, count=2, seed=1))


def test_of_equal_logits_the_first_counts() -> None:
    network = directed(next(iter(DIRECTED)))
    head = network.layers[-1].name
    parameters = network.parameters[head]
    parameters.weights[:] = 0
    parameters.bias[:] = 7
    images = torch.zeros(2, *network.graph.input.shape, dtype=torch.uint8)
    assert integer_accuracy(network, images, torch.tensor([0, 1])) == 0.5
