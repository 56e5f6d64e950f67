"""Two processes of `torchrun` train as one does, write each file once, and resume."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from hwgen.errors import ConfigError
from hwgen.network.file import load_network
from hwgen.train.parallel import check_batch, part_of, size, total
from hwgen.train.recipe import Recipe, Sgd, load_recipe
from hwgen.train.train import train_network
from tests.train.conftest import RECIPES

ROOT = Path(__file__).parents[2]
PHASES = ("float", "pruned", "quantized")


def one_epoch_of_sgd() -> Recipe:
    """Return the demo's recipe with one epoch a phase; Adam would enlarge the least differences."""
    full = load_recipe(RECIPES / "digits_small_cnn.yaml")
    phases = {
        f"{name}_phase": replace(
            getattr(full, f"{name}_phase"), epochs=1, warmup_epochs=0, learning_rate=0.002
        )
        for name in PHASES
    }
    sgd = Sgd(kind="sgd", momentum=0.9, nesterov=True)
    return replace(full, optimizer=sgd, gradient_norm=1.0, **phases)


def torchrun(recipe: Recipe, folder: Path) -> str:
    """Train on two processes and return what they print."""
    path = folder.parent / "recipe.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(asdict(recipe)))), encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "hwgen", "train", str(path)]
    done = subprocess.run(
        [*command, "--out", str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of one process, of two, and of two that were interrupted and went on."""
    base = tmp_path_factory.mktemp("parallel")
    recipe = one_epoch_of_sgd()
    train_network(recipe, out=base / "one", progress=False)
    printed = torchrun(recipe, base / "two")
    (base / "printed").write_text(printed)
    shutil.copytree(base / "two", base / "resumed")
    for name in ("network.npz", "training.json", "checkpoints/quantized.safetensors"):
        (base / "resumed" / name).unlink()
    torchrun(recipe, base / "resumed")
    return {"base": base} | {name: base / name for name in ("one", "two", "resumed")}


@pytest.mark.dear
@pytest.mark.promise("two processes train as one does, write whole files, and resume")
def test_files_are_written_once_and_whole(folders: dict[str, Path]) -> None:
    names = {path.name for path in folders["two"].rglob("*") if path.is_file()}
    checkpoints = {f"{phase}.safetensors" for phase in PHASES}
    assert names == {"network.npz", "training.json", "digests.json"} | checkpoints
    report = json.loads((folders["two"] / "training.json").read_text())
    assert report["processes"] == 2
    assert report["network_digest"] == load_network(folders["two"] / "network.npz").digest
    assert (folders["base"] / "printed").read_text().count("accuracy: float") == 1


@pytest.mark.dear("pruned")
@pytest.mark.parametrize("phase", ["float", "pruned"])
def test_parameters_are_those_of_one_process(phase: str, folders: dict[str, Path]) -> None:
    one, two = (
        load_file(folders[name] / "checkpoints" / f"{phase}.safetensors") for name in ("one", "two")
    )
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        if tensor.dtype != torch.float32:
            assert torch.equal(two[name], tensor), name
        elif name.startswith("network/"):
            # Sums in another order turn a maximum or a clip now and then.
            near = 0.01 * float(tensor.abs().max()) + 1e-5
            assert torch.allclose(two[name], tensor, rtol=0, atol=near), name


def test_ranges_of_maps_are_those_of_one_process(folders: dict[str, Path]) -> None:
    one, two = (
        load_file(folders[name] / "checkpoints" / "quantized.safetensors")
        for name in ("one", "two")
    )
    names = [name for name in one if name.startswith("network/ranges.")]
    assert len(names) == 3 * 7
    for name in names:
        assert torch.allclose(two[name].float(), one[name].float(), rtol=0.005), name


def test_history_and_accuracy_are_those_of_one_process(folders: dict[str, Path]) -> None:
    one, two = (
        json.loads((folders[name] / "training.json").read_text()) for name in ("one", "two")
    )
    assert one["processes"] == 1 and one["trained"] == two["trained"]
    for ours, theirs in zip(two["history"], one["history"], strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.02)
        assert ours["train_accuracy"] == pytest.approx(theirs["train_accuracy"], abs=0.01)
    for key, accuracy in one["accuracy"].items():
        assert two["accuracy"][key] == pytest.approx(accuracy, abs=0.02)


def test_an_interrupted_training_goes_on(folders: dict[str, Path]) -> None:
    resumed, whole = (folders[run] / "network.npz" for run in ("resumed", "two"))
    assert resumed.read_bytes() == whole.read_bytes()
    tensors = [
        load_file(folders[run] / "checkpoints/quantized.safetensors") for run in ("resumed", "two")
    ]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[1])


def test_batches_split_evenly(monkeypatch: Any) -> None:
    assert size() == 1 and torch.equal(part_of(torch.arange(3)), torch.arange(3))
    assert float(total(torch.tensor(2.0))) == 2.0
    monkeypatch.setattr("hwgen.train.parallel.size", lambda: 3)
    check_batch(6, source="recipe")
    with pytest.raises(ConfigError, match="batch_images must be a multiple of the 3 processes"):
        check_batch(64, source="recipe")
