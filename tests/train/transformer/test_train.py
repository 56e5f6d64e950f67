"""A small transformer is trained, pruned, quantized and exported by its recipe."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen.cli import main
from hwgen.data import load_dataset
from hwgen.errors import ConfigError, DataError
from hwgen.network.csd import phi
from hwgen.network.file import load_network
from hwgen.train.recipe import Phase
from hwgen.train.train import train_network
from hwgen.train.transformer.model import Transformer, plain
from hwgen.train.transformer.recipe import TransformerRecipe, load_transformer_recipe
from tests.corpus.drawn import zero_blocks
from tests.quantized_onnx import judged_on
from tests.train.conftest import RECIPES

DIGITS = load_transformer_recipe(RECIPES / "digits_vit.yaml")


def short(epochs: int = 1) -> TransformerRecipe:
    """Return the recipe of the digits with few batches and one block."""

    def phase(given: Phase) -> Phase:
        return replace(given, epochs=epochs, warmup_epochs=0)

    return replace(
        DIGITS,
        epoch_batches=4,
        calibration_images=32,
        architecture=replace(DIGITS.architecture, blocks=1),
        float_phase=phase(DIGITS.float_phase),
        pruned_phase=phase(DIGITS.pruned_phase),
        quantized_phase=phase(DIGITS.quantized_phase),
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training."""
    out = tmp_path_factory.mktemp("trained")
    train_network(short(), out=out, progress=False)
    return out


@pytest.mark.promise(
    "a recipe trains a transformer, prunes each of its layers, puts its weights on few digits"
    " and its maps on bytes, with the same bytes each time"
)
def test_a_recipe_leaves_a_pruned_network_of_few_digits(trained: Path) -> None:
    network = load_network(trained / "network.npz")
    kinds = [layer.op for layer in network.layers]
    assert network.graph.version == 4
    assert [kinds.count(kind) for kind in ("layer_norm", "matmul", "softmax", "constant")] == [
        *(3, 2, 1, 1),
    ]
    # Query, key and value are layers of their own, and so are pruned.
    assert len(network.parameters) == 8
    for parameters in network.parameters.values():
        assert max(phi(int(value)) for value in np.unique(parameters.weights)) <= 2
        assert zero_blocks(parameters.weights).mean() >= 0.5
    about = json.loads((trained / "training.json").read_text())
    assert about["network_digest"] == network.digest
    assert about["recipe"]["architecture"]["blocks"] == 1
    assert {name: each["epochs"] for name, each in about["trained"].items()} == {
        "float": 1,
        "pruned": 1,
        "quantized": 1,
    }


def test_its_onnx_file_answers_alike(trained: Path) -> None:
    network = load_network(trained / "network.npz")
    images = load_dataset("digits", None).test_images[:40]
    assert judged_on(trained / "network.onnx", network, images)[0].equal


@pytest.mark.dear
def test_the_same_recipe_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    train_network(short(), out=tmp_path, progress=False)
    for name in ("network.npz", "network.onnx"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_gains_go_into_weights_without_a_change() -> None:
    torch.manual_seed(0)
    network = Transformer((8, 8, 1), 10, DIGITS.architecture).eval()
    network.renew_thresholds()
    network.to_grids()
    images = torch.rand(5, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(network(images), plain(network)(images), atol=1e-5)
    assert {layer.gain for layer in network.dense} == {1.0, 0.25}
    assert {layer.gain for layer in plain(network).dense} == {1.0}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("heads: 2", "heads: 5", "architecture.heads must be a divisor of 32, got 5"),
        (
            "channels: 32",
            "channels: 20",
            "architecture.stem must be of channels that 8 divides, at its end, got 20",
        ),
        ("blocks: 2", "blocks: 0", "architecture.blocks must be greater than or equal to 1"),
        ("start: null", "start: {mean: [0], std: [1]}", "start must be"),
        ("hidden: 64", "hidden: 64\n  shape: 3", "architecture.shape must be a known key"),
    ],
)
def test_mistakes_are_one_sentence(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = (RECIPES / "digits_vit.yaml").read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_transformer_recipe(path)
    message = str(caught.value)
    assert sentence in message and message.endswith(f"({path})") and "\n" not in message


def test_a_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must start from no checkpoint"):
        train_network(short(), start_path=tmp_path / "a.pth", out=tmp_path, progress=False)


def test_a_teacher_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    teacher = tmp_path / "teacher.pth"
    teacher.touch()
    assert main(["train", "digits_vit", "--teacher", str(teacher)]) == 2
    assert "digits_vit must have no teacher's checkpoint" in capsys.readouterr().err


@pytest.mark.long
def test_the_recipe_of_the_digits_reaches_its_accuracy(tmp_path: Path) -> None:
    result = train_network(DIGITS, out=tmp_path, progress=False)
    assert result.accuracy_integer >= 0.95
