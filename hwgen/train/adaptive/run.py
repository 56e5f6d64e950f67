"""The training of a channel-adaptive network (seed 001, algorithm 1)."""

from pathlib import Path

import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional

from hwgen.data import Dataset
from hwgen.errors import DataError
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.order import importance, kept_first_orders, reorder
from hwgen.train.adaptive.recipe import AdaptivePhase, AdaptiveRecipe
from hwgen.train.adaptive.teacher import TeacherAnswers
from hwgen.train.adaptive.widths import WidthTable, uniform
from hwgen.train.loop import Loop
from hwgen.train.models import plan_model
from hwgen.train.network import Network
from hwgen.train.parallel import average_gradients, part_of, total
from hwgen.train.recipe import Phase
from hwgen.train.start import load_start


class AdaptiveRun(Loop):
    """All phases of one channel-adaptive recipe.

    teacher_path: checkpoint of the teacher, if the recipe has one
    """

    def __init__(
        self,
        recipe: AdaptiveRecipe,
        dataset: Dataset,
        start_path: Path | None,
        teacher_path: Path | None,
        *,
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
        super().__init__(
            recipe,
            plan_model(recipe.model, dataset.shape, len(dataset.class_names)),
            dataset,
            start_path,
            phases=[phase.name for phase in recipe.phases],
            out=out,
            device=device,
            resume=resume,
            bars=bars,
        )
        self.recipe = recipe
        self.table: WidthTable = uniform(self.plan, recipe.widths)
        self.teacher = self.make_teacher(teacher_path)
        self.active: list[int] = []
        self.batches: int | None = None

    @property
    def steps(self) -> int:
        """Batches of an epoch of the phase."""
        return min(super().steps, self.batches or super().steps)

    def make_teacher(self, path: Path | None) -> TeacherAnswers | None:
        """Return the teacher of the recipe, None for no distillation."""
        about = self.recipe.teacher
        if (about is None) != (path is None):
            wanted = "no teacher" if about is None else "a teacher's checkpoint"
            given = "none" if path is None else path
            raise DataError(f"the recipe {self.recipe.name} must have {wanted}, got {given}")
        if about is None or path is None:
            return None
        plan = plan_model(about.model, self.dataset.shape, len(self.dataset.class_names))
        network = Network(plan)
        load_start(network, path, about.start, self.recipe)
        return TeacherAnswers(
            network.to(self.device),
            folder=self.checkpoints if about.cycle is not None else None,
            mixed_precision=self.recipe.mixed_precision,
        )

    def start(self) -> AdaptiveNetwork:
        """Return the network before training: channels kept first, factors positive."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Network(self.plan)
            adaptive = AdaptiveNetwork(
                self.plan,
                self.table,
                weight_bits=self.recipe.weight_bits,
                activation_bits=self.recipe.activation_bits,
                range_momentum=self.recipe.range_momentum,
            )
        if self.start_path is not None:
            assert self.recipe.start is not None
            load_start(network, self.start_path, self.recipe.start, self.recipe)
            reorder(network, kept_first_orders(self.plan, importance(network)))
        adaptive.take(network)
        return adaptive.to(self.device, memory_format=torch.channels_last)

    def real(self, images: Tensor) -> Tensor:
        """Return bytes as real numbers, with the channels of a pixel side by side."""
        return super().real(images).contiguous(memory_format=torch.channels_last)

    def epoch_seed(self, name: str, epoch: int) -> int:
        """Return the seed of an epoch; with a teacher that answers once it comes back."""
        cycle = None if self.recipe.teacher is None else self.recipe.teacher.cycle
        if cycle is None:
            return super().epoch_seed(name, epoch)
        return self.recipe.seed * 100_003 + epoch % cycle

    def begin_epoch(self, network: nn.Module, phase: Phase, epoch: int) -> None:
        """Choose the modes of the phase, and the answers of the teacher."""
        assert isinstance(network, AdaptiveNetwork) and isinstance(phase, AdaptivePhase)
        names = phase.modes or list(self.table.modes)
        self.active = [self.table.modes.index(name) for name in names]
        network.quantized, self.batches = phase.quantized, phase.batches
        if self.teacher is not None:
            self.teacher.begin(self.epoch_seed(phase.name, epoch))

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
        """Add up the gradients of all sub-nets, then update once.

        Returns the logits of the widest mode that takes part, and the sum of the losses.
        """
        assert isinstance(network, AdaptiveNetwork)
        for group in optimizer.param_groups:
            group["lr"] = rate
        x = x.contiguous(memory_format=torch.channels_last)
        answers = None if self.teacher is None else self.teacher.answer(x)
        optimizer.zero_grad()
        losses, widest = torch.zeros((), device=self.device), None
        for mode in self.active:
            with torch.autocast(
                self.device.type, torch.bfloat16, enabled=self.recipe.mixed_precision
            ):
                logits = network(x, mode)
            logits = logits.float()
            loss = self.loss(logits, labels, answers, phase)
            loss.backward()
            losses += loss.detach()
            widest = logits.detach() if widest is None else widest
        average_gradients(network.parameters())
        if self.recipe.gradient_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.recipe.gradient_norm)
        optimizer.step()
        network.keep_signs()
        assert widest is not None
        return widest, losses

    def loss(self, logits: Tensor, labels: Tensor, answers: Tensor | None, phase: Phase) -> Tensor:
        """Return (1 - beta) CE + beta tau^2 KL, or CE without a teacher."""
        hard = functional.cross_entropy(logits, labels, label_smoothing=phase.label_smoothing)
        about = self.recipe.teacher
        if about is None or answers is None:
            return hard
        soft = functional.kl_div(
            functional.log_softmax(logits / about.tau, 1),
            functional.log_softmax(answers / about.tau, 1),
            reduction="batchmean",
            log_target=True,
        )
        return (1 - about.beta) * hard + about.beta * about.tau**2 * soft

    @torch.no_grad()
    def accuracy(self, network: AdaptiveNetwork, mode: int) -> float:
        """Return the fraction of test images that the network gets right in a mode."""
        network.eval()
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        mine = zip(
            part_of(self.test_images).split(500), part_of(self.test_labels).split(500), strict=True
        )
        for images, labels in mine:
            correct += (network(self.real(images), mode).argmax(1) == labels).sum()
        return int(total(correct)) / len(self.test_labels)
