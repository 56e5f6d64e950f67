"""Complete networks of small width through `hwgen results`: RTL, dense and sparse, on two cores."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from hwgen.cli import main
from hwgen.network.file import save_network
from verif.dbpim.known_networks import known_network
from verif.dbpim.random_network import random_images

SMALL = Path(__file__).parents[2] / "configs/dbpim/small.yaml"
WIDTH = 0.125
SHORT = [("resnet20", "all")]
LONG = [
    ("efficientnetb0", "all"),
    ("alexnet", "none"),
    ("alexnet", "all"),
    ("efficientnetb0", "none"),
    ("mobilenetv2", "none"),
    ("mobilenetv2", "all"),
    ("resnet20", "none"),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small chip that has places for 100 classes."""
    folder = tmp_path_factory.mktemp("work")
    content = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
    changes = {"name": "two_cores", "logit_entries": 128, "psum_entries": 32}
    (folder / "chip.yaml").write_text(yaml.safe_dump(content | changes), encoding="utf-8")
    return folder


def check(name: str, sparsity: str, work: Path, tmp_path: Path) -> None:
    """Run one image of a network through RTL; everything must be equal."""
    network = known_network(name, width=WIDTH)
    save_network(network, tmp_path / "network.npz")
    np.savez(tmp_path / "images.npz", images=random_images(network, 1, seed=1))
    out = tmp_path / "results.json"
    given = [
        "results",
        tmp_path / "network.npz",
        work / "chip.yaml",
        "--sparsity",
        sparsity,
    ]
    given += ["--data", tmp_path / "images.npz", "--runs", tmp_path / "runs", "--json", out]
    assert main([str(argument) for argument in [*given, "--work", work]]) == 0
    (row,) = json.loads(out.read_text(encoding="utf-8"))["rows"]
    found = row["measured"]
    assert row["outcome"] == "equal"
    assert found["maps_compared"] + found["maps_fused"] == len(network.layers)
    assert found["cycles_rtl"] == found["cycles_model"] > 10_000


@pytest.mark.dear
@pytest.mark.promise("complete networks of small width run in RTL, every map and cycle equal")
@pytest.mark.parametrize(("name", "sparsity"), SHORT)
def test_a_complete_network(name: str, sparsity: str, work: Path, tmp_path: Path) -> None:
    check(name, sparsity, work, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("name", "sparsity"), LONG)
def test_more_complete_networks(name: str, sparsity: str, work: Path, tmp_path: Path) -> None:
    check(name, sparsity, work, tmp_path)
