"""Densities are counted from weights and maps; their file is read as it was written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hwgen.errors import HwgenError
from hwgen.network import INPUT
from hwgen.network.densities import (
    MapDensities,
    WeightDensities,
    densities_of,
    load_densities,
    map_counted,
    save_densities,
    weights_counted,
)
from hwgen.network.file import load_network
from hwgen.network.maps import byte_map
from tests.cli.given import ROOT

OWN = """\
format: hwgen.densities
version: 1
name: own
input: {height: 8, width: 8, channels: 3}
layers:
- {op: conv, name: first, channels: 24, kernel: [3, 3], padding: [1, 1, 1, 1]}
- {op: conv, channels: 24, kernel: [1, 1], weights: {pruned_blocks: 0.5, digits: [0, 1, 0, 0, 0]}}
- {op: add, inputs: [layer1, first], densities: {zero_planes: [0, 0, 0, 0, 0, 0, 0.5, 1]}}
- {op: average_pool, name: mean, kernel: [8, 8]}
- {op: linear, channels: 10}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_layers_of_a_file_have_shapes_that_follow(tmp_path: Path) -> None:
    found = load_densities(written(tmp_path, OWN))
    layers = {layer.name: layer.output.shape for layer in found.graph.layers}
    assert layers == {
        "first": (8, 8, 24),
        "layer1": (8, 8, 24),
        "layer2": (8, 8, 24),
        "mean": (1, 1, 24),
        "layer4": (1, 1, 10),
    }
    assert found.graph.outputs == ("layer4",)
    assert found.weights == {
        "layer1": WeightDensities(pruned_blocks=0.5, digits=(0.0, 1.0, 0.0, 0.0, 0.0))
    }
    assert found.maps["layer2"].zero_planes[6:] == (0.5, 1.0)
    assert found.maps[INPUT] == MapDensities()


@pytest.mark.parametrize("name", ["cifar10_resnet20_digits", "digits_vit", "cadnn_digits_cycles"])
def test_a_file_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    network = load_network(Path(name))
    rng = np.random.default_rng(1)
    features = {INPUT: network.graph.input} | {each.name: each.output for each in network.layers}
    maps = {
        key: rng.integers(0, 200, (1, *feature.shape)).astype(feature.dtype)
        for key, feature in features.items()
    }
    if len(network.graph.modes) > 1:
        with pytest.raises(HwgenError, match="modes must be one for densities"):
            densities_of(network, maps)
        return
    found = densities_of(network, maps)
    save_densities(found, tmp_path / "found.yaml")
    again = load_densities(tmp_path / "found.yaml")
    assert (again.weights, again.maps) == (found.weights, found.maps)
    assert again.graph.layers == found.graph.layers
    assert again.graph.input == found.graph.input


def test_weights_are_counted_by_blocks_and_groups() -> None:
    weights = np.zeros((16, 4), np.int64)
    weights[:8, :2] = 4  # one digit in two of four blocks
    weights[8, 0], weights[9, 1] = 5, 1
    found = weights_counted(weights)
    assert (found.block_filters, found.pruned_blocks) == (16, 0.5)
    assert found.digits == (0.0, 0.5, 0.5, 0.0, 0.0)
    assert found.exact
    weights[9, 0] = 5
    assert not weights_counted(weights).exact  # a filter with weights of one digit and of two
    weights[9, 0], weights[9, 2] = 0, 1
    assert weights_counted(weights).block_filters == 8
    assert weights_counted(weights).pruned_blocks == pytest.approx(3 / 8)
    weights[15, 0] = 0b1010101
    assert weights_counted(weights).digits == (0.0, 0.5, 0.0, 0.0, 0.5)
    assert weights_counted(weights).more_than_two == pytest.approx(1 / 3, abs=1e-4)


def test_planes_are_counted_in_groups_of_channels() -> None:
    found = np.zeros((1, 1, 2, 20), np.uint8)
    found[0, 0, 0, 3], found[0, 0, 1, 18] = 1, 130
    counted = map_counted(found, byte_map((1, 2, 20), scale=1.0, zero_point=0, low=0, high=255))
    assert counted.ones == (0.025, 0.025, 0, 0, 0, 0, 0, 0.025)
    assert counted.zero_planes == (0.75, 0.75, 1, 1, 1, 1, 1, 0.75)


WRONG = {
    "op: average_pool": ("op: mean", "layers.3.op must be one of conv, linear"),
    "kernel: [8, 8]": ("kernel: [9, 8]", r"kernel must be inside its input \(8, 8, 24\)"),
    "inputs: [layer1, first]": ("inputs: [layer1, last]", "inputs must be among input, first"),
    "pruned_blocks: 0.5": (
        "pruned_blocks: 1.5",
        "pruned_blocks must be less than or equal to 1, got 1.5",
    ),
    "digits: [0, 1": ("digits: [0.5, 1", "digits must be shares whose sum is 1"),
    "0.5, 1]": ("0.5]", "zero_planes must be at least 8 long"),
    "densities: {zero_planes: [0, 0, 0, 0, 0, 0, 0.5, 1]}": (
        "densities: 3",
        "densities must be a mapping, got 3",
    ),
    "hwgen.densities": ("hwgen.network", "format must be 'hwgen.densities'"),
    "name: mean": ("color: blue", "color"),
}


@pytest.mark.parametrize("part", WRONG)
def test_mistakes_are_one_sentence(part: str, tmp_path: Path) -> None:
    other, sentence = WRONG[part]
    assert part in OWN
    with pytest.raises(HwgenError, match=sentence) as raised:
        load_densities(written(tmp_path, OWN.replace(part, other)))
    assert "own.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_page_shows_a_file_that_works(tmp_path: Path) -> None:
    page = (ROOT / "docs/howto/explore.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    shown: dict[str, Any] = yaml.safe_load(text)
    found = load_densities(written(tmp_path, text))
    assert [layer.op for layer in found.graph.layers] == [each["op"] for each in shown["layers"]]
