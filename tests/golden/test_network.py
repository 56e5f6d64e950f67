"""The network against a reference that loops over every product, in Python's integers."""

import numpy as np
import pytest

from golden.network import answer, infer, infer_layer, predict
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.check import check_network
from tests.golden.drawn import (
    MODES,
    draw_every_operation,
    draw_images,
    draw_joined,
    draw_moved,
    draw_tokens,
)
from tests.golden.slow import slow_layer
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.network_builder import NetworkBuilder, Scaling
from verif.dbpim.random_network import (
    Recipe,
    draw_recipe,
    extreme_images,
    random_images,
    random_network,
)


def check(network: QuantizedNetwork, images: np.ndarray, *, mode: int = 0) -> None:
    """Hold every map of every image against the reference that loops."""
    fast = infer(network, images, mode=mode)
    assert list(fast) == [INPUT, *(layer.name for layer in network.layers)]
    for index in range(len(images)):
        maps = {name: values[index] for name, values in fast.items()}
        for layer in network.layers:
            slow = slow_layer(network, layer, maps, mode)
            got = maps[layer.name]
            assert got.dtype == layer.output.dtype
            assert got.shape == (*layer.output.shape[:2], layer.output.channels_in(mode))
            assert (got == slow).all(), layer.name


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    network = random_network(draw_recipe(seed), seed=seed)
    check(network, random_images(network, 2, seed=seed))


@pytest.mark.dear("hidden_linear")
@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks(name: str) -> None:
    network = directed(name)
    check(network, np.concatenate([extreme_images(network), random_images(network, 1, seed=0)]))


@pytest.mark.promise(
    "every operation equals an element by element computation, in every mode, in odd sizes"
)
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("mode", range(len(MODES)))
def test_every_operation_in_every_mode(seed: int, mode: int) -> None:
    network = draw_every_operation(seed)
    check_network(network, source="drawn")
    check(network, draw_images(network, 2, seed=seed), mode=mode)


@pytest.mark.dear("0")
@pytest.mark.promise(
    "products of two maps, softmax, norms, constants and stacks equal fractions rounded step by"
    " step, for drawn transformers"
)
@pytest.mark.parametrize("seed", range(12))
def test_tokens_heads_and_norms(seed: int) -> None:
    network = draw_tokens(seed)
    check_network(network, source="drawn")
    images = draw_images(network, 2, seed=seed)
    images[0] = 0 if seed % 2 else 255
    check(network, images)


@pytest.mark.parametrize("seed", range(8))
def test_moved_elements_and_every_rounding(seed: int) -> None:
    network = draw_moved(seed)
    check_network(network, source="drawn")
    check(network, draw_images(network, 2, seed=seed))


@pytest.mark.parametrize("seed", range(8))
def test_joined_maps_groups_and_wide_sums(seed: int) -> None:
    network = draw_joined(seed)
    check_network(network, source="drawn")
    check(network, draw_images(network, 2, seed=seed))


def test_the_drawn_networks_use_every_operation() -> None:
    used = {layer.op for seed in range(8) for layer in draw_every_operation(seed).layers}
    assert used | {layer.op for layer in draw_joined(0).layers} == {
        *("conv", "linear", "max_pool", "average_pool", "add", "multiply", "rescale"),
        *("concatenate", "table", "shortcut"),
    }


@pytest.mark.parametrize("mode", range(len(MODES)))
def test_maps_of_the_drawn_networks_spread(mode: int) -> None:
    values: dict[str, int] = {}
    for seed in range(8):
        network = draw_every_operation(seed)
        maps = infer(network, draw_images(network, 4, seed=9), mode=mode)
        for layer in network.layers:
            found = len(np.unique(maps[layer.name]))
            values[layer.op] = max(found, values.get(layer.op, 0))
    assert min(values.values()) > 8, values


def test_a_batch_is_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(Recipe(), seed=3)
    images = random_images(network, 5, seed=4)
    together = infer(network, images)
    monkeypatch.setattr("golden.ops.maps.PRODUCTS_AT_ONCE", 1)
    for name, maps in infer(network, images).items():
        assert (maps == together[name]).all()
    assert all(len(maps) == 0 for maps in infer(network, images[:0]).values())


def test_maps_that_nobody_wants_are_dropped() -> None:
    network = draw_every_operation(1)
    images = draw_images(network, 3, seed=1)
    everything = infer(network, images, mode=1)
    wanted = [network.layers[2].name, network.answer]
    some = infer(network, images, mode=1, keep=wanted)
    assert sorted(some) == sorted(wanted)
    assert all((some[name] == everything[name]).all() for name in wanted)


@pytest.mark.promise("answers to a large set hold the maps of a few images at a time")
def test_answers_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(Recipe(), seed=3)
    images = random_images(network, 7, seed=4)
    together = infer(network, images)[network.answer]
    assert (answer(network, images) == together).all()
    alive = []

    def watched(given: QuantizedNetwork, layer: object, inputs: list[np.ndarray], **how: int):
        alive.append(len(inputs[0]))
        return infer_layer(given, layer, inputs, **how)

    monkeypatch.setattr("golden.network.ELEMENTS_AT_ONCE", 1)
    monkeypatch.setattr("golden.network.infer_layer", watched)
    assert (answer(network, images) == together).all()
    assert set(alive) == {1}
    assert answer(network, images[:0]).shape == (0, *together.shape[1:])


def test_the_answer_is_the_first_output() -> None:
    network = draw_every_operation(1)
    images = draw_images(network, 2, seed=0)
    assert len(network.graph.outputs) == 2
    first = infer(network, images, mode=2)[network.graph.outputs[0]]
    assert (answer(network, images, mode=2) == first).all()


def test_predict_takes_the_lowest_of_equals() -> None:
    network = directed("head_alone")
    images = random_images(network, 6, seed=0)
    logits = infer(network, images)[network.answer][:, 0, 0]
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
    extremes = [-255 * 128 * k - 1, 255 * 127 * k + 1, -255 * (127 * k - 1)]
    assert logits.ravel().tolist() == extremes
