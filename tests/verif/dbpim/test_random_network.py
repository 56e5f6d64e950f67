"""Generated networks are valid and repeatable, use the whole byte and follow their recipe."""

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler.supported import OPS, ROW_UNIT_OPS
from hwgen.network import QuantizedNetwork
from hwgen.network.check import check_network
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import (
    ENDS,
    KINDS,
    ROW_KINDS,
    Recipe,
    draw_recipe,
    draw_row_recipe,
    extreme_images,
    random_images,
    random_network,
)
from verif.dbpim.random_weights import draw_weights
from verif.reference.dbpim.csd import phi
from verif.reference.dbpim.pruning import block_mask


def filters_of(network: QuantizedNetwork) -> list[np.ndarray]:
    """Weights of each layer as (filters, k), without those of depthwise layers: they are int8."""
    grouped = {layer.name for layer in network.layers if getattr(layer, "groups", 1) > 1}
    weights = [
        parameters.weights for name, parameters in network.parameters.items() if name not in grouped
    ]
    return [each.reshape(len(each), -1) for each in weights]


@pytest.mark.dear("9")
@pytest.mark.parametrize("seed", range(40))
def test_every_seed_gives_a_valid_network_of_its_digits(seed: int) -> None:
    recipe = draw_recipe(seed)
    network = random_network(recipe, seed=seed)
    check_network(network, source="test")
    assert network.graph.input.shape == (recipe.height, recipe.width, recipe.channels)
    assert (
        max((phi(weights).max() for weights in filters_of(network)), default=0) <= recipe.max_digits
    )
    assert random_network(recipe, seed=seed).digest == network.digest
    assert random_network(recipe, seed=seed + 1).digest != network.digest


def test_drawn_recipes_meet_every_kind() -> None:
    recipes = [draw_recipe(seed) for seed in range(40)]
    assert {kind for recipe in recipes for kind in recipe.kinds} == set(KINDS)
    assert {recipe.end for recipe in recipes} == set(ENDS)
    assert {recipe.max_digits for recipe in recipes} == {2, 3, 4}


@pytest.mark.promise(
    "random networks have every operation; known shapes have the published sizes, half of the"
    " blocks pruned"
)
def test_drawn_networks_have_every_operation() -> None:
    networks = [random_network(draw_recipe(seed), seed=seed) for seed in range(40)]
    layers = [layer for network in networks for layer in network.layers]
    # States are in test_states.py and test_decoders.py.
    assert {layer.op for layer in layers} == set(OPS) - {"state"}
    growths = [layer for layer in layers if layer.op == "upsample"]
    assert {layer.fill for layer in growths} == {"repeat", "zero"}
    assert any(layer.factor[0] != layer.factor[1] for layer in growths)
    convs = [layer for layer in layers if layer.op == "conv"]
    assert any(layer.stride[0] != layer.stride[1] for layer in convs)
    assert any(len(set(layer.padding)) > 2 for layer in convs)
    assert {(layer.kernel[0], layer.stride[0]) for layer in convs if layer.groups > 1} >= {
        (size, stride) for size in (3, 5) for stride in (1, 2)
    }
    assert {network.layers[-1].output.raw for network in networks} == {False, True}
    assert max(network.graph.input.channels for network in networks) > 8


@pytest.mark.promise(
    "so are random networks that have products, softmax, layer norm and constants between other"
    " layers"
)
def test_drawn_networks_have_all_of_a_row_unit() -> None:
    recipes = [draw_row_recipe(seed) for seed in range(12)]
    assert all(set(recipe.kinds) & set(ROW_KINDS) for recipe in recipes)
    networks = [random_network(recipe, seed=seed) for seed, recipe in enumerate(recipes)]
    for network in networks:
        check_network(network, source="test")
    layers = [layer for network in networks for layer in network.layers]
    # Stacks of any sides, on drawn chips, are in tests/dbpim/compiler/test_stacks.py; what decoders
    # alone have, in test_decoders.py.
    assert {layer.op for layer in layers} >= set(ROW_UNIT_OPS) - {
        "stack",
        "append",
        "rows",
        "causal_softmax",
    }
    assert {layer.groups > 1 for layer in layers if layer.op == "softmax"} == {False, True}
    assert {layer.transposed for layer in layers if layer.op == "matmul"} == {False, True}


