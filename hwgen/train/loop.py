"""The loop of a training: batches, epochs, updates, checkpoints, progress.

Tests: `tests/train/test_train.py`.
"""

import copy
import hashlib
import itertools
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from hwgen.data import Dataset
from hwgen.errors import ConfigError, DataError, FormatError
from hwgen.files.patience import Ticker
from hwgen.train.augmentation import augment
from hwgen.train.checkpoint import (
    Checkpoint,
    Epoch,
    Underway,
    in_file,
    load_checkpoint,
    save_checkpoint,
)
from hwgen.train.devices import has_bfloat16
from hwgen.train.models import plan_model
from hwgen.train.network import Network
from hwgen.train.parallel import average_gradients, check_batch, part_of, rank, size, total
from hwgen.train.recipe import TRAINING_VERSION, Common, Phase, Teacher
from hwgen.train.schedule import learning_rate, make_optimizer
from hwgen.train.start import load_start

CHECKPOINT_SECONDS = 600.0
"""A checkpoint is written at least this often, in the middle of an epoch, too."""
EPOCH_SECONDS = 10.0
"""Shorter epochs do not each end with a checkpoint."""
TRIAL_BATCHES = 6
"""Batches that tell how long an epoch takes; the first one is slower than the others."""
LEAST_RATE = 1e-6
"""Learning rate of a batch that is only timed."""


