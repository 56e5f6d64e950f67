"""Networks in the shapes of known ones: sizes, sparsity, and maps that use the whole byte."""

from functools import cache

import numpy as np
import pytest

from golden.network import infer
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.check import check_network
from verif.dbpim.known_networks import KNOWN, known_network
from verif.dbpim.random_network import random_images
from verif.reference.dbpim.csd import phi
from verif.reference.dbpim.pruning import block_mask

FACTS = {
    "resnet20": (0.27, 40.6, 10),
    "alexnet": (20.7, 33.2, 100),
    "vgg19": (20.1, 398.2, 100),
    "resnet18": (11.2, 555.5, 100),
    "mobilenetv2": (2.3, 85.4, 100),
    "efficientnetb0": (3.9, 29.3, 100),
}
"""Millions of weights, millions of multiplications (depthwise layers left out), classes."""


@cache
def narrow(name: str) -> QuantizedNetwork:
    return known_network(name, width=0.25)


def dense_layers(network: QuantizedNetwork) -> list[Conv | Linear]:
    layers = [layer for layer in network.layers if isinstance(layer, Conv | Linear)]
    return [layer for layer in layers if isinstance(layer, Linear) or layer.groups == 1]


@pytest.mark.long
@pytest.mark.parametrize("name", KNOWN)
def test_sizes(name: str) -> None:
    weights, products, classes = FACTS[name]
    network = known_network(name)
    layers = dense_layers(network)
    sizes = {layer.name: network.parameters[layer.name].weights.size for layer in layers}
    positions = {layer.name: layer.output.height * layer.output.width for layer in layers}
    macs = sum(size * positions[layer] for layer, size in sizes.items())
    assert sum(sizes.values()) / 1e6 == pytest.approx(weights, rel=0.03)
    assert macs / 1e6 == pytest.approx(products, rel=0.03)
    assert network.layers[-1].output.shape == (1, 1, classes)


@pytest.mark.dear("resnet20")
@pytest.mark.promise(
    "random networks have every operation; known shapes have the published sizes, half of the"
    " blocks pruned"
)
@pytest.mark.parametrize("name", KNOWN)
def test_half_of_the_blocks_are_pruned(name: str) -> None:
    network = narrow(name)
    check_network(network, source=name)
    for layer in dense_layers(network):
        weights = network.parameters[layer.name].weights
        flat = weights.reshape(len(weights), -1)
        assert block_mask(flat).mean() == pytest.approx(0.5, abs=0.02), layer.name
        assert phi(flat).max() <= 2


@pytest.mark.dear("alexnet")
@pytest.mark.parametrize("name", KNOWN)
def test_maps_use_the_byte(name: str) -> None:
    network = narrow(name)
    maps = infer(network, random_images(network, 2, seed=3))
    halves = []
    for layer in network.layers:
        values, range_ = maps[layer.name], layer.output.quantization[0]
        if layer.output.raw or values.size < 2000:
            continue
        assert len(np.unique(values)) > 100, layer.name
        assert np.mean(values == 255) < 0.2, layer.name
        if layer.op == "conv" and range_.low == range_.zero_point:
            halves.append(np.mean(values == range_.low))
    if halves:
        assert np.median(halves) == pytest.approx(0.5, abs=0.2)
    answers = maps[network.answer]
    assert len(np.unique(answers)) > 10
