"""The training of a channel-adaptive network (seed 001, algorithm 1)."""

from pathlib import Path

import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional

from hwgen.data import Dataset
from hwgen.errors import DataError
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.recipe import AdaptivePhase, AdaptiveRecipe
from hwgen.train.adaptive.teacher import TeacherAnswers
from hwgen.train.adaptive.widths import WidthTable, check_plan
from hwgen.train.loop import Loop
from hwgen.train.models import plan_model
from hwgen.train.network import Network, NormalizedConv
from hwgen.train.plans.plan import Plan
from hwgen.train.recipe import Phase
from hwgen.train.start import load_start

BASE = "base"


class AdaptiveRun(Loop):
    """All phases of one channel-adaptive recipe.

    penalty: weight of the sum of all batch-norm factors in the loss of a plain network
    """

    def __init__(
        self,
        recipe: AdaptiveRecipe,
        dataset: Dataset,
        start_path: Path | None,
        *,
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
        plan = plan_model(recipe.model, dataset.shape, len(dataset.class_names))
        check_plan(plan)
        own = [phase.name for phase in recipe.phases]
        alone = [f"{mode}_{name}" for mode in recipe.modes for name in own]
        choosing = [f"select_{mode}" for mode in recipe.modes]
        super().__init__(
            recipe,
            plan,
            dataset,
            start_path,
            phases=[BASE, *choosing, *own, *alone],
            out=out,
            device=device,
            resume=resume,
            bars=bars,
        )
        self.recipe = recipe
        self.teacher: TeacherAnswers | None = None
        self.penalty = 0.0
        self.active: list[int] = []
        self.batches: int | None = None

    def base(self) -> Network:
        """Return the widest network, trained alone in float."""
        network = self.plain()
        if self.start_path is not None:
            assert self.recipe.start is not None
            load_start(network, self.start_path, self.recipe.start, self.recipe)
        self.phase(BASE, network, self.recipe.base_phase)
        return network

    def plain(self) -> Network:
        """Return the widest network with random weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = Network(self.plan)
        return network.to(self.device)

    def set_teacher(self, base: Network, teacher_path: Path | None) -> None:
        """Take the teacher of the recipe: the base, or a checkpoint."""
        about = self.recipe.teacher
        wanted = about is not None and about.model is not None
        if wanted != (teacher_path is not None):
            expected = "a teacher's checkpoint" if wanted else "no teacher's checkpoint"
            given = "none" if teacher_path is None else teacher_path
            raise DataError(f"the recipe {self.recipe.name} must have {expected}, got {given}")
        if about is None:
            return
        network = base
        if about.model is not None and about.start is not None and teacher_path is not None:
            classes = len(self.dataset.class_names)
            network = Network(plan_model(about.model, self.dataset.shape, classes))
            load_start(network, teacher_path, about.start, self.recipe)
        self.teacher = TeacherAnswers(
            network.to(self.device),
            folder=self.checkpoints if about.cycle is not None else None,
            mixed_precision=self.recipe.mixed_precision,
        )

    def adaptive(self, plan: Plan, table: WidthTable, base: Network) -> AdaptiveNetwork:
        """Return the shared network before its training; base: channels in kept-first order."""
        network = AdaptiveNetwork(
            plan,
            table,
            weight_bits=self.recipe.weight_bits,
            activation_bits=self.recipe.activation_bits,
            range_momentum=self.recipe.range_momentum,
        )
        network.take(base)
        return network.to(self.device)

    def train(self, network: AdaptiveNetwork, *, prefix: str = "") -> dict[str, float]:
        """Run the phases of the recipe; return the accuracy of each mode after the float ones."""
        before: dict[str, float] = {}
        for phase in self.recipe.phases:
            if not self.modes_of(network, phase):
                continue
            if phase.quantized and not before:
                before = self.accuracies(network)
            self.phase(prefix + phase.name, network, phase)
            network.quantized = phase.quantized
        return before

    def accuracies(self, network: AdaptiveNetwork) -> dict[str, float]:
        """Return the accuracy of each mode in float arithmetic."""
        return {
            name: self.accuracy(network, mode=mode) for mode, name in enumerate(network.table.modes)
        }

    def modes_of(self, network: AdaptiveNetwork, phase: AdaptivePhase) -> list[int]:
        """Return the modes of a network that take part in a phase."""
        modes = enumerate(network.table.modes)
        return [mode for mode, name in modes if phase.modes is None or name in phase.modes]

    @property
    def steps(self) -> int:
        """Batches of an epoch of the phase."""
        return min(super().steps, self.batches or super().steps)

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
        self.batches = None
        if not isinstance(phase, AdaptivePhase):
            return
        assert isinstance(network, AdaptiveNetwork)
        self.active = self.modes_of(network, phase)
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
        """Add up the gradients of all sub-nets, then update once; a plain network has one.

        Returns the logits of the widest mode that takes part, and the sum of the losses.
        """
        if not isinstance(network, AdaptiveNetwork):
            return super().step(network, optimizer, x, labels, phase=phase, rate=rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        x = x.contiguous(memory_format=torch.channels_last)
        answers = None if self.teacher is None else self.teacher.answer(x)
        optimizer.zero_grad()
        losses, given = torch.zeros((), device=self.device), []
        for mode in self.active:
            mixed = self.recipe.mixed_precision
            with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
                logits = network(x, mode)
            loss = self.distillation_loss(logits.float(), labels, answers, phase)
            loss.backward()
            losses += loss.detach()
            given.append(logits.detach())
        self.update(network, optimizer)
        network.keep_signs()
        return given[0], losses

    def distillation_loss(
        self, logits: Tensor, labels: Tensor, answers: Tensor | None, phase: Phase
    ) -> Tensor:
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

    def update(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Add the gradient of the penalty, and move the parameters."""
        if self.penalty and isinstance(network, Network):
            for node in self.plan.weighted:
                layer = network.layer(node.name)
                if isinstance(layer, NormalizedConv) and layer.norm.weight.grad is not None:
                    layer.norm.weight.grad += self.penalty * layer.norm.weight.detach().sign()
        super().update(network, optimizer)