def test_outputs_spread_over_the_byte() -> None:
    network = random_network(Recipe(kinds=KINDS, zero_points=False), seed=1)
    maps = infer(network, random_images(network, 32, seed=2))
    for layer in network.layers[:-1]:
        values = maps[layer.name]
        assert len(np.unique(values)) > min(100, values.size / 20), layer.name
        assert np.mean(values == 255) < 0.1, layer.name
    logits = maps[network.layers[-1].name]
    assert len(np.unique(logits.argmax(axis=3))) > 1


@pytest.mark.dear("0.0")
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9])
def test_pruned_share_of_blocks(share: float) -> None:
    weights = draw_weights(np.random.default_rng(0), phis=[1, 2] * 10, k=40, pruned_share=share)
    unpruned = block_mask(weights)
    assert unpruned.shape == (3, 40)
    assert unpruned.mean() == pytest.approx(1 - share, abs=0.01)
    # FTA: every weight of an unpruned block has exactly the digits of its filter.
    digits = phi(weights)
    for group, mask in enumerate(unpruned):
        inside = digits[8 * group : 8 * group + 8]
        assert (inside[::2, mask] == 1).all()
        assert (inside[1::2, mask] == 2).all()
        assert not inside[:, ~mask].any()


def test_loose_filters_have_up_to_phi_digits() -> None:
    weights = draw_weights(np.random.default_rng(0), phis=[2] * 8, k=99, loose_share=1.0)
    assert set(phi(weights).flatten().tolist()) == {0, 1, 2}


def test_four_digits_on_request() -> None:
    network = random_network(Recipe(max_digits=4, zero_points=False), seed=5)
    assert max(phi(weights).max() for weights in filters_of(network)) == 4
    assert network.graph.input.quantization[0].zero_point == 0


def test_empty_groups_on_request() -> None:
    network = random_network(Recipe(empty_share=1.0, filters=(16,)), seed=6)
    conv = filters_of(network)[0]
    assert [bool(group.any()) for group in (conv[:8], conv[8:])].count(False) == 1


@pytest.mark.dear("head_alone")
@pytest.mark.parametrize("name", DIRECTED)
def test_directed_networks_are_valid_and_repeatable(name: str) -> None:
    network = directed(name)
    check_network(network, source=name)
    assert network.graph.name == name
    assert directed(name).digest == network.digest


def test_directed_mixed_phi() -> None:
    for weights in filters_of(directed("mixed_phi"))[:2]:
        assert {int(phi(filter_).max()) for filter_ in weights[:8]} == {0, 1, 2}


def test_directed_mixed_digits() -> None:
    first, second, third = filters_of(directed("mixed_digits"))[:3]
    for weights in (first, second):
        assert {int(phi(filter_).max()) for filter_ in weights[:8]} == {0, 1, 2, 3, 4}
        assert phi(weights[8:16]).max() == 2
    assert phi(third).min() == 4


def test_directed_all_masked_group() -> None:
    for dead, weights in enumerate(filters_of(directed("all_masked_group"))[:3]):
        alive = [bool(weights[first : first + 8].any()) for first in (0, 8, 16)]
        assert alive == [group != dead for group in range(3)]
        assert (~weights.any(axis=1)).sum() == 9


def test_directed_zero_points() -> None:
    network = directed("zero_points")
    maps = [network.graph.input, *(layer.output for layer in network.layers[:-1])]
    assert all(feature.quantization[0].zero_point > 0 for feature in maps)


def test_directed_extremes_clip_at_both_ends() -> None:
    network = directed("extremes")
    assert {96, -96, 127, -128, -127} <= set(network.parameters["conv_0"].weights.flatten())
    maps = infer(network, extreme_images(network))["conv_0"]
    assert {0, 255} <= set(maps.flatten().tolist())


def test_directed_values() -> None:
    (weights, _) = filters_of(directed("all_two_digit_values"))
    assert len(np.unique(weights)) == 1 + 15 + 72
    assert len(np.unique(filters_of(directed("any_weights"))[0])) == 256
    assert {layer.output.channels for layer in directed("narrow").layers} == {1, 2, 3}
    assert directed("one_pixel").graph.input.shape == (1, 1, 1)


def test_extreme_images() -> None:
    network = directed("zero_points")
    images = extreme_images(network)
    assert [np.unique(image).tolist() for image in images] == [[0], [255], [131], [0, 255]]
    assert images.dtype == np.uint8
