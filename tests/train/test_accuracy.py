"""What training promises: integer accuracy within a point of float at half of the blocks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.data import load_dataset
from hwgen.network import QuantizedNetwork
from hwgen.network.csd import phi
from hwgen.network.file import load_network
from hwgen.network.sparsity import ALPHA
from hwgen.train.integer import integer_accuracy
from hwgen.train.recipe import load_recipe
from hwgen.train.train import train_network
from tests.train.conftest import RECIPES

NETWORKS = RECIPES.parent / "networks"
SEEDS = (1, 2, 3, 4, 5)
POINT = 0.01


def kept_blocks(network: QuantizedNetwork) -> float:
    """Return the fraction of blocks with a weight, over all trained layers."""
    unpruned = total = 0
    for name, parameters in network.parameters.items():
        if "shortcut" in name:
            continue
        weights = parameters.weights.reshape(len(parameters.weights), -1)
        for group in range(0, len(weights), ALPHA):
            blocks = weights[group : group + ALPHA].any(axis=0)
            unpruned, total = unpruned + int(blocks.sum()), total + len(blocks)
    return unpruned / total


@pytest.mark.parametrize("name", ["digits_small_cnn", "digits_small_cnn_noise", "digits_resnet20"])
def test_the_hand_overs_in_the_tree(name: str) -> None:
    network = load_network(NETWORKS / f"{name}.npz")
    digits = load_dataset("digits")
    images, labels = torch.tensor(digits.test_images), torch.tensor(digits.test_labels)
    assert network.graph.name == name
    assert integer_accuracy(network, images, labels) >= 0.98
    assert kept_blocks(network) <= 0.5
    for parameters in network.parameters.values():
        assert np.vectorize(phi)(parameters.weights).max() <= 2


@pytest.mark.long
def test_five_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = load_recipe(RECIPES / "digits_small_cnn.yaml")
    rows = []
    for seed in SEEDS:
        result = train_network(recipe, out=tmp_path / str(seed), seed=seed, progress=False)
        rows.append((result.accuracy_float, result.accuracy_pruned, result.accuracy_integer))
        assert kept_blocks(load_network(result.network_path)) <= 0.5
        with capsys.disabled():
            print(f"\nseed {seed}: float {rows[-1][0]:.4f}", end="")
            print(f" pruned {rows[-1][1]:.4f} integer {rows[-1][2]:.4f}", end="")
    mean_float, mean_pruned, mean_integer = np.mean(rows, axis=0)
    with capsys.disabled():
        print(f"\nmean:   float {mean_float:.4f}", end="")
        print(f" pruned {mean_pruned:.4f} integer {mean_integer:.4f}")
    assert mean_float >= 0.985
    assert mean_integer >= mean_float - POINT
