"""Every network, made narrow, exports integers whose maps are those of the reference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import golden.network as reference
from hwgen.data import Dataset
from hwgen.network import Conv, QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.csd import phi
from hwgen.train.export import export_network
from hwgen.train.integer import infer
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold
from hwgen.train.prune import block_mask
from hwgen.train.recipe import Recipe

NARROW = {
    "small_cnn": (16, 1.0),
    "resnet20": (16, 0.5),
    "alexnet": (32, 1 / 16),
    "vgg19": (32, 1 / 16),
    "resnet18": (16, 1 / 8),
    "mobilenetv2": (16, 1 / 4),
    "efficientnetb0": (16, 1 / 4),
}
"""Side of the images and factor of the channels."""


def random_images(side: int) -> Dataset:
    random = np.random.default_rng(1)
    return Dataset(
        name="random",
        train_images=random.integers(0, 256, (24, side, side, 3), dtype=np.uint8),
        train_labels=np.arange(24) % 10,
        test_images=random.integers(0, 256, (3, side, side, 3), dtype=np.uint8),
        test_labels=np.arange(3),
        class_names=tuple("abcdefghij"),
        preprocessing="none",
        split="none",
    )


def drawn(name: str, recipe: Recipe) -> tuple[QuantizedTraining, QuantizedNetwork, Dataset]:
    """Return a random network on its integer grids, half of its blocks pruned, and its export."""
    side, width = NARROW[name]
    dataset = random_images(side)
    recipe = replace(recipe, input_mean=0.45, input_std=0.25)
    torch.manual_seed(3)
    network = Network(plan_model(name, dataset.shape, 10, width=width))
    for parameter in network.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, 0.3, 0.5)
    images = torch.tensor(dataset.train_images).permute(0, 3, 1, 2).float()
    images = (images - recipe.input_zero_point) * recipe.input_scale
    with torch.no_grad():
        network.train()(images)
        for node in network.plan.sparse:
            layer = network.layer(node.name)
            layer.chip.prune(block_mask(layer.original, 0.5))
        quantized = QuantizedTraining(network.plan, rule="mode", momentum=0.9)
        fold(network, quantized)
        quantized.renew_thresholds()
        quantized.train()(images)
    return quantized, export_network(quantized, recipe, dataset), dataset


@pytest.mark.promise("every network exports integers whose maps are those of golden")
@pytest.mark.parametrize("name", NARROW)
def test_same_maps_as_the_reference(name: str, recipe: Recipe) -> None:
    quantized, network, dataset = drawn(name, recipe)
    check_network(network, source="test")
    images = dataset.test_images
    ours = infer(network, torch.tensor(images))
    theirs = reference.infer(network, images)
    assert list(ours) == list(theirs)
    for layer, expected in theirs.items():
        assert np.array_equal(ours[layer].numpy(), expected), layer
    assert {len(np.unique(values)) > 1 for values in theirs.values()} == {True}
    # Rounded biases and multipliers of 16 bits move a byte now and then.
    grid = network.graph.input.quantization[0]
    real = (torch.tensor(images).permute(0, 3, 1, 2).float() - grid.zero_point) * grid.scale
    with torch.no_grad():
        logits = quantized.eval()(real)
    scale = network.layers[-1].output.quantization[0].scale
    integers = ours[network.answer].flatten(1) * scale
    assert torch.allclose(integers, logits, atol=0.2 * float(logits.std()))


@pytest.mark.promise("depthwise weights keep all digits, all others obey masks and FTA")
@pytest.mark.parametrize("name", ["mobilenetv2", "efficientnetb0"])
def test_depthwise_weights_keep_all_digits(name: str, recipe: Recipe) -> None:
    _, network, _ = drawn(name, recipe)
    for layer in network.layers:
        if layer.name not in network.parameters:
            continue
        weights = network.parameters[layer.name].weights
        digits = np.vectorize(phi)(weights)
        if isinstance(layer, Conv) and layer.groups > 1:
            assert digits.max() > 2 and np.abs(weights).max() == 127
        else:
            assert digits.max() <= 2 and (weights == 0).mean() > 0.4


def test_a_shortcut_is_an_operation_of_its_own(recipe: Recipe) -> None:
    _, network, dataset = drawn("resnet20", recipe)
    shortcuts = [layer for layer in network.layers if layer.op == "shortcut"]
    assert len(shortcuts) == 2
    maps = reference.infer(network, dataset.test_images)
    for layer in shortcuts:
        (source,) = layer.inputs
        channels = network.map_of(source).channels
        assert np.array_equal(maps[layer.name][..., :channels], maps[source][:, ::2, ::2])
        zero_point = layer.output.quantization[0].zero_point
        assert (maps[layer.name][..., channels:] == zero_point).all()


@pytest.mark.promise(
    "tables hold their function, and option-A shortcuts are an operation of their own"
)
def test_tables_hold_the_function(recipe: Recipe) -> None:
    _, network, _ = drawn("efficientnetb0", recipe)
    for layer in network.layers:
        if layer.op != "table":
            continue
        before = network.map_of(layer.inputs[0]).quantization[0]
        after = layer.output.quantization[0]
        x = before.scale * (np.arange(256) - before.zero_point)
        sigmoid = 1 / (1 + np.exp(-x))
        real = sigmoid if layer.name.endswith("_factor") else x * sigmoid
        got = after.scale * (network.tables[layer.name][0].astype(float) - after.zero_point)
        inside = real.clip(-after.scale * after.zero_point, after.scale * (255 - after.zero_point))
        assert np.abs(got - inside).max() <= after.scale * 0.501
