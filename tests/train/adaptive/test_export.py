"""The export of maps with zero points that are not zero, in every mode."""

import numpy as np
import pytest
import torch

import golden.network as reference
from hwgen.data import Dataset
from hwgen.network import INPUT
from hwgen.train.adaptive.export import export_adaptive
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.recipe import load_adaptive_recipe
from hwgen.train.adaptive.widths import uniform
from hwgen.train.plans.builder import Builder
from hwgen.train.plans.plan import Plan
from tests.train.conftest import RECIPES


def signed_plan() -> Plan:
    """Return a network whose inner maps are not clipped at zero."""
    build = Builder("signed", (8, 8, 1), width=1.0)
    build.conv("conv1", 8, source=INPUT)
    build.conv("conv2", 12)
    build.max_pool("max_pool")
    build.conv("conv3", 8, stride=2)
    build.global_pool("average_pool")
    build.head(10)
    return build.plan()


ROUNDINGS = 4
"""Of three convolutions and a mean before the head: a tie turns a step at each."""


@pytest.mark.parametrize("bits", [8, 12])
def test_signed_maps(few_digits: Dataset, bits: int) -> None:
    """Answers are those of the trained network but for steps of the last map, one a rounding.

    Which ties turn depends on how a CPU sums; 2.0 steps of 4 at most were seen with four sets of
    instructions.
    """
    recipe = load_adaptive_recipe(RECIPES / "cadnn_digits.yaml")
    torch.manual_seed(bits)
    plan = signed_plan()
    table = uniform(plan, [1.0, 0.6, 0.3])
    network = AdaptiveNetwork(
        plan, table, weight_bits=bits, activation_bits=bits, range_momentum=0.5
    )
    network.quantized = True
    images = few_digits.train_images[:40]
    x = torch.tensor(images).permute(0, 3, 1, 2).float() * recipe.input_scale
    with torch.no_grad():
        for _ in range(30):
            for mode in range(3):
                network.train()(x, mode)
        wanted = [network.eval()(x, mode) for mode in range(3)]
    exported = export_adaptive(network, recipe, few_digits)
    for mode in range(3):
        assert exported.map_of("conv1").quantization[mode].zero_point > 0
        sums = reference.infer(exported, images, mode=mode)["head"].reshape(40, 10)
        given = sums * exported.map_of("head").quantization[mode].scale
        error = np.abs(given - wanted[mode].numpy()).max()
        channels = exported.map_of("average_pool").channels_in(mode)
        weights = exported.parameters["head"].weights[:, :channels].astype(int)
        step = np.abs(weights).sum(axis=1).max() * exported.map_of("head").quantization[mode].scale
        assert error < ROUNDINGS * step