class Loop:
    """What all phases share: recipe, images on the device, checkpoints, progress.

    phases: names of all phases, in order
    beside: further files that the result depends on, by the field that names each
    teacher: the network whose answers are learnt, too; None: labels alone
    """

    teacher: nn.Module | None = None

    def __init__(
        self,
        recipe: Common,
        dataset: Dataset,
        start_path: Path | None,
        *,
        phases: Sequence[str],
        beside: Mapping[str, Path | None],
        teacher_path: Path | None = None,
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
        if (recipe.start is None) != (start_path is None):
            wanted = "no checkpoint" if recipe.start is None else "a checkpoint"
            given = "none" if start_path is None else start_path
            raise DataError(f"the recipe {recipe.name} must start from {wanted}, got {given}")
        check_teacher(recipe, teacher_path)
        self.common, self.dataset, self.start_path = recipe, dataset, start_path
        self.teacher_path = teacher_path
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
        self.bfloat16 = recipe.mixed_precision and has_bfloat16(device)
        files = {"teacher": teacher_path, **beside}
        self.beside = {name: file_digest(path) for name, path in files.items() if path is not None}

    def digest(self, name: str) -> str:
        """Return the sha256 of all that the phase `name` depends on; phases after it do not count.

        Whoever changes a later phase goes on with what the earlier ones have trained.
        """
        data = [self.dataset.name, self.dataset.split, self.start_digest]
        fields = self.common.until(name)
        beside = {key: each for key, each in self.beside.items() if key.split(".")[0] in fields}
        facts = [TRAINING_VERSION, fields, *data, beside]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def real(self, images: Tensor) -> Tensor:
        """Return bytes (n, h, w, c) as real numbers (n, c, h, w) that the first layer sees.

        The channels of a pixel lie side by side.
        """
        x = images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
        return (x - self.common.input_zero_point) * self.common.input_scale

    def phase(self, name: str, network: nn.Module, phase: Phase) -> None:
        """Train `network` for the epochs of `phase`, from its checkpoint if there is one."""
        path = self.checkpoints / f"{name}.safetensors"
        optimizer = make_optimizer(self.common, phase, network.parameters())
        state = Checkpoint(epochs=0, history=[])
        if self.resume and path.exists():
            state = self.resumed(name, network, optimizer) or state
        self.begin_phase(network, phase)
        self.saved = time.monotonic()
        self.bar = self.bars.add_task(name, total=phase.epochs, completed=state.epochs)
        with self.ticker(name, phase, state.epochs) as self.log:
            state = self.epochs(name, network, optimizer, phase, state)
        self.history += state.history

    def resumed(self, name: str, network: nn.Module, optimizer: Optimizer) -> Checkpoint | None:
        """Return the progress of a phase; None for a damaged checkpoint: the phase begins again."""
        path = self.checkpoints / f"{name}.safetensors"
        try:
            return load_checkpoint(path, network, optimizer, digest=self.digest(name))
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
        """Train for the epochs that `state` lacks, with checkpoints."""
        path = self.checkpoints / f"{name}.safetensors"

        def save(state: Checkpoint) -> None:
            if rank() == 0:
                save_checkpoint(path, network, optimizer, state, digest=self.digest(name))
            self.saved = time.monotonic()

        underway = state.underway
        for epoch in range(state.epochs, phase.epochs):
            began = time.monotonic() - (0.0 if underway is None else underway.seconds)
            now = underway
            for now in self.epoch(
                name, network, optimizer, phase=phase, epoch=epoch, underway=underway
            ):
                if time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                    now.seconds = time.monotonic() - began
                    save(replace(state, underway=now))
            assert now is not None
            loss, accuracy = self.summary(now)
            done: Epoch = {
                "phase": name,
                "epoch": epoch,
                "batches": self.steps,
                "loss": loss,
                "train_accuracy": accuracy,
                "seconds": round(time.monotonic() - began, 3),
            }
            state = Checkpoint(epochs=epoch + 1, history=[*state.history, done])
            underway = None
            if epoch + 1 == phase.epochs or time.monotonic() - self.saved > EPOCH_SECONDS:
                save(state)
            self.bars.update(self.bar, completed=epoch + 1)
        return state

    def epoch(
        self,
        name: str,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        phase: Phase,
        epoch: int,
        underway: Underway | None,
    ) -> Iterator[Underway]:
        """Train for one epoch, from its beginning or from where a checkpoint has left it.

        Yields after every update.
        """
        # Each epoch seeds its random numbers, so that a resumed run repeats an uninterrupted one.
        random = torch.Generator().manual_seed(self.epoch_seed(name, epoch))
        order = torch.randperm(len(self.train_images), generator=random).to(self.device)
        if underway is None:
            self.begin_epoch(network, name, epoch)
            underway = Underway.begin(self.device)
        else:
            random.set_state(underway.random)
            underway = underway.on(self.device)
        self.draw_from(random, network)
        network.train()
        batches = order.split(self.batch_images)[: self.steps]
        for step in range(underway.step, self.steps):
            mine = part_of(batches[step])
            x = augment(self.real(self.train_images[mine]), self.common, random)
            labels = self.train_labels[mine]
            rate = learning_rate(phase, epoch + step / self.steps)
            try:
                logits, loss = self.step(network, optimizer, x, labels, phase=phase, rate=rate)
            except FloatingPointError:
                raise self.diverged(name, phase, epoch) from None
            underway.loss += loss / size()
            underway.correct += (logits.argmax(1) == labels).sum()
            underway.step, underway.random = step + 1, random.get_state()
            self.bars.advance(self.bar, 1 / self.steps)
            if self.log is not None:
                self.log.advance(1 / self.steps)
            yield underway

    def diverged(self, name: str, phase: Phase, epoch: int) -> ConfigError:
        """Return the sentence about a learning rate that no training survives."""
        return ConfigError(
            field=f"{name}_phase.learning_rate",
            allowed=f"small enough for a finite loss (epoch {epoch})",
            given=phase.learning_rate,
            source=f"recipe {self.common.name}",
        )

    def summary(self, done: Underway) -> tuple[float, float]:
        """Return mean loss and accuracy on the batches of an epoch."""
        loss = float(total(done.loss))
        seen = self.steps * self.batch_images
        return loss / self.steps, float(total(done.correct)) / seen

    def seconds_of_epoch(self, network: nn.Module, phase: Phase) -> float:
        """Return the seconds that an epoch of a phase takes, by a few batches; trains `network`."""
        optimizer = make_optimizer(self.common, phase, network.parameters())
        random = torch.Generator().manual_seed(0)
        self.begin_phase(network, phase)
        self.draw_from(random, network)
        network.train()
        times = [time.monotonic()]
        for batch in range(TRIAL_BATCHES):
            first = batch * self.batch_images % max(1, len(self.train_images) - self.batch_images)
            mine = part_of(torch.arange(first, first + self.batch_images, device=self.device))
            x = augment(self.real(self.train_images[mine]), self.common, random)
            labels = self.train_labels[mine]
            _, loss = self.step(network, optimizer, x, labels, phase=phase, rate=LEAST_RATE)
            loss.item()  # a device has done what it was asked to
            times.append(time.monotonic())
        seconds = [after - before for before, after in itertools.pairwise(times)]
        return statistics.median(seconds[1:]) * self.steps

    @property
    def steps(self) -> int:
        """Batches of an epoch; the last images of the order are left out of a shorter batch."""
        whole = len(self.train_images) // self.batch_images
        return min(whole, self.common.epoch_batches or whole)

    def epoch_seed(self, name: str, epoch: int) -> int:
        """Return the seed of the order and the augmentation of an epoch."""
        phases = len(self.phases)
        return (self.common.seed * phases + self.phases.index(name)) * 100_003 + epoch

    def begin_phase(self, network: nn.Module, phase: Phase) -> None:
        """Do what stands before the first batch of a phase, and before one that is resumed."""

    def begin_epoch(self, network: nn.Module, name: str, epoch: int) -> None:
        """Do what stands before the first batch of an epoch."""

    def draw_from(self, random: torch.Generator, network: nn.Module) -> None:
        """Say where the network's own random numbers of an epoch come from."""

    def step(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        x: Tensor,
        labels: Tensor,
        *,
        phase: Phase,
        rate: float,
    ) -> tuple[Tensor, Tensor]:
        """Update the parameters for this process's part of one batch; return logits and loss."""
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        logits, loss = self.gradients(network, x, labels, phase)
        self.update(network, optimizer)
        return logits, loss

    def gradients(
        self, network: nn.Module, x: Tensor, labels: Tensor, phase: Phase
    ) -> tuple[Tensor, Tensor]:
        """Leave the gradients of a batch in the parameters; return logits and loss."""
        with self.precision(network):
            logits = network(x)
        logits = logits.float()
        loss = self.loss(logits, labels, self.answers(x), phase)
        loss.backward()
        return logits.detach(), loss.detach()

    @property
    def about_teacher(self) -> Teacher | None:
        """What the recipe says of a teacher, if it has one."""
        return getattr(self.common, "teacher", None)

    def set_teacher(self, base: nn.Module) -> None:
        """Take the teacher of the recipe: the float network as it is now, or a checkpoint."""
        about = self.about_teacher
        if about is None:
            return
        teacher = copy.deepcopy(base)
        if about.model is not None and about.start is not None and self.teacher_path is not None:
            classes = len(self.dataset.class_names)
            teacher = Network(plan_model(about.model, self.dataset.shape, classes))
            load_start(teacher, self.teacher_path, about.start, self.common)
        self.teacher = teacher.to(self.device).eval()

    @torch.no_grad()
    def answers(self, x: Tensor) -> Tensor | None:
        """Return the logits of the teacher, float32."""
        if self.teacher is None:
            return None
        with self.precision(self.teacher):
            logits: Tensor = self.teacher(x)
        return logits.float()

    def loss(self, logits: Tensor, labels: Tensor, answers: Tensor | None, phase: Phase) -> Tensor:
        """Return (1 - beta) CE + beta tau^2 KL, or CE without a teacher."""
        hard = functional.cross_entropy(logits, labels, label_smoothing=phase.label_smoothing)
        about = self.about_teacher
        if about is None or answers is None:
            return hard
        soft = functional.kl_div(
            functional.log_softmax(logits / about.tau, 1),
            functional.log_softmax(answers / about.tau, 1),
            reduction="batchmean",
            log_target=True,
        )
        return (1 - about.beta) * hard + about.beta * about.tau**2 * soft

    def precision(self, network: nn.Module) -> torch.autocast:
        """Return the precision of a forward pass: bfloat16, or float32 on integer grids."""
        mixed = self.bfloat16 and not self.on_grids(network)
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed, cache_enabled=False)

    def on_grids(self, network: nn.Module) -> bool:
        """Whether a network computes on its integer grids."""
        return False

    def update(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Move the parameters by their gradients, those of all processes.

        A gradient that is not finite is a FloatingPointError: no parameter ever is NaN.
        """
        average_gradients(network.parameters())
        norm = nn.utils.get_total_norm(
            [each.grad for each in in_order(network) if each.grad is not None]
        )
        if not math.isfinite(norm):
            raise FloatingPointError
        if self.common.gradient_norm is not None:
            nn.utils.clip_grads_with_norm_(network.parameters(), self.common.gradient_norm, norm)
        optimizer.step()

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


def check_teacher(recipe: Common, path: Path | None) -> None:
    """Refuse a checkpoint that the recipe has no use for, and the lack of one that it needs."""
    about: Teacher | None = getattr(recipe, "teacher", None)
    wanted = about is not None and about.model is not None
    if wanted != (path is not None):
        expected = "a teacher's checkpoint" if wanted else "no teacher's checkpoint"
        given = "none" if path is None else path
        raise DataError(f"the recipe {recipe.name} must have {expected}, got {given}")


def in_order(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters, weights first in each layer: the order decides the sum of a norm."""
    named = [(in_file(name).rpartition("."), each) for name, each in network.named_parameters()]
    layers = itertools.groupby(named, lambda each: each[0][0])
    return [
        parameter
        for _, layer in layers
        for _, parameter in sorted(layer, key=lambda each: each[0][2] != "weight")
    ]


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"the start must be a file, got {error.strerror} ({path})") from None


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)
