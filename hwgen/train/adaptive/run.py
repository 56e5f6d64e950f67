"""The training of a channel-adaptive network (seed 001, algorithm 1)."""

from collections.abc import Iterator
from pathlib import Path

import torch
from rich.progress import Progress
from torch import Tensor, nn

from hwgen.data import Dataset
from hwgen.train.adaptive.network import AdaptiveNetwork
from hwgen.train.adaptive.recipe import BASE, SELECT, AdaptivePhase, AdaptiveRecipe, ByNorm
from hwgen.train.adaptive.widths import WidthTable, check_plan, narrowed, uniform
from hwgen.train.loop import Loop
from hwgen.train.models import plan_model
from hwgen.train.network import Network, NormalizedConv
from hwgen.train.plans.plan import Plan
from hwgen.train.recipe import Phase
from hwgen.train.start import load_start


class AdaptiveRun(Loop):
    """All phases of one channel-adaptive recipe.

    recipe_folder: where the recipe's staircase is looked up
    penalty: weight of the sum of all batch-norm factors in the loss of a plain network
    """

    def __init__(
        self,
        recipe: AdaptiveRecipe,
        dataset: Dataset,
        start_path: Path | None,
        *,
        teacher_path: Path | None = None,
        recipe_folder: Path = Path(),
        out: Path,
        device: torch.device,
        resume: bool,
        bars: Progress,
    ) -> None:
        self.plan = plan_model(recipe.model, dataset.shape, len(dataset.class_names))
        check_plan(self.plan)
        own = [phase.name for phase in recipe.phases]
        alone = [f"{mode}_{name}" for mode in recipe.modes for name in own]
        choosing = [f"select_{mode}" for mode in recipe.modes]
        self.staircase_path = recipe.staircase_in(recipe_folder)
        super().__init__(
            recipe,
            dataset,
            start_path,
            phases=[BASE, *choosing, *own, *alone],
            beside={"selection.staircase": self.staircase_path},
            teacher_path=teacher_path,
            out=out,
            device=device,
            resume=resume,
            bars=bars,
        )
        self.recipe = recipe
        self.penalty = 0.0
        self.active: list[int] = []
        self.batches: int | None = None

    def trials(self) -> Iterator[tuple[str, Phase, nn.Module]]:
        """Yield each phase with each network that it trains, to time it."""
        selection, base = self.recipe.selection, self.plain()
        yield BASE, self.recipe.base_phase, base
        if isinstance(selection, ByNorm):
            many = len(self.recipe.modes) - 1 if selection.path == "multi" else 1
            yield from [(SELECT, selection.phase, base)] * many
        self.set_teacher(base)
        for _, plan, table in self.networks(uniform(self.plan, self.recipe.widths)):
            network = self.adaptive(plan, table, base)
            for phase in self.recipe.phases:
                if self.modes_of(network, phase):
                    yield phase.name, phase, network

    def networks(self, table: WidthTable) -> Iterator[tuple[str, Plan, WidthTable]]:
        """Yield what is trained alone: its name (empty for all modes together), plan, widths."""
        if self.recipe.weights == "shared":
            yield "", self.plan, table
            return
        for mode, name in enumerate(table.modes):
            yield name, *narrowed(self.plan, table, mode)

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

    def begin_phase(self, network: nn.Module, phase: Phase) -> None:
        """Choose the modes of the phase, and whether they are on their grids."""
        self.batches = None
        if isinstance(phase, AdaptivePhase):
            assert isinstance(network, AdaptiveNetwork)
            self.active = self.modes_of(network, phase)
            network.quantized, self.batches = phase.quantized, phase.batches

    def on_grids(self, network: nn.Module) -> bool:
        """Whether a network computes on its integer grids."""
        return isinstance(network, AdaptiveNetwork) and network.quantized

    def gradients(
        self, network: nn.Module, x: Tensor, labels: Tensor, phase: Phase
    ) -> tuple[Tensor, Tensor]:
        """Add up the gradients of all sub-nets (algorithm 1); a plain network has one.

        Returns the logits of the widest mode that takes part, and the sum of the losses.
        """
        if not isinstance(network, AdaptiveNetwork):
            return super().gradients(network, x, labels, phase)
        answers = self.answers(x)
        losses, given = torch.zeros((), device=self.device), []
        for mode in self.active:
            with self.precision(network):
                logits = network(x, mode)
            loss = self.loss(logits.float(), labels, answers, phase)
            loss.backward()
            losses += loss.detach()
            given.append(logits.detach())
        return given[0], losses

    def update(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Add the gradient of the penalty, and move the parameters."""
        if self.penalty and isinstance(network, Network):
            for node in self.plan.weighted:
                layer = network.layer(node.name)
                if isinstance(layer, NormalizedConv) and layer.norm.weight.grad is not None:
                    layer.norm.weight.grad += self.penalty * layer.norm.weight.detach().sign()
        super().update(network, optimizer)
        if isinstance(network, AdaptiveNetwork):
            network.keep_signs()
