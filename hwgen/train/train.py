"""Train, prune, fine-tune, fold, train on the integer grid, export: read it top to bottom."""

import hashlib
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor
from torch.nn import functional

from hwgen.data import Dataset, load_dataset
from hwgen.errors import ConfigError, DataError
from hwgen.spec.network.file import load_network, save_network
from hwgen.train.augmentation import augment
from hwgen.train.checkpoint import Checkpoint, Epoch, load_checkpoint, save_checkpoint
from hwgen.train.export import export_network
from hwgen.train.integer import integer_accuracy
from hwgen.train.models import plan_model
from hwgen.train.network import Network, QuantizedTraining, fold
from hwgen.train.prune import block_mask
from hwgen.train.recipe import Phase, Recipe
from hwgen.train.report import TrainResult, write_report
from hwgen.train.start import load_start

PHASES = ("float", "pruned", "quantized")


def train_network(
    recipe: Recipe,
    *,
    data_path: Path | None = None,
    start_path: Path | None = None,
    out: Path,
    seed: int | None = None,
    resume: bool = True,
    progress: bool = True,
) -> TrainResult:
    """Train `recipe` and write `out/network.npz`, `out/training.json`, `out/checkpoints`.

    data_path: folder of the images, unless they are embedded
    start_path: float weights, if the recipe starts from a checkpoint
    seed: replaces the seed of the recipe
    resume: continue an interrupted run of the same recipe into `out`
    """
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    dataset = load_dataset(recipe.dataset, data_path)
    with torch_settings(recipe), progress_bars(enabled=progress) as bars:
        run = Run(recipe, dataset, start_path, out=out, resume=resume, bars=bars)

        network = run.start()
        run.phase("float", network, recipe.float_phase)
        accuracy_float = run.accuracy(network)

        prune(network, recipe)
        run.phase("pruned", network, recipe.pruned_phase)
        accuracy_pruned = run.accuracy(network)

        quantized = run.quantize(network)
        run.phase("quantized", quantized, recipe.quantized_phase)

        network_path = out / "network.npz"
        save_network(export_network(quantized, recipe, dataset), network_path)
        accuracy_integer = run.integer_accuracy(network_path)

    result = TrainResult(
        accuracy_float=accuracy_float,
        accuracy_pruned=accuracy_pruned,
        accuracy_integer=accuracy_integer,
        network_path=network_path,
        report_path=out / "training.json",
        history=run.history,
    )
    write_report(result, recipe, dataset, device=run.device.type, start_sha256=run.start_digest)
    return result


