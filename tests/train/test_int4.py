"""Training of weights of four bits, for chips whose macros have them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.data import Dataset
from hwgen.dbpim.compiler import compile_network
from hwgen.network import Conv, Linear
from hwgen.network.file import load_network
from hwgen.train.chip_weights import FixedDigits
from hwgen.train.recipe import Quantization, Recipe, load_recipe
from hwgen.train.train import train_network
from tests.train.conftest import RECIPES
from tests.verif.dbpim.chips import chip_arch
from verif.dbpim.component import of_four_bits


@pytest.mark.promise(
    "the recipe rule `int4` trains weights of -8 to 7, whose network a chip of such weights runs"
)
def test_a_trained_network_has_weights_of_four_bits(
    recipe: Recipe, on_few_digits: Dataset, tmp_path: Path
) -> None:
    rule = Quantization(rule="int4", range_momentum=0.95, step="least_error")
    train_network(replace(recipe, quantization=rule), out=tmp_path, progress=False)
    network = load_network(tmp_path / "network.npz")
    weighted = [layer for layer in network.layers if isinstance(layer, Conv | Linear)]
    assert {layer.weight_bits for layer in weighted} == {4}
    found = {
        int(each) for layer in weighted for each in network.parameters[layer.name].weights.flat
    }
    assert found == set(range(-8, 8))
    four = of_four_bits(chip_arch("small"))
    eight = replace(four, macro=replace(four.macro, weight_bits=8))
    # Rows of weights are most of a program; masks, parameters and instructions are the rest.
    sizes = [len(compile_network(network, arch).image) for arch in (four, eight)]
    assert sizes[0] < 0.75 * sizes[1]


@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("step", ["largest", "least_error"])
def test_the_steps_of_four_bits(step: str, *, common: bool) -> None:
    """Steps of the largest weight clip nothing; those of least error are shorter, and better."""
    weight = torch.randn(12, 6, 3, 3, generator=torch.Generator().manual_seed(7))
    mask = torch.ones_like(weight, dtype=torch.bool)
    mask[:, 0] = False
    errors = []
    for each in ("largest", step):
        quantizer = FixedDigits(weight, rule="int4", common=common, step=each)
        quantizer.prune(mask)
        quantizer.renew(weight)
        q, scale = quantizer.integers(weight)
        assert q.min() >= -8 and q.max() <= 7 and q.abs().max() >= 7 and not q[:, 0].any()
        largest = weight.abs().flatten(1).amax(1)
        if common:
            largest = largest.amax().expand_as(largest)
        share = scale / (largest / 7)
        assert bool((share <= 1 + 1e-6).all() and (share > 0.5).all())
        assert each == "least_error" or torch.allclose(share, torch.ones(12))
        errors.append((q * scale.reshape(-1, 1, 1, 1) - weight * mask).square().sum())
    assert errors[1] <= errors[0] and (step == "largest" or errors[1] < 0.9 * errors[0])


def test_the_recipe_that_ships_is_that_of_the_demo_with_four_bits() -> None:
    four, demo = (load_recipe(RECIPES / f"digits_small_cnn{end}.yaml") for end in ("_int4", ""))
    rule = Quantization(rule="int4", range_momentum=0.95, step="least_error")
    assert four == replace(demo, name=four.name, quantization=rule)
    assert np.isclose(four.pruning.share, 0.5)
