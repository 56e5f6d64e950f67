"""The network against a reference that loops over every product, in Python's integers."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from golden.dbpim.network import infer, predict
from hwgen.spec.network import (
    INPUT,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Layer,
    Linear,
    MaxPool,
    QuantizedNetwork,
)
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.network_builder import NetworkBuilder, Scaling
from verif.dbpim.random_network import (
    Recipe,
    draw_recipe,
    extreme_images,
    random_images,
    random_network,
)

Pixels = dict[tuple[int, ...], int]
"""One map: (y, x, channel) -> byte or logit."""


def to_byte(total: int, multiplier: int, shift: int, output: FeatureMap) -> int:
    value = (total * multiplier + 2 ** (shift - 1)) // 2**shift + output.zero_point
    return max(output.low, min(output.high, value))


def positions(output: FeatureMap) -> Iterator[tuple[int, int, int]]:
    return product(range(output.height), range(output.width), range(output.channels))


def slow_weighted(network: QuantizedNetwork, layer: Conv | Linear, image: Pixels) -> Pixels:
    parameters, before = network.parameters[layer.name], network.map_of(layer.input)
    kernel, stride, padding = (before.height, before.width), 1, 0
    if isinstance(layer, Conv):
        kernel, stride = (layer.kernel_height, layer.kernel_width), layer.stride
        padding = layer.padding
    answer = {}
    for y, x, f in positions(layer.output):
        total = int(parameters.bias[f])
        flat = [int(weight) for weight in parameters.weights[f].flatten()]
        taps = product(range(kernel[0]), range(kernel[1]), range(before.channels))
        for weight, (i, j, c) in zip(flat, taps, strict=True):
            at = y * stride + i - padding, x * stride + j - padding, c
            total += weight * image.get(at, before.zero_point)
        if not layer.head:
            multiplier, shift = int(parameters.multiplier[f]), int(parameters.shift[f])
            total = to_byte(total, multiplier, shift, layer.output)
        answer[y, x, f] = total
    return answer


def slow_pool(network: QuantizedNetwork, layer: MaxPool | AveragePool, image: Pixels) -> Pixels:
    answer = {}
    for y, x, c in positions(layer.output):
        if isinstance(layer, MaxPool):
            top, left = y * layer.stride - layer.padding, x * layer.stride - layer.padding
            around = product(range(layer.kernel), repeat=2)
            seen = [image.get((top + i, left + j, c)) for i, j in around]
            answer[y, x, c] = max(byte for byte in seen if byte is not None)
        else:
            around = product(range(layer.kernel_height), range(layer.kernel_width))
            zero = network.map_of(layer.input).zero_point
            total = sum(
                image[y * layer.stride + i, x * layer.stride + j, c] - zero for i, j in around
            )
            answer[y, x, c] = to_byte(total, layer.multiplier, layer.shift, layer.output)
    return answer


def slow_layer(network: QuantizedNetwork, layer: Layer, maps: dict[str, Pixels]) -> Pixels:
    images = [maps[name] for name in layer.inputs]
    match layer:
        case Conv() | Linear():
            return slow_weighted(network, layer, images[0])
        case MaxPool() | AveragePool():
            return slow_pool(network, layer, images[0])
        case Add():
            za, zb = (network.map_of(name).zero_point for name in layer.inputs)
            return {
                at: to_byte(
                    (images[0][at] - za) * layer.multiplier_a
                    + (images[1][at] - zb) * layer.multiplier_b,
                    1,
                    layer.shift,
                    layer.output,
                )
                for at in positions(layer.output)
            }


def check(network: QuantizedNetwork, images: np.ndarray) -> None:
    fast = infer(network, images)
    assert list(fast) == [INPUT, *(layer.name for layer in network.layers)]
    for index, image in enumerate(images):
        maps = {INPUT: {at: int(byte) for at, byte in np.ndenumerate(image)}}
        for layer in network.layers:
            maps[layer.name] = slow_layer(network, layer, maps)
            slow = np.array([maps[layer.name][at] for at in positions(layer.output)])
            is_logits = layer is network.layers[-1]
            assert fast[layer.name].dtype == (np.int32 if is_logits else np.uint8)
            shape = layer.output.shape[2:] if is_logits else layer.output.shape
            assert (fast[layer.name][index] == slow.reshape(shape)).all(), layer.name


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check(network, random_images(network, 2, seed=seed))


@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks(name: str) -> None:
    network = directed(name)
    check(network, np.concatenate([extreme_images(network), random_images(network, 1, seed=0)]))


def test_a_batch_is_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(Recipe(), seed=3)
    images = random_images(network, 5, seed=4)
    together = infer(network, images)
    monkeypatch.setattr("golden.dbpim.network.PRODUCTS_AT_ONCE", 1)
    for name, maps in infer(network, images).items():
        assert (maps == together[name]).all()
    assert all(len(maps) == 0 for maps in infer(network, images[:0]).values())


def test_predict_takes_the_lowest_of_equals() -> None:
    network = directed("head_alone")
    images = random_images(network, 6, seed=0)
    logits = infer(network, images)[network.layers[-1].name]
    assert (logits[:, 1] == logits.max(axis=1)).all()
    assert (logits[:, 1] == logits[:, 3]).all()
    assert predict(network, images).tolist() == [1] * 6


def test_images_of_another_shape_are_refused() -> None:
    network = directed("narrow")
    with pytest.raises(ValueError, match=r"uint8 of shape \(3, 4, 1\) each, got uint8 of shape"):
        infer(network, np.zeros((1, 4, 3, 1), np.uint8))
    with pytest.raises(ValueError, match="got float64 of shape"):
        infer(network, np.zeros((1, 3, 4, 1)))


def test_sums_are_exact_at_the_edge_of_int32() -> None:
    net = NetworkBuilder(name="edge", shape=(181, 181, 2), seed=0)
    k = 181 * 181 * 2
    weights = np.array([[-128] * k, [127] * k, [-127] * (k - 1) + [-126]], np.int8)
    scaling = Scaling([-1, 1, 0], [1 << 15] * 3, [1] * 3)
    net.linear(INPUT, weights, scaling=scaling, head=True)
    logits = infer(net.build(), np.full((1, 181, 181, 2), 255, np.uint8))["linear_0"]
    assert logits.tolist() == [[-255 * 128 * k - 1, 255 * 127 * k + 1, -255 * (127 * k - 1)]]
