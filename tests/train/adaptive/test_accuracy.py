"""What channel-adaptive training promises: accuracy of every width in integers."""

import re
from pathlib import Path

import pytest
import torch

from hwgen.data import load_dataset
from hwgen.network.file import load_network
from hwgen.train.adaptive.recipe import load_adaptive_recipe
from hwgen.train.adaptive.train import train_adaptive
from hwgen.train.integer import integer_accuracy
from tests.train.conftest import RECIPES

NETWORKS = RECIPES.parent / "networks"
TABLE = NETWORKS / "README.md"
LEAST = (0.975, 0.97, 0.945, 0.80)
"""Accuracy on the digits in each of the four widths."""


@pytest.mark.promise("the digits network is right in all four widths on the integer path")
def test_the_shipped_network() -> None:
    network = load_network(NETWORKS / "cadnn_digits.npz")
    digits = load_dataset("digits")
    images, labels = torch.tensor(digits.test_images), torch.tensor(digits.test_labels)
    assert network.graph.modes == ("1.0x", "0.75x", "0.5x", "0.25x")
    for mode, least in enumerate(LEAST):
        assert integer_accuracy(network, images, labels, mode=mode) >= least


def test_shipped_networks_are_as_right_as_their_table_says() -> None:
    digits = load_dataset("digits")
    images, labels = torch.tensor(digits.test_images), torch.tensor(digits.test_labels)
    row = r"^\| `(\S*cadnn_digits\S*\.npz)` \| ([\d.]+ % .*) \|$"
    rows = re.findall(row, TABLE.read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {
        str(file.relative_to(NETWORKS)) for file in NETWORKS.rglob("cadnn_digits*.npz")
    }
    for name, cells in rows:
        network = load_network(NETWORKS / name)
        modes = range(len(network.graph.modes))
        found = [integer_accuracy(network, images, labels, mode=mode) for mode in modes]
        assert cells == " | ".join(f"{100 * each:.2f} %" for each in found), name


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_seeds(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = load_adaptive_recipe(RECIPES / "cadnn_digits.yaml")
    result = train_adaptive(recipe, out=tmp_path, seed=seed, progress=False)
    with capsys.disabled():
        for each in result.modes:
            print(f"\n{each.mode}: float {each.accuracy_float:.4f}", end="")
            print(f" integer {each.accuracy_integer:.4f}", end="")
    for each, least in zip(result.modes, LEAST, strict=True):
        assert each.accuracy_integer >= least
        assert each.accuracy_integer >= each.accuracy_float - 0.01
