"""The loop of a training: batches, epochs, updates, checkpoints, progress."""

import hashlib
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from hwgen.data import Dataset
from hwgen.errors import ConfigError, DataError, FormatError
from hwgen.spec.patience import Ticker
from hwgen.train.augmentation import augment
from hwgen.train.checkpoint import Checkpoint, Epoch, load_checkpoint, save_checkpoint
from hwgen.train.parallel import average_gradients, check_batch, part_of, rank, size, total
from hwgen.train.plans.plan import Plan
from hwgen.train.recipe import Common, Phase
from hwgen.train.schedule import learning_rate, make_optimizer


class Loop:
    """What all phases share: recipe, images on the device, checkpoints, progress.

    phases: names of all phases, in order
    """

    def __init__(
        self,
        recipe: Common,
        plan: Plan,
        dataset: Dataset,
        start_path: Path | None,
        *,
        phases: Sequence[str],
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
        if (recipe.start is None) != (start_path is None):
            wanted = "no checkpoint" if recipe.start is None else "a checkpoint"
            given = "none" if start_path is None else start_path
            raise DataError(f"the recipe {recipe.name} must start from {wanted}, got {given}")
        self.common, self.plan, self.dataset, self.start_path = recipe, plan, dataset, start_path
        self.phases, self.bars, self.resume = phases, bars, resume
        self.checkpoints = out / "checkpoints"
        self.device = device
        self.train_images = torch.tensor(dataset.train_images, device=device)
        self.train_labels = torch.tensor(dataset.train_labels, device=device)
        self.test_images = torch.tensor(dataset.test_images, device=device)
        self.test_labels = torch.tensor(dataset.test_labels, device=device)
        self.batch_images = min(recipe.batch_images, len(self.train_images))
        check_batch(self.batch_images, source=f"recipe {recipe.name}")
        self.history: list[Epoch] = []
        self.log: Ticker | None = None
        self.start_digest = None if start_path is None else file_digest(start_path)
        everything = [asdict(recipe), dataset.name, dataset.split, self.start_digest]
        self.digest = hashlib.sha256(json.dumps(everything).encode()).hexdigest()

    def real(self, images: Tensor) -> Tensor:
        """Return bytes (n, h, w, c) as real numbers (n, c, h, w) that the first layer sees."""
        x = images.permute(0, 3, 1, 2).float()
        return (x - self.common.input_zero_point) * self.common.input_scale

    def phase(self, name: str, network: nn.Module, phase: Phase) -> None:
        """Train `network` for the epochs of `phase`, from its checkpoint if there is one."""
        path = self.checkpoints / f"{name}.safetensors"
        optimizer = make_optimizer(self.common, phase, network.parameters())
        state = Checkpoint(epochs=0, history=[])
        if self.resume and path.exists():
            state = self.resumed(path, network, optimizer) or state
        self.bar = self.bars.add_task(name, total=phase.epochs, completed=state.epochs)
        with self.ticker(name, phase, state.epochs) as self.log:
            state = self.epochs(name, network, optimizer, phase, state)
        self.history += state.history

    def resumed(self, path: Path, network: nn.Module, optimizer: Optimizer) -> Checkpoint | None:
        """Return the progress of a phase; None for a damaged checkpoint: the phase begins again."""
        try:
            return load_checkpoint(path, network, optimizer, digest=self.digest)
        except FormatError as error:
            if rank() == 0:
                say(f"a checkpoint is damaged, and its phase begins again: {error}")
            return None

    @contextmanager
    def ticker(self, name: str, phase: Phase, done: int) -> Iterator[Ticker | None]:
        """Say in a log how far a phase is; on a terminal a bar shows it."""
        if not self.bars.disable or rank() != 0:
            yield None
            return
        with Ticker(f"epochs of the phase {name}", say, total=phase.epochs) as ticker:
            ticker.skip(done)
            yield ticker

    def epochs(
        self, name: str, network: nn.Module, optimizer: Optimizer, phase: Phase, state: Checkpoint
    ) -> Checkpoint:
        """Train for the epochs that `state` lacks, with a checkpoint after each."""
        path = self.checkpoints / f"{name}.safetensors"
        for epoch in range(state.epochs, phase.epochs):
            began = time.monotonic()
            loss, accuracy = self.epoch(name, network, optimizer, phase, epoch)
            state.history.append(
                {
                    "phase": name,
                    "epoch": epoch,
                    "batches": self.steps,
                    "loss": loss,
                    "train_accuracy": accuracy,
                    "seconds": round(time.monotonic() - began, 3),
                }
            )
            state = Checkpoint(epochs=epoch + 1, history=state.history)
            if rank() == 0:
                save_checkpoint(path, network, optimizer, state, digest=self.digest)
            self.bars.update(self.bar, completed=epoch + 1)
        return state

    def epoch(
        self,
        name: str,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        phase: Phase,
        epoch: int,
    ) -> tuple[float, float]:
        """Train for one epoch; return mean loss and accuracy on its batches."""
        # Each epoch seeds its random numbers, so that a resumed run repeats an uninterrupted one.
        random = torch.Generator().manual_seed(self.epoch_seed(name, epoch))
        self.begin_epoch(network, phase, epoch)
        network.train()
        order = torch.randperm(len(self.train_images), generator=random).to(self.device)
        total_loss = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for step, chosen in enumerate(order.split(self.batch_images)[: self.steps]):
            mine = part_of(chosen)
            x = augment(self.real(self.train_images[mine]), self.common, random)
            labels = self.train_labels[mine]
            rate = learning_rate(phase, epoch + step / self.steps)
            logits, loss = self.step(network, optimizer, x, labels, phase=phase, rate=rate)
            total_loss += loss / size()
            correct += (logits.argmax(1) == labels).sum()
            self.bars.advance(self.bar, 1 / self.steps)
            if self.log is not None:
                self.log.advance(1 / self.steps)
        total_loss = total(total_loss)
        if not math.isfinite(total_loss):
            raise ConfigError(
                field=f"{name}_phase.learning_rate",
                allowed=f"small enough for a finite loss (epoch {epoch})",
                given=phase.learning_rate,
                source=f"recipe {self.common.name}",
            )
        seen = self.steps * self.batch_images
        return float(total_loss) / self.steps, float(total(correct)) / seen

    @property
    def steps(self) -> int:
        """Batches of an epoch; the last images of the order are left out of a shorter batch."""
        whole = len(self.train_images) // self.batch_images
        return min(whole, self.common.epoch_batches or whole)

    def epoch_seed(self, name: str, epoch: int) -> int:
        """Return the seed of the order and the augmentation of an epoch."""
        phases = len(self.phases)
        return (self.common.seed * phases + self.phases.index(name)) * 100_003 + epoch

    def begin_epoch(self, network: nn.Module, phase: Phase, epoch: int) -> None:
        """Do what stands before the first batch of an epoch."""

    def step(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        x: Tensor,
        labels: Tensor,
        *,
        phase: Phase,
        rate: float,
    ) -> tuple[Tensor, Tensor]:
        """Update the parameters for this process's part of one batch; return logits and loss."""
        for group in optimizer.param_groups:
            group["lr"] = rate
        mixed = self.common.mixed_precision and self.is_mixed(network)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            logits = network(x)
        logits = logits.float()
        loss = functional.cross_entropy(logits, labels, label_smoothing=phase.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        self.update(network, optimizer)
        return logits.detach(), loss.detach()

    def update(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Move the parameters by their gradients, those of all processes."""
        average_gradients(network.parameters())
        if self.common.gradient_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.common.gradient_norm)
        optimizer.step()

    def is_mixed(self, network: nn.Module) -> bool:
        """Whether the forward pass of a network is in bfloat16 where the recipe has it."""
        return True

    @torch.no_grad()
    def accuracy(self, network: nn.Module, **options: Any) -> float:
        """Return the fraction of test images that `network(images, **options)` gets right."""
        network.eval()
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        mine = zip(
            part_of(self.test_images).split(500), part_of(self.test_labels).split(500), strict=True
        )
        for images, labels in mine:
            correct += (network(self.real(images), **options).argmax(1) == labels).sum()
        return int(total(correct)) / len(self.test_labels)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"the start must be a file, got {error.strerror} ({path})") from None


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)