class Run:
    """What all phases share: recipe, images on the device, checkpoints, progress."""

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        start_path: Path | None,
        *,
        out: Path,
        resume: bool,
        bars: Progress,
    ) -> None:
        if (recipe.start is None) != (start_path is None):
            wanted = "no checkpoint" if recipe.start is None else "a checkpoint"
            given = "none" if start_path is None else start_path
            raise DataError(f"the recipe {recipe.name} must start from {wanted}, got {given}")
        self.recipe, self.dataset, self.start_path = recipe, dataset, start_path
        self.bars, self.resume = bars, resume
        self.checkpoints = out / "checkpoints"
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.train_images = self.real(dataset.train_images)
        self.train_labels = torch.tensor(dataset.train_labels, device=self.device)
        self.test_images = self.real(dataset.test_images)
        self.test_labels = torch.tensor(dataset.test_labels, device=self.device)
        self.plan = plan_model(recipe.model, dataset.shape, len(dataset.class_names))
        self.history: list[Epoch] = []
        self.start_digest = None if start_path is None else file_digest(start_path)
        everything = [asdict(recipe), dataset.name, dataset.split, self.start_digest]
        self.digest = hashlib.sha256(json.dumps(everything).encode()).hexdigest()

    def real(self, images: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
        """Return bytes as real numbers (n, c, h, w) that the first layer sees."""
        x = torch.tensor(images, device=self.device).permute(0, 3, 1, 2).float()
        return (x - self.recipe.input_zero_point) * self.recipe.input_scale

    def start(self) -> Network:
        """Return the float network before training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Network(self.plan)
        if self.start_path is not None:
            load_start(network, self.start_path, self.recipe)
        return network.to(self.device)

    def quantize(self, network: Network) -> QuantizedTraining:
        """Return the folded network on integer grids."""
        quantization = self.recipe.quantization
        quantized = QuantizedTraining(
            self.plan, rule=quantization.rule, momentum=quantization.range_momentum
        )
        fold(network, quantized)
        return quantized.to(self.device)

    def phase(self, name: str, network: Network, phase: Phase) -> None:
        """Train `network` for the epochs of `phase`, from its checkpoint if there is one."""
        path = self.checkpoints / f"{name}.safetensors"
        optimizer = torch.optim.AdamW(network.parameters(), weight_decay=phase.weight_decay)
        state = Checkpoint(epochs=0, history=[])
        if self.resume and path.exists():
            state = load_checkpoint(path, network, optimizer, digest=self.digest)
        self.bar = self.bars.add_task(name, total=phase.epochs, completed=state.epochs)
        for epoch in range(state.epochs, phase.epochs):
            began = time.monotonic()
            loss, accuracy = self.epoch(name, network, optimizer, phase, epoch)
            state.history.append(
                {
                    "phase": name,
                    "epoch": epoch,
                    "loss": loss,
                    "train_accuracy": accuracy,
                    "seconds": round(time.monotonic() - began, 3),
                }
            )
            state = Checkpoint(epochs=epoch + 1, history=state.history)
            save_checkpoint(path, network, optimizer, state, digest=self.digest)
            self.bars.update(self.bar, completed=epoch + 1)
        self.history += state.history

    def epoch(
        self,
        name: str,
        network: Network,
        optimizer: torch.optim.Optimizer,
        phase: Phase,
        epoch: int,
    ) -> tuple[float, float]:
        """Train for one epoch; return mean loss and accuracy on its batches."""
        # Each epoch seeds its random numbers, so that a resumed run repeats an uninterrupted one.
        random = torch.Generator().manual_seed(
            (self.recipe.seed * len(PHASES) + PHASES.index(name)) * 100_003 + epoch
        )
        if isinstance(network, QuantizedTraining):
            network.renew_thresholds()
        network.train()
        images = len(self.train_images)
        steps = max(1, images // self.recipe.batch_images)
        order = torch.randperm(images, generator=random).to(self.device)
        total_loss = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for step in range(steps):
            chosen = order[step * self.recipe.batch_images :][: self.recipe.batch_images]
            x = augment(self.train_images[chosen], self.recipe, random)
            labels = self.train_labels[chosen]
            rate = learning_rate(phase, epoch + step / steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            logits = network(x)
            loss = functional.cross_entropy(logits, labels, label_smoothing=phase.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_loss += loss.detach()
            correct += (logits.argmax(1) == labels).sum()
            self.bars.advance(self.bar, 1 / steps)
        if not math.isfinite(total_loss):
            raise ConfigError(
                field=f"{name}_phase.learning_rate",
                allowed=f"small enough for a finite loss (epoch {epoch})",
                given=phase.learning_rate,
                source=f"recipe {self.recipe.name}",
            )
        seen = steps * min(images, self.recipe.batch_images)
        return float(total_loss) / steps, float(correct) / seen

    @torch.no_grad()
    def accuracy(self, network: Network) -> float:
        """Return the fraction of test images that a float network gets right."""
        network.eval()
        correct = 0
        for x, labels in zip(self.test_images.split(500), self.test_labels.split(500), strict=True):
            correct += int((network(x).argmax(1) == labels).sum())
        return correct / len(self.test_labels)

    def integer_accuracy(self, path: Path) -> float:
        """Return the accuracy of the quantized network file, read back, on the test images."""
        images = torch.tensor(self.dataset.test_images, device=self.device)
        return integer_accuracy(load_network(path), images, self.test_labels)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"the start must be a file, got {error.strerror} ({path})") from None


def prune(network: Network, recipe: Recipe) -> None:
    """Mask the weakest blocks of every layer that takes part."""
    nodes = network.plan.weighted
    for node in nodes:
        first, head = node is nodes[0], node is nodes[-1]
        if (first and not recipe.pruning.first_layer) or (head and not recipe.pruning.head):
            continue
        layer = network.layer(node.name)
        layer.mask.copy_(block_mask(layer.weight.detach(), recipe.pruning.share))


def learning_rate(phase: Phase, epoch: float) -> float:
    """Return the rate at a moment of a phase: linear warm-up, then a cosine to zero."""
    if epoch < phase.warmup_epochs:
        return phase.learning_rate * (epoch + 1e-3) / phase.warmup_epochs
    left = max(1, phase.epochs - phase.warmup_epochs)
    progress = (epoch - phase.warmup_epochs) / left
    return phase.learning_rate * (1 + math.cos(math.pi * progress)) / 2


@contextmanager
def torch_settings(recipe: Recipe) -> Iterator[None]:
    """Hold the recipe's number of threads while training."""
    before = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def progress_bars(*, enabled: bool) -> Iterator[Progress]:
    """Show a bar for each phase."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("epochs"), TimeElapsedColumn(), disable=not enabled) as bars:
        yield bars
