"""Train a transformer, prune it, train it on integer weights, quantize its maps: top to bottom."""

from pathlib import Path

import numpy as np

from golden.network import predict
from hwgen.data import Dataset, load_dataset
from hwgen.files.patience import Ticker
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network
from hwgen.train.budget import fitted
from hwgen.train.loop import say
from hwgen.train.parallel import processes, rank, wait_for_all
from hwgen.train.prune import prune_layers
from hwgen.train.report import TrainResult, write_report
from hwgen.train.train import progress_bars, torch_settings
from hwgen.train.transformer.export import network_of, quantized_onnx, save_onnx
from hwgen.train.transformer.recipe import TransformerRecipe
from hwgen.train.transformer.run import Run

IMAGES_AT_ONCE = 100


def train_transformer(
    recipe: TransformerRecipe,
    *,
    data_path: Path | None = None,
    start_path: Path | None = None,
    out: Path,
    hours: float | None = None,
    resume: bool = True,
    progress: bool = True,
) -> TrainResult:
    """Train `recipe`; write `network.npz`, `network.onnx`, `training.json` and checkpoints.

    network.onnx: what onnxruntime runs, to compare with it
    Arguments as those of `hwgen.train.train.train_network`.
    """
    dataset = load_dataset(recipe.dataset, data_path)
    with (
        torch_settings(recipe),
        processes() as device,
        progress_bars(enabled=progress and rank() == 0) as bars,
    ):

        def run_of(recipe: TransformerRecipe) -> Run:
            return Run(
                recipe, dataset, start_path, out=out, device=device, resume=resume, bars=bars
            )

        run = run_of(recipe)
        if hours is not None:
            recipe = fitted(run, recipe, hours, out=out, resume=resume)
            run = run_of(recipe)

        network = run.start()
        run.phase("float", network, recipe.float_phase)
        accuracy_float = run.accuracy(network)

        prune_layers(network.dense, recipe.pruning)
        run.phase("pruned", network, recipe.pruned_phase)
        accuracy_pruned = run.accuracy(network)

        network.to_grids()
        run.phase("quantized", network, recipe.quantized_phase)

        network_path = out / "network.npz"
        if rank() == 0:
            model = quantized_onnx(network, recipe, dataset)
            save_onnx(model, out / "network.onnx")
            save_network(network_of(model, recipe.name, dataset), network_path)
        wait_for_all()
        result = TrainResult(
            accuracy_float=accuracy_float,
            accuracy_pruned=accuracy_pruned,
            accuracy_integer=accuracy(load_network(network_path), dataset),
            network_path=network_path,
            report_path=out / "training.json",
            history=run.history,
        )
        if rank() == 0:
            write_report(result, recipe, dataset, device=device.type, start_sha256=None)
        wait_for_all()
    return result


def accuracy(network: QuantizedNetwork, dataset: Dataset) -> float:
    """Return the fraction of the test images that the integers get right."""
    images, correct = dataset.test_images, 0
    with Ticker("test images", say, total=len(images)) as ticker:
        for first in range(0, len(images), IMAGES_AT_ONCE):
            part = slice(first, first + IMAGES_AT_ONCE)
            found = predict(network, images[part])
            correct += int(np.sum(found == dataset.test_labels[part]))
            ticker.advance(len(found))
    return correct / len(images)
