"""A recipe for a module of the user's: `hwgen train` is its loop."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from hwgen.cli import main
from hwgen.commands.train import Train
from hwgen.data import load_dataset
from hwgen.network.file import load_network
from hwgen.report.work import TrainReport

NET = """
from torch import nn


def make():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10),
    )


def wrong():
    return 3
"""
PHASE = {"warmup_epochs": 0, "learning_rate": 0.01, "weight_decay": 0.0, "label_smoothing": 0.0}
RECIPE = {
    "format": "hwgen.own_recipe",
    "version": 1,
    "name": "mine",
    "dataset": "own",
    "model": {"python": "my_net.py:make"},
    "seed": 1,
    "threads": 1,
    "batch_images": 64,
    "epoch_batches": None,
    "optimizer": {"kind": "adamw"},
    "gradient_norm": None,
    "mixed_precision": False,
    "input_mean": 0.0,
    "input_std": 1.0,
    "shift_pixels": 0,
    "flip": False,
    "teacher": {"model": None, "start": None, "beta": 0.5, "tau": 2.0},
    "chip": "dbpim/paper_float32",
    "share": 0.5,
    "over": 0.5,
    "digits": 1,
    "float_phase": {**PHASE, "epochs": 4},
    "quantized_phase": {**PHASE, "epochs": 4},
}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a module, its images, and a recipe."""
    (tmp_path / "my_net.py").write_text(NET, encoding="utf-8")
    data = load_dataset("digits")
    names = ("train_images", "train_labels", "test_images", "test_labels")
    np.savez(tmp_path / "images.npz", **{name: getattr(data, name) for name in names})
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    return tmp_path


@pytest.mark.promise("a recipe trains a module of the user's for a chip, with images of a .npz")
def test_a_module_is_trained_and_imported(mine: Path) -> None:
    report = Train(mine / "recipe.yaml", data=mine / "images.npz", out=mine / "out").run()
    assert isinstance(report, TrainReport)
    told = json.loads((mine / "out/training.json").read_text(encoding="utf-8"))
    assert told["accuracy"]["float"] > 0.9 and told["accuracy"]["integer"] > 0.85
    assert report.accuracy.integer == told["accuracy"]["integer"]
    network = load_network(mine / "out/network.npz")
    (second,) = (each.weights for each in network.parameters.values() if each.weights.size == 4608)
    blocks = second.reshape(4, 8, -1).any(axis=1)
    assert blocks.mean() == 0.5
    digits = np.abs(second[second != 0].astype(int))
    assert not (digits & (digits - 1)).any()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": {"python": "my_net.py:none"}}, "model must be a function of a file"),
        ({"model": {"python": "my_net.py:wrong"}}, "one that returns a torch.nn.Module, got int"),
        (
            {"model": {"python": "my_net.py:make", "weights": "no.pt"}},
            "model must be of files, got no ",
        ),
        ({"chip": "dbpim/none"}, "dbpim/none"),
        ({"share": 1.0}, "share must be less than 1"),
    ],
)
def test_mistakes_are_one_sentence(
    changes: dict[str, object], said: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = {**RECIPE, "float_phase": {**PHASE, "epochs": 0}, **changes}
    (mine / "recipe.yaml").write_text(yaml.safe_dump(quick), encoding="utf-8")
    given = ["--data", str(mine / "images.npz"), "--out", str(mine / "out")]
    assert main(["--quiet", "train", str(mine / "recipe.yaml"), *given]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("hwgen: ") == 1


def test_images_without_labels_are_refused(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(mine / "few.npz", train_images=np.zeros((2, 8, 8, 1), np.uint8))
    given = ["--data", str(mine / "few.npz"), "--out", str(mine / "out")]
    assert main(["--quiet", "train", str(mine / "recipe.yaml"), *given]) == 2
    assert "got none of train_labels" in capsys.readouterr().err
